# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/crash-matrix.json: what the suites about crashes counted, each tool in each form.

    {"tools": {NAME: {FORM: {"date", "kernel", "tree", "command", "seconds",
                             "rows": [[scenario, fault, points, runs, violations], ...],
                             "planted": [[fault, found], ...]}}}}
"""

import json
import os
import platform
import re
import subprocess
import time

import matrix_tools

ROW = {"scenario": str, "fault": str, "points": int, "runs": int, "violations": int}
PLANTED = {"planted": str, "found": int}
TEXT = re.compile(r"[^|<>`\\\n]{1,120}")


class Bad(Exception):
    """Counts or a page that cannot be taken; the text says why."""


def fits(entry, shape):
    return isinstance(entry, dict) and set(entry) == set(shape) and all(
        type(entry[key]) is kind and (TEXT.fullmatch(entry[key]) if kind is str else entry[key] >= 0)
        for key, kind in shape.items())


def describe(top):
    """The version of the tree that is there now."""
    command = ["git", "-C", top, "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not told"


def read_counts(path, top):
    """One file of a suite: (tool, form, entry). Raises Bad for what is not whole."""
    name = re.fullmatch(r"([a-z-]+)-(short|long)\.jsonl", os.path.basename(path))
    tool = matrix_tools.by_name(name.group(1)) if name else None
    if not tool:
        raise Bad(f"{path}: no tool of tests/crash/matrix_tools.py")
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    if not lines or type(lines[-1].get("seconds")) is not int:
        raise Bad(f"{path}: the last line, with the seconds, is missing: the suite did not come to its end")
    end = lines.pop()
    rows = [line for line in lines if fits(line, ROW)]
    planted = [line for line in lines if fits(line, PLANTED)]
    if len(rows) + len(planted) != len(lines):
        raise Bad(f"{path}: a line is neither a row nor a planted fault")
    if not rows or any(row["runs"] == 0 for row in rows):
        raise Bad(f"{path}: nothing was tried")
    long = " --long" if name.group(2) == "long" else ""
    return tool.name, name.group(2), {
        "date": end.get("date", time.strftime("%Y-%m-%d", time.gmtime(os.path.getmtime(path)))),
        "kernel": end.get("kernel", platform.release()),
        "tree": end.get("tree") or describe(top),
        "command": f"tests/run{long} {tool.suite}",
        "seconds": end["seconds"],
        "rows": [[row[key] for key in ROW] for row in rows],
        "planted": [[row["planted"], row["found"]] for row in planted],
    }


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"tools": {}}


def render(data):
    """JSON with one line for each row, so that a difference can be read."""
    def entry_text(entry):
        lines = [f"      {json.dumps(key)}: {json.dumps(entry[key])}" for key in
                 ("date", "kernel", "tree", "command", "seconds")]
        for key in ("rows", "planted"):
            rows = ",\n".join("        " + json.dumps(row, ensure_ascii=False) for row in entry[key])
            lines.append(f'      "{key}": [\n{rows}\n      ]' if rows else f'      "{key}": []')
        return "{\n" + ",\n".join(lines) + "\n    }"

    tools = []
    for tool in matrix_tools.TOOLS:
        forms = data["tools"].get(tool.name, {})
        texts = [f'    "{form}": {entry_text(forms[form])}' for form in matrix_tools.FORMS if form in forms]
        if texts:
            tools.append(f'  "{tool.name}": {{\n' + ",\n".join(texts) + "\n  }")
    return '{"tools": {\n' + ",\n".join(tools) + "\n}}\n"


def add(entry, more):
    """One entry for two runs of the same form on the same tree, as when 200 cuts were made in two halves."""
    for key in ("tree", "kernel", "command"):
        if entry[key] != more[key]:
            raise Bad(f"its {key} is '{more[key]}', that of the run before '{entry[key]}': these cannot be added up")
    if entry == more:
        raise Bad("the same counts as in the folder before")
    rows, planted = {}, {}
    for scenario, fault, *counts in entry["rows"] + more["rows"]:
        before = rows.get((scenario, fault), [0] * len(counts))
        rows[scenario, fault] = [old + new for old, new in zip(before, counts)]
    for fault, found in entry["planted"] + more["planted"]:
        planted[fault] = min(found, planted.get(fault, found))
    return {**entry, "date": max(entry["date"], more["date"]), "seconds": entry["seconds"] + more["seconds"],
            "rows": [[*names, *counts] for names, counts in rows.items()],
            "planted": [[fault, found] for fault, found in planted.items()]}


def merge(data, folder, top, since=0, added_to=()):
    """Takes all whole files of a folder that are not older than `since`; returns what was taken, and what is wrong. To the
    tools and forms of `added_to` ("races, long") it is added, of others it is all there is."""
    if os.path.isdir(os.path.join(folder, "crash-counts")):
        folder = os.path.join(folder, "crash-counts")
    taken, wrong = [], []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not name.endswith(".jsonl") or os.path.getmtime(path) < since:
            continue
        try:
            tool, form, entry = read_counts(path, top)
            if f"{tool}, {form}" in added_to:
                entry = add(data["tools"][tool][form], entry)
        except (Bad, ValueError, AttributeError) as error:
            wrong.append(str(error))
            continue
        data["tools"].setdefault(tool, {})[form] = entry
        taken.append(f"{tool}, {form}")
    return taken, wrong


def violations(data):
    """What a page must not have: texts."""
    for name, forms in data["tools"].items():
        for form, entry in forms.items():
            for scenario, fault, _, _, count in entry["rows"]:
                if count:
                    yield f"{name}, {form}: {scenario}, {fault}: {count} violations"
            for fault, found in entry["planted"]:
                if not found:
                    yield f"{name}, {form}: the planted fault '{fault}' was not found"


def not_run(data):
    """What is missing for both forms to be shown."""
    for tool in matrix_tools.TOOLS:
        for form in matrix_tools.FORMS:
            if form not in data["tools"].get(tool.name, {}):
                yield f"{tool.name}, {form}: not run"
    others = [tool.name for tool in matrix_tools.TOOLS if tool.name != matrix_tools.SEARCH]
    for name, what in matrix_tools.FAULTS:
        if not is_found(data, matrix_tools.SEARCH, name):
            yield f"{matrix_tools.SEARCH} does not say that it finds {name} ({what})"
        if not any(is_found(data, tool, name) for tool in others):
            yield f"no tool but the search says that it finds {name} ({what})"


def is_found(data, tool, name):
    forms = data["tools"].get(tool, {}).values()
    return any([name, 1] in entry["planted"] for entry in forms)
