# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/crash-matrix.md, from the committed counts: render(data)."""

import re

import matrix_data
from matrix_tools import FAULTS, FORMS, KIND_ORDER, KINDS, TOOLS, VERB_ORDER, VERBS

NONE = "–"

HEAD = """\
# The crash matrix

What was done to a change, where, how often, and what came of it. Written by `tests/crash/make-matrix` from the counts that
the suites leave (`docs/crash-matrix.json`); not by hand. What has to hold and why it does: [crash-safety.md](crash-safety.md).

A **violation** is anything else than this: in the end everything is old or everything is new, a change that was answered
with success is there, one that awaits its confirmation never outlives a boot, and what somebody else wrote is kept or
reported. A **point** is a place where something was done, a **run** one try of it.

    tests/crash/make-matrix               the short form, as in CI
    tests/crash/make-matrix --long        the long one
"""


def number(n):
    return f"{n:,}"


def table(head, rows, right=()):
    """Markdown; `right` are the columns of numbers."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join("---:" if i in right else "---" for i in range(len(head))) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def sums(rows):
    return [sum(row[i] for row in rows) for i in (2, 3, 4)]


def first_match(patterns, text, otherwise):
    return next((name for name, pattern in patterns if re.search(pattern, text)), otherwise)


def verb_of(scenario):
    return first_match(VERBS, scenario.rsplit(": ", 1)[-1], VERB_ORDER[-1])


def kind_of(tool, fault):
    told = first_match(KINDS, fault, None)
    if tool.kind is None or (tool.kind == "error" and told):
        return told or "killed"
    return tool.kind


def longest(data, tool):
    """The long form's counts, or the short one's."""
    forms = data["tools"].get(tool.name, {})
    return next((forms[form] for form in reversed(FORMS) if form in forms), None)


# --- the parts ---------------------------------------------------------------------------------------------------------


def tools_table(data):
    rows = []
    for tool in TOOLS:
        cells = [f"[{tool.title}](#{tool.name})"]
        for form in FORMS:
            entry = data["tools"].get(tool.name, {}).get(form)
            if not entry:
                cells += ["not run", "", ""]
                continue
            points, runs, wrong = sums(entry["rows"])
            cells += [number(points), number(runs), number(wrong)]
        rows.append(cells)
    total = ["**all**"]
    for form in FORMS:
        entries = [forms[form]["rows"] for forms in data["tools"].values() if form in forms]
        total += [f"**{number(n)}**" for n in sums([row for entry in entries for row in entry])]
    yield from table(("", "short: points", "runs", "violations", "long: points", "runs", "violations"), [*rows, total],
                     range(1, 7))


def verbs_table(data):
    cells = {}
    for tool in TOOLS:
        entry = longest(data, tool)
        for scenario, fault, points, runs, _ in entry["rows"] if entry else ():
            cell = cells.setdefault((verb_of(scenario), kind_of(tool, fault)), [0, 0])
            cell[0] += points
            cell[1] += runs
    rows = []
    for verb in VERB_ORDER:
        row = [cells.get((verb, kind)) for kind in KIND_ORDER]
        if any(row):
            rows.append([verb, *(f"{number(c[0])} / {number(c[1])}" if c else NONE for c in row)])
    yield from table(("points / runs", *KIND_ORDER), rows, range(1, len(KIND_ORDER) + 1))


def planted_table(data):
    tools = [tool for tool in TOOLS if any(matrix_data.is_found(data, tool.name, name) for name, _ in FAULTS)]
    rows = [[f"`{name}`", what, *("found" if matrix_data.is_found(data, tool.name, name) else NONE for tool in tools)]
            for name, what in FAULTS]
    yield from table(("", "what is planted", *(tool.name for tool in tools)), rows)
    for tool in TOOLS:
        entry = longest(data, tool)
        others = [row for row in entry["planted"] if row[0] not in dict(FAULTS)] if entry else []
        if others:
            yield (f"{tool.title}, {sum(found for _, found in others)} of {len(others)} more that were planted: "
                   + "; ".join(name for name, _ in others) + ".")
            yield ""


def forms_table(data, tool):
    rows = []
    for form in FORMS:
        entry = data["tools"].get(tool.name, {}).get(form)
        if entry:
            points, runs, wrong = map(number, sums(entry["rows"]))
            rows.append([form, points, runs, wrong, number(entry["seconds"]), entry["date"], entry["kernel"],
                         f"`{entry['tree']}`", f"`{entry['command']}`"])
        else:
            rows.append([form, "not run", *[""] * 7])
    yield from table(("", "points", "runs", "violations", "seconds", "date", "kernel", "tree", "command"), rows, range(1, 5))


def listed(data, tool):
    """Both forms side by side, a line for each scenario and fault."""
    forms = data["tools"].get(tool.name, {})
    lines = {}
    for form in reversed(FORMS):
        for scenario, fault, points, runs, wrong in forms.get(form, {"rows": []})["rows"]:
            line = lines.setdefault((scenario, fault), {}).setdefault(form, [0, 0, 0])
            for i, n in enumerate((points, runs, wrong)):
                line[i] += n
    rows = [[scenario, fault, *(number(n) for form in FORMS for n in by_form[form])] if len(by_form) == len(FORMS) else
            [scenario, fault, *(cell for form in FORMS for cell in
                                (map(number, by_form[form]) if form in by_form else [NONE] * 3))]
            for (scenario, fault), by_form in lines.items()]
    yield from table(("scenario", "what is done to it", "short: points", "runs", "violations", "long: points", "runs",
                      "violations"), rows, range(2, 8))


def crossed(data, tool):
    """Scenarios × faults, once + for ever, a table for each form."""
    for form in FORMS:
        entry = data["tools"].get(tool.name, {}).get(form)
        if not entry:
            continue
        faults, scenarios, cells = {}, {}, {}
        for scenario, fault, points, runs, wrong in entry["rows"]:
            stem = re.sub(r" (once|for ever)$", "", fault)
            faults[stem] = scenarios[scenario] = True
            text = number(runs) if points == runs else f"{number(points)} / {number(runs)}"
            cells.setdefault((scenario, stem), []).append(text + (f" **{wrong} violations**" if wrong else ""))
        yield f"The {form} form, runs once + for ever (of a power cut: points / runs):"
        yield ""
        yield from table(("", *faults), [[scenario, *(" + ".join(cells.get((scenario, fault), [NONE])) for fault in faults)]
                                         for scenario in scenarios], range(1, len(faults) + 1))


def tool_part(data, tool):
    yield f'<a id="{tool.name}"></a>'
    yield ""
    yield f"## {tool.title}"
    yield ""
    yield tool.what
    yield ""
    yield f"*Does not see:* {tool.blind[0].lower()}{tool.blind[1:]}"
    yield ""
    yield from forms_table(data, tool)
    if data["tools"].get(tool.name):
        yield from (crossed if tool.crossed else listed)(data, tool)


def verdict(data):
    wrong = list(matrix_data.violations(data))
    missing = list(matrix_data.not_run(data))
    yield "**No violation.**" if not wrong else "**Violations:** " + "; ".join(wrong) + "."
    yield ""
    if missing:
        yield f"{len(missing)} things are still to be shown; `tests/crash/make-matrix --check` names them."
        yield ""


def render(data):
    lines = [HEAD, *verdict(data)]
    lines += tools_table(data)
    lines += ["## Verbs and faults", "",
              "Of each tool the longer form that was run. Power cuts are those of the simulated disk, then of real file systems, "
              "then of whole machines; errors count with the power cuts behind them. Runs that nothing was done to are left out.",
              ""]
    lines += verbs_table(data)
    lines += ["## Planted faults", "",
              "A tool that cannot fail shows nothing: what is wrong here was built in on purpose, and has to be found.", ""]
    lines += planted_table(data)
    for tool in TOOLS:
        lines += tool_part(data, tool)
    return "\n".join(lines).rstrip("\n") + "\n"
