# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which differences of a running kernel are that machine's own: they are reported, not judged.

    is_recorded(answers, table)                           the running kernel is the very build that the table has
    excuse(row, difference, kernel, recorded, tested)     the reason, or None where the difference counts
    series_of(table)                                      [(5, 10), ...]: what `tested` wants, ascending

Debian's kernels and the build that the table has are known: every difference counts. Any other machine's kernel may
be built with fewer options, or carry backports that mainline's versions do not tell; and where mainline changed a
range or a default between two kernels of the table, the version in between at which it did is the catalogue's best
knowledge, not an experiment. All else is promised for such a kernel too.
"""

# in every network namespace that is not the machine's first one, this file is not there
FIRST_ONLY = "net.core.netdev_max_backlog"


def series_of(table):
    return sorted(tuple(int(number) for number in name.split(".")) for name in table["kernels"])


def is_recorded(answers, table):
    if answers["first"]:
        return True
    recorded = any(kernel["running"] and kernel["packages"] == answers["packages"] for kernel in table["kernels"].values())
    return recorded and answers["keys"].get(FIRST_ONLY, {}).get("mode") is not None


def excuse(row, difference, kernel, recorded, tested):
    if recorded:
        return None
    if difference.what == "exists":
        return "how the kernel was built, or a backport, decides this"
    version = kernel.version[:2]
    if version in tested:
        return None
    if version < tested[0]:
        return "older than every kernel of the table"
    if version > tested[-1]:
        return "newer than every kernel of the table"
    below = max(series for series in tested if series < version)
    above = min(series for series in tested if series > version)
    if any(below < entry["before"][:2] <= above for entry in row["older"]):
        return "changed between two kernels of the table"
    return None
