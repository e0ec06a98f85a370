#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""branches.py GCOVR.json EXCEPTIONS FLOOR FILE...: are all branches of these files taken but for those that are named?

Prints ok|low <tab> NAME <tab> DETAIL for each file and for the list. A branch that no test takes is in EXCEPTIONS by a line

    FILE FUNCTION TIMES CONDITION = REASON

where CONDITION is the text of its source line without the blanks around it and TIMES how many of the line's branches
(in all lines of that function with that text) are not taken. Line numbers would go stale; a line that changes must be
looked at again. A branch that is not in the list, an entry with another number, one whose line is gone or covered,
one without a reason, and a file under its floor are findings. The share is of all branches, listed ones included.

Not counted, because no input can take them and nobody wrote them as a branch: those of a line with assert() or
static_assert(), of which the untaken side ends the program, and those that gcov knows as exceptions or as fall-through of a
block that cannot be reached (gcovr --exclude-unreachable-branches). C has no others: cleanup attributes make calls, not
branches.

--self-test plants each of these faults and looks for it.
"""

import collections
import json
import re
import sys

ASSERTION = re.compile(r"\b(static_)?assert\(")


def function_names(text):
    """For each line, the function that it stands in: the last definition that begins in the first column."""
    names, name = [], ""
    for line in text.split("\n"):
        if line[:1].isalpha() and "(" in line and not line.rstrip().endswith(";") and " = " not in line:
            name = re.findall(r"([A-Za-z_][A-Za-z_0-9]*)\(", line)[0]
        names.append(name)
    return names


def counts(entry, text):
    """taken, all, and {(function, condition): branches that are not taken}"""
    names, lines = function_names(text), text.split("\n")
    taken = total = 0
    missing = collections.Counter()
    for line in entry["lines"]:
        at = line["line_number"] - 1
        if line.get("gcovr/noncode") or at >= len(lines) or ASSERTION.search(lines[at]):
            continue
        branches = line.get("branches", [])
        total += len(branches)
        hit = sum(1 for b in branches if b["count"] > 0)
        taken += hit
        if hit < len(branches):
            missing[names[at], lines[at].strip()] += len(branches) - hit
    return taken, total, missing


def read_exceptions(text):
    """{file: {(function, condition): times}} and what is wrong with the list."""
    listed, wrong = collections.defaultdict(dict), []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        # a condition may hold ' = ' itself: the reason stands behind the last one
        entry, _, reason = line.rpartition(" = ")
        match = re.fullmatch(r"(\S+) (\S+) (\d+) (\S.*)", entry)
        if not match or not reason.strip():
            wrong.append(f"line {number}: not FILE FUNCTION TIMES CONDITION = REASON")
            continue
        file, function, times, condition = match.groups()
        if (function, condition) in listed[file]:
            wrong.append(f"line {number}: {file} {function} '{condition}' stands there twice")
        listed[file][function, condition] = int(times)
    return listed, wrong


def judge_file(entry, text, listed, floor):
    """(share, all, what is wrong)"""
    taken, total, missing = counts(entry, text)
    wrong = []
    for (function, condition), n in sorted(missing.items()):
        want = listed.get((function, condition), 0)
        if n != want:
            wrong.append(f"{function}: {n} branches not taken, {want} listed: {condition}")
    for (function, condition), want in sorted(listed.items()):
        if (function, condition) not in missing:
            wrong.append(f"{function}: listed, but taken or gone: {condition}")
    share = 100 * taken / total if total else 0
    if not total:
        wrong.append("nothing was measured")
    elif share < floor:
        wrong.append(f"{taken} of {total}, at least {floor} %")
    return share, total, wrong


def judge(data, texts, exceptions, floor, files):
    """[(good, name, detail)]"""
    entries = {x["file"]: x for x in data["files"]}
    listed, wrong = read_exceptions(exceptions)
    wrong += [f"'{x}' is none of the files that are looked at" for x in sorted(listed) if x not in files]
    rows = []
    for file in files:
        share, total, bad = judge_file(entries.get(file, {"lines": []}), texts[file], listed.get(file, {}), floor)
        rows.append((not bad, f"branches of {file} {share:.1f} % of {total}, at least {floor:g} %", "; ".join(bad)))
    return rows + [(not wrong, "list of branches that are not taken", "; ".join(wrong))]


# --- planted faults ----------------------------------------------------------------------------------------------------

_TEXT = "static int f(int a) {\n        assert(a);\n        if (a == 1)\n                return g(a);\n        return a ? 1 : 2;\n}\n"


def _data(*lines):
    return {"files": [{"file": "x.c", "lines": [{"line_number": n, "branches": [{"count": c} for c in b]} for n, b in lines]}]}


_TAKEN = _data((2, [1, 0]), (3, [1, 1]), (5, [1, 1]))
_ONE = _data((2, [1, 0]), (3, [1, 0]), (5, [1, 1]))
PLANTED = [
    ("all are taken, an assertion is none", _TAKEN, "", 95, []),
    ("not listed", _ONE, "", 50, ["f: 1 branches not taken, 0 listed: if (a == 1)"]),
    ("listed", _ONE, "# why\n\nx.c f 1 if (a == 1) = it cannot be 1\n", 50, []),
    ("listed, but too few", _ONE, "x.c f 1 if (a == 1) = it cannot be 1\n", 95, ["3 of 4, at least 95 %"]),
    ("another number", _ONE, "x.c f 2 if (a == 1) = it cannot be 1\n", 50, ["f: 1 branches not taken, 2 listed: if (a == 1)"]),
    ("of another function", _ONE, "x.c h 1 if (a == 1) = why\n", 50, ["f: 1 branches not taken, 0 listed", "h: listed, but taken or gone"]),
    ("stale: taken", _TAKEN, "x.c f 1 if (a == 1) = it cannot be 1\n", 95, ["f: listed, but taken or gone: if (a == 1)"]),
    ("stale: the line is gone", _TAKEN, "x.c f 1 if (a == 7) = it cannot be 7\n", 95, ["f: listed, but taken or gone: if (a == 7)"]),
    ("no reason", _ONE, "x.c f 1 if (a == 1) = \n", 50, ["f: 1 branches not taken, 0 listed", "line 1: not FILE"]),
    ("twice", _ONE, "x.c f 1 if (a == 1) = a\nx.c f 1 if (a == 1) = b\n", 50, ["stands there twice"]),
    ("another file", _TAKEN, "y.c f 1 if (a == 1) = a\n", 95, ["'y.c' is none of the files"]),
    ("not measured", {"files": []}, "", 95, ["nothing was measured"]),
    ("a condition with ' = ' in it", _data((3, [1, 1]), (5, [1, 0])), "x.c f 1 return a ? 1 : 2; = the = is no end = it is 1\n", 50,
     ["f: 1 branches not taken, 0 listed", "f: listed, but taken or gone: return a ? 1 : 2; = the = is no end"]),
]


def self_test():
    bad = 0
    for name, data, exceptions, floor, want in PLANTED:
        found = "; ".join(detail for good, _, detail in judge(data, {"x.c": _TEXT}, exceptions, floor, ["x.c"]) if not good)
        if not all(x in found for x in want) or bool(want) != bool(found):
            print(f"low\tplanted: {name}\tfound '{found}' instead of {want}")
            bad += 1
    if bad == 0:
        print(f"ok\tplanted faults: {len(PLANTED)} judged as they should be\t")
    return bad


def main(tracefile, exceptions, floor, *files):
    with open(tracefile, encoding="utf-8") as f:
        data = json.load(f)
    texts = {x: open(x, encoding="utf-8").read() for x in files}
    with open(exceptions, encoding="utf-8") as f:
        rows = judge(data, texts, f.read(), float(floor), files)
    for good, name, detail in rows:
        print("ok" if good else "low", name, detail, sep="\t")


if __name__ == "__main__":
    sys.exit(self_test() != 0 if sys.argv[1:] == ["--self-test"] else main(*sys.argv[1:]))
