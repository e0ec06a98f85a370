#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make the pages of the manual that are tables: the source of scdoc, on standard output.

usage: manual.py rules schema/diagnostics.yaml
       manual.py sysctls schema/sysctls.yaml

The pages are twprofile-rules(7), every diagnostic and safety rule, and twprofile-sysctls(7), every key of the catalogue. The
same input gives the same bytes. Exit 1, with nothing on standard output, when the input is not what its own generator takes.
"""

import argparse
import os
import sys

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import registry  # noqa: E402
from catalogue_reader import read_catalogue  # noqa: E402

# what scdoc takes for markup inside a line
MARKUP = "\\*_+"

GROUPS = {
    "1": "reading and YAML",
    "2": "the profile's fields",
    "3": "merging and includes",
    "4": "values and safety rules",
    "5": "this host and its state",
    "6": "the transaction",
    "7": "notes",
    "8": "what is observed",
    "9": "the program",
}

SEVERITIES = {
    "refuse": "error",
    "acceptance": "error until accepted",
    "partial": "done in part",
    "warning": "warning",
    "note": "note",
    "critical": "critical",
    "notice": "notice",
    "info": "info",
}

UNITS = {"none": "", "us": "microseconds", "ms": "milliseconds", "s": "seconds", "bytes": "bytes", "pages": "pages", "count": "count"}

NEW_NAMESPACE = {
    "default": "begins with the kernel's default",
    "computed": "begins with a value computed for it",
    "copied": "begins with the value of the first namespace",
    "absent": "has no such file",
    "read-only": "shows the host's value, read-only",
    "same": "has the host's file",
}

ROUNDING = {"jiffies-ms": "rounded up to whole timer ticks", "pointer-page": "rounded up to whole pages of pointers"}


def escape(text):
    return "".join("\\" + c if c in MARKUP else c for c in text)


def paragraph(text):
    """One paragraph inside an entry. scdoc and roff read some characters at the start of a line as commands; such texts get an
    opening that is none."""
    line = escape(text)
    return "\t" + (line if line[0].isalnum() else f"“{line}”") + "\n"


def labelled(label, text):
    return f"\t_{label}:_ {escape(text)}\n"


def entry(head, *paragraphs):
    return f"{head}\n" + "\n".join(p for p in paragraphs if p) + "\n"


def is_are(n, one, many):
    return f"{n} {one if n == 1 else many}"


# ---- twprofile-rules(7) ----


def render_rule(row):
    shown = SEVERITIES[row["severity"]]
    head = f"*{row['code']}* *{escape(row['name'])}* ({shown}, exit {row['exit']})" + ("; reserved" if row.get("reserved") else "")
    title = row["title"][0].upper() + row["title"][1:]
    sources = registry.sources(row)
    return entry(
        head,
        paragraph(f"{title}. {row['explanation']}"),
        labelled("Cure", row["cure"]),
        labelled("Example", row["example"]),
        labelled("Source" if len(sources) == 1 else "Sources", "; ".join(sources)) if sources else None,
    )


def render_index(rows):
    lines = ["[[ *Code*", ":[ *Name*", ":[ *Severity*", ":[ *Exit*"]
    for row in rows:
        lines += [f"|  {row['code']}", f":  {escape(row['name'])}", f":  {SEVERITIES[row['severity']]}", f":  {row['exit']}"]
    return "\n".join(lines) + "\n"


def render_rules(rows):
    advice = sum(registry.is_advice(row) and not row.get("reserved") for row in rows)
    rules = sum(registry.is_rule(row) and not row.get("reserved") for row in rows)
    out = [
        "twprofile-rules(7)\n\n# NAME\n\ntwprofile-rules - what twprofile can say, and the safety rules for values\n\n# DESCRIPTION\n\n"
        f"Everything that *twprofile*(8) finds in a profile, on a host or in itself has one of {len(rows)} codes; {rules} of them are "
        f"safety rules, which judge values that the catalogue allows one by one, and {advice} are rules of advice, by which "
        "*twprofile advise* judges what the sockets of a host do. A code and its name keep their meaning for ever, "
        "and a retired one is never given again. Code and name stand in every message, in _--json_, and in _accept:_ of a profile; "
        "*twprofile explain* prints what is here.\n\n"
        "An _error_ refuses the request. An _error until accepted_ does so until the profile accepts the rule with a reason:\n\n"
        '```\naccept:\n  - rule: time-wait-below-rfc\n    reason: "why it is right for this host"\n```\n\n'
        "A _warning_ and a _note_ refuse nothing. The exit code is that of the whole run where nothing worse was found.\n\n"
        "Advice is _critical_ when connections fail or data is lost now, or a setting guarantees it; a _warning_ when that will happen "
        "at about twice the load, or a protection is off; a _notice_ about a setting that is inefficient, misleading or useless; and "
        "_info_ where nothing is to be done. A rule may raise a finding to a worse severity than stands here.\n"
    ]
    for digit, title in GROUPS.items():
        group = [row for row in rows if row["code"][2] == digit]
        if group:
            out.append(f"\n# {digit}XX: {title.upper()}\n\n" + "\n".join(map(render_rule, group)))
    out.append("\n# INDEX\n\n" + render_index(rows))
    out.append("\n# SEE ALSO\n\n*twprofile*(8), *twprofile-profile*(5), *twprofile-sysctls*(7)\n")
    return "".join(out)


# ---- twprofile-sysctls(7) ----


def version(v):
    return ".".join(str(n) for n in (v if v[2] else v[:2]))


def of_list(value):
    return " ".join(str(n) for n in value) if isinstance(value, list) else str(value)


def value_facts(row):
    facts = [row["type"] + (f" of {row['values']} numbers" if row["values"] > 1 else "")]
    if UNITS[row["unit"]]:
        facts[0] += f", {UNITS[row['unit']]}"
    if row["sane"] is not None:
        facts.append(f"{row['sane'][0]} to {row['sane'][1]}")
        if row["kernel"] != row["sane"]:
            facts[-1] += f" (the kernel takes {row['kernel'][0]} to {row['kernel'][1]})"
    if row["rounding"] in ROUNDING:
        facts.append(ROUNDING[row["rounding"]])
    if row["zero_means"] is not None:
        facts.append(f"0 means {row['zero_means']}")
    return "; ".join(facts)


def default_facts(row):
    value = None if row["default"] is None else of_list(row["default"]) or "empty"
    return "; ".join(text for text in (value, row["default_note"]) if text)


def kernel_facts(row):
    if row["vendor"]:
        text = f"only those of {row['vendor']}"
    else:
        text = f"since {version(row['since'])}" if row["since"] else "all"
    if row["until"]:
        text += f", removed in {version(row['until'])}"
    if row["backported"]:
        text += "; also from the stable releases " + ", ".join(map(version, row["backported"])) + " on"
    if row["module"]:
        text += f"; module {row['module']}"
    return text


def scope_facts(row):
    text = "one value per network namespace" if row["scope"] == "netns" else "one value for the host"
    if row["scope_since"]:
        text += f" since {version(row['scope_since'])}"
    return f"{text}; a new namespace {NEW_NAMESPACE[row['new_namespace']]}"


def render_key(row):
    choices = "; ".join(f"{choice['value']} {choice['means']}" for choice in row["choices"])
    default = default_facts(row)
    return entry(
        f"*{escape(row['key'])}*",
        paragraph(row["does"]),
        labelled("Value", value_facts(row)),
        labelled("Choices", choices) if choices else None,
        labelled("Default", default) if default else None,
        labelled("Scope", scope_facts(row)),
        labelled("Kernels", kernel_facts(row)),
        labelled("Risk", f"{row['risk']}. {row['risk_reason']}"),
        labelled("Refused", row["not_settable_because"]) if row["not_settable_because"] else None,
        labelled("Instead", row["replacement"]) if row["replacement"] else None,
        labelled("Sources", "; ".join(row["sources"])),
    )


def render_sysctls(rows):
    settable = sum(row["not_settable_because"] is None for row in rows)
    groups = sorted({row["group"] for row in rows})
    out = [
        "twprofile-sysctls(7)\n\n# NAME\n\ntwprofile-sysctls - the sysctls that twprofile knows\n\n# DESCRIPTION\n\n"
        f"The catalogue of *twprofile*(8): {len(rows)} keys in {is_are(len(groups), 'group', 'groups')}, {settable} of which a "
        "profile can set. The list is closed: a key that is not here is never written. Where two ranges are given, twprofile takes "
        "the first, the kernel the second. Kernel versions are those of mainline; distributions backport, so what counts on a host "
        "is whether the file is there. *twprofile explain* KEY shows more, with the value that is live.\n"
    ]
    for group in groups:
        members = [row for row in rows if row["group"] == group]
        out.append(f"\n# {group.upper()}\n\n{is_are(len(members), 'key', 'keys')}.\n\n" + "\n".join(map(render_key, members)))
    out.append("\n# SEE ALSO\n\n*twprofile*(8), *twprofile-profile*(5), *twprofile-rules*(7), *sysctl.d*(5), *tcp*(7)\n")
    return "".join(out)


def load_rules(path):
    with open(path, encoding="utf-8") as file:
        rows, wrong = registry.check(yaml.load(file, registry.StrictLoader))
    return rows, wrong


def load_sysctls(path):
    with open(path, encoding="utf-8") as file:
        rows, problems = read_catalogue(file.read())
    return rows, [f"{problem.line}: {problem.text}" for problem in problems]


PAGES = {"rules": (load_rules, render_rules), "sysctls": (load_sysctls, render_sysctls)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", choices=PAGES)
    parser.add_argument("input")
    options = parser.parse_args()
    load, render = PAGES[options.page]
    try:
        rows, wrong = load(options.input)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        rows, wrong = [], [str(error)]
    for line in wrong:
        print(f"{options.input}: {line}", file=sys.stderr)
    if wrong:
        return 1
    sys.stdout.buffer.write(render(rows).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
