#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""coverage.py GCOVR.json "FOLDER FLOOR"...: is each folder's line coverage at its floor?

Prints ok|low <tab> NAME <tab> DETAIL per folder. A folder without a single counted line is low: nothing was
measured. A file of the folder on disk that gcovr has never seen, because no test program links it, counts with
all its lines as uncovered, roughly: its non-blank lines that end in ';' or '{'. Lines marked GCOVR_EXCL_LINE
and the like are left out by gcovr.
"""

import glob
import json
import sys


def rough_lines(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return sum(1 for x in f if x.startswith(" ") and x.rstrip().endswith((";", "{")))


def folder(files, name):
    rows = []
    for path in sorted(glob.glob(name + "/*.c")):
        lines = files.get(path)
        if lines is None:
            n = rough_lines(path)
            rows.append((path, 0, n))
        else:
            counted = [x for x in lines if not x.get("gcovr/noncode")]
            rows.append((path, sum(1 for x in counted if x["count"] > 0), len(counted)))
    return rows


def main(tracefile, floors):
    with open(tracefile, encoding="utf-8") as f:
        files = {x["file"]: x["lines"] for x in json.load(f)["files"]}
    for floor in floors:
        name, percent = floor.split()
        rows = folder(files, name)
        hit, total = sum(r[1] for r in rows), sum(r[2] for r in rows)
        share = 100 * hit / total if total else 0
        verdict = "ok" if total and share >= float(percent) else "low"
        worst = sorted(rows, key=lambda r: r[1] - r[2])[:8]
        detail = "; ".join(f"{p} {h}/{n}" for p, h, n in worst if h < n) or "nothing was measured"
        print(verdict, f"{name} {share:.1f} % of {total} lines, at least {percent} %", detail, sep="\t")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
