# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests/kernels/table.json keeps of the answers of kernels, and what departs from it.

    entry_of(row, seen, kernel)                    of one key on one kernel; None where it is not there
    check_answers(rows, answers, table)            lines, one for each difference of a kernel
    check_documents(rows, table, page, readme)     lines, one for each thing that the texts have otherwise
"""

from answers import kernel_of
from doubt import is_recorded
from judge import is_per_namespace, is_there, on_kernel, scope_of
from kernels_page import count_line, render_page


def entry_of(row, seen, kernel):
    """What the table keeps of one key on one kernel; None when the key is not there."""
    if seen["mode"] is None:
        return None
    own = kernel.first or is_per_namespace(row, kernel) and row["new_namespace"] != "copied"
    puts = {write["put"]: write["errno"] if write["errno"] != "0" else write["value"].replace("\t", " ") for write in seen["writes"]}
    return {
        "mode": seen["mode"],
        # of what the running machine's administrator may have set, nothing
        "value": seen["value"].replace("\t", " ") if own else None,
        "constant": on_kernel(row, "default", kernel) is not None,
        "namespace": scope_of(seen),
        "begins": begins_with(seen, kernel),
        "unprivileged": seen["once"].get("errno") if "once" in seen else None,
        "puts": puts,
    }


def begins_with(seen, kernel):
    """What a new namespace begins with: default, copied or other; None where that was not to be seen."""
    value = seen["child"].get("value")
    if value is None or seen["changed"] is None:
        return None
    if value == (seen["changed"] if kernel.first else seen["first"]):
        return "copied" if kernel.first else None
    return "default" if value == seen["value"] else "other"


def entry_differences(wanted, got):
    if wanted is None or got is None:
        if wanted != got:
            yield "there", "no" if wanted is None else "yes", "no" if got is None else "yes"
        return
    for field in wanted:
        if field == "value" and not wanted["constant"]:
            continue
        if field == "puts":
            for put in sorted(set(wanted["puts"]) | set(got["puts"])):
                if wanted["puts"].get(put) != got["puts"].get(put):
                    yield f"writing '{put}'", wanted["puts"].get(put), got["puts"].get(put)
        elif wanted[field] != got[field]:
            yield field, wanted[field], got[field]


def check_answers(rows, answer, table):
    kernel = kernel_of(answer)
    recorded = table["kernels"].get(kernel.name)
    if recorded is None or recorded["running"] == kernel.first or not is_recorded(answer, table):
        print(f"note: the table, made by {table['command']}, does not have {answer['packages'][0]}")
        return
    for row in rows:
        key = row["key"]
        if key not in recorded["keys"]:
            yield f"{key} on {kernel.name}: not in the table"
            continue
        # another machine's running kernel may have the module, or may not
        if not kernel.first and is_there(row, kernel) is None:
            continue
        for what, wanted, got in entry_differences(recorded["keys"][key], entry_of(row, answer["keys"][key], kernel)):
            yield f"{key} on {kernel.name}: {what}: the table has {wanted}, seen {got}"


def check_documents(rows, table, page, readme):
    """The catalogue's keys, and the texts of docs/kernels.md and README.md."""
    known = {row["key"] for row in rows}
    for name, kernel in table["kernels"].items():
        for key in sorted(set(kernel["keys"]) - known):
            yield f"{key} on {name}: in the table, not in the catalogue"
        for key in sorted(known - set(kernel["keys"])):
            yield f"{key} on {name}: not in the table"
    if page != render_page(rows, table):
        yield f"docs/kernels.md is out of date: run {table['command']}"
    if count_line(rows, table) not in " ".join(readme.split()):
        yield f"README.md does not say: {count_line(rows, table)}"
