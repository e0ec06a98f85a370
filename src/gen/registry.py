#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compile schema/diagnostics.yaml into diag/registry.h and registry.c.

usage: registry.py INPUT [--output-dir DIR]

Writes DIR/registry.h and DIR/registry.c; without --output-dir the input is only checked. Refused: unknown or missing fields, empty texts,
duplicate codes or names, codes out of order or outside their group, a severity that does not go with its
exit code, a safety rule or a rule of advice without a source. Exit 1 with one line for each thing that is wrong.
"""

import argparse
import os
import re
import sys

import yaml

FIELDS = ("code", "name", "severity", "exit", "title", "explanation", "cure", "example")
OPTIONAL = ("source", "reserved")
GROUPS = "123456789"
# The safety rules: what they claim has to be somewhere for everybody to check. 479 to 489 are no rules: they are about
# what was asked of the command line.
RULES = frozenset([*range(425, 479), *range(490, 500), *range(740, 770)])
# The rules of advice: src/insight/advice.h. Their severities say how bad it is for the host, and nothing is refused.
ADVICE = frozenset(range(810, 880))
ADVICE_SEVERITIES = ("critical", "warning", "notice", "info")
# severity: (the exit codes it may lead to, what it is called in the text form)
SEVERITIES = {
    "refuse": ({1, 2, 3, 4, 5, 6, 8, 64}, "error"),
    "acceptance": ({3}, "error"),
    "partial": ({7}, "warning"),
    "warning": ({0}, "warning"),
    "note": ({0}, "note"),
    "critical": ({0}, "critical"),
    "notice": ({0}, "notice"),
    "info": ({0}, "info"),
}
TITLE_MAX = 80


class StrictLoader(yaml.SafeLoader):
    """A loader that refuses a field given twice instead of taking the last."""


def _construct_mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"field '{key}' is given twice", node.start_mark
            )
    return dict(zip(keys, (loader.construct_object(v, deep=True) for _, v in node.value)))


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def count_sentences(text):
    return len(re.findall(r"\.(?=\s+[^a-z]|$)", text))


def is_rule(row):
    return int(row["code"][2:]) in RULES


def is_advice(row):
    return int(row["code"][2:]) in ADVICE


def sources(row):
    """The sources of a row that was checked, as a list: one may be given as a text."""
    value = row.get("source", [])
    return [value] if isinstance(value, str) else value


def check_text(field, value):
    """Yield what is wrong with one text."""
    if not isinstance(value, str) or not value.strip():
        yield f"{field} is not a text"
        return
    if value != value.strip() or "\n" in value:
        yield f"{field} is not one paragraph"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value):
        yield f"{field} holds a control character"


def check_source(row):
    """Yield what is wrong with the sources of a row whose code is well formed."""
    if "source" not in row:
        if is_rule(row):
            yield "is a safety rule without source"
        elif is_advice(row):
            yield "is a rule of advice without source"
        return
    given = row["source"] if isinstance(row["source"], list) else [row["source"]]
    if not given:
        yield "source is empty"
    for text in given:
        yield from check_text("source", text)
    if len({str(text) for text in given}) != len(given):
        yield "source names the same twice"


def check_advice(row):
    """Yield where a severity of advice is not one of advice's codes, or the other way round."""
    if is_advice(row) and row["severity"] not in ADVICE_SEVERITIES:
        yield f"severity '{row['severity']}' is none of advice"
    if not is_advice(row) and row["severity"] in ("critical", "notice", "info"):
        yield f"severity '{row['severity']}' is for advice only"


def check_row(row):
    """Yield what is wrong with one row alone."""
    if not isinstance(row, dict):
        yield "is not a mapping"
        return
    for field in row:
        if field not in FIELDS + OPTIONAL:
            yield f"unknown field '{field}'"
    missing = [field for field in FIELDS if field not in row]
    if missing:
        yield "missing " + ", ".join(missing)
        return
    for field in FIELDS:
        if field == "exit":
            continue
        wrong = list(check_text(field, row[field]))
        yield from wrong
        if f"{field} is not a text" in wrong:
            return
    if not re.fullmatch(r"TW[1-9][0-9]{2}", row["code"]) or row["code"][2] not in GROUPS:
        yield f"code '{row['code']}' is not of a known group"
    else:
        yield from check_source(row)
    if row.get("reserved", True) is not True:
        yield "reserved is not true; leave it out"
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", row["name"]):
        yield f"name '{row['name']}' is not kebab-case"
    if row["severity"] not in SEVERITIES:
        yield f"unknown severity '{row['severity']}'"
    elif type(row["exit"]) is not int or row["exit"] not in SEVERITIES[row["severity"]][0]:
        yield f"exit {row['exit']!r} does not go with severity '{row['severity']}'"
    if re.fullmatch(r"TW[0-9]{3}", row["code"]):
        yield from check_advice(row)
    if row["title"].endswith(".") or len(row["title"]) > TITLE_MAX:
        yield f"title ends with a full stop or is longer than {TITLE_MAX} characters"
    for field in ("explanation", "cure"):
        if not row[field].endswith("."):
            yield f"{field} does not end with a full stop"
    if not 2 <= count_sentences(row["explanation"]) + count_sentences(row["cure"]) <= 5:
        yield "explanation and cure together are not two to five sentences"


def check(document):
    """Return (rows, list of what is wrong)."""
    if not isinstance(document, dict) or list(document) != ["diagnostics"]:
        return [], ["the document is not a mapping with the one field 'diagnostics'"]
    rows = document["diagnostics"]
    if not isinstance(rows, list) or not rows:
        return [], ["diagnostics is not a sequence of rows"]
    wrong = []
    seen = {"code": {}, "name": {}}
    previous = ""
    for i, row in enumerate(rows):
        label = row.get("code", f"row {i + 1}") if isinstance(row, dict) else f"row {i + 1}"
        reasons = list(check_row(row))
        wrong += [f"{label}: {reason}" for reason in reasons]
        if reasons:
            continue
        for field, values in seen.items():
            if row[field] in values:
                wrong.append(f"{label}: {field} '{row[field]}' is given twice")
            values[row[field]] = row
        if row["code"] < previous:
            wrong.append(f"{label}: stands behind {previous}; rows are sorted by code")
        previous = row["code"]
    return rows, wrong


def identifier(name):
    return "DIAG_" + name.upper().replace("-", "_")


def c_string(text):
    out = []
    for byte in text.encode():
        if byte in b'"\\?':  # '?' because of trigraphs
            out.append("\\" + chr(byte))
        elif byte < 127:
            out.append(chr(byte))
        else:  # three octal digits cannot run into what follows, as \x could
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


HEADER_TOP = """\
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Generated from schema/diagnostics.yaml by src/gen/registry.py. */
#pragma once

/*
 * The registry of diagnostics: one constant row for each thing that can be said. Rows are sorted by code;
 * a DiagId is the row's index and not stable between versions, the code and the name are.
 */

#include <stddef.h>

typedef enum DiagSeverity {
        DIAG_SEVERITY_REFUSE,
        DIAG_SEVERITY_ACCEPTANCE, /* refused until a profile accepts it */
        DIAG_SEVERITY_PARTIAL,    /* done, but for a part */
        DIAG_SEVERITY_WARNING,
        DIAG_SEVERITY_NOTE,
        /* of the rules of advice, with DIAG_SEVERITY_WARNING: how bad it is for the host; nothing is refused */
        DIAG_SEVERITY_CRITICAL,
        DIAG_SEVERITY_NOTICE,
        DIAG_SEVERITY_INFO,
} DiagSeverity;

typedef enum DiagId {
"""

HEADER_END = """\
} DiagId;

typedef struct DiagRow {
        const char *code; /* "TW417" */
        const char *name; /* "out-of-range" */
        DiagSeverity severity;
        int exit_code;
        const char *title;
        const char *explanation;
        const char *cure;
        const char *example;
        const char *const *sources; /* where it is from; every safety rule has some */
        size_t n_sources;
} DiagRow;

/* Never NULL; everything is borrowed for ever. */
const DiagRow *diag_row(DiagId id);
/* By name or by code; NULL when there is none. */
const DiagRow *diag_row_find(const char *name_or_code);
/* The id of a row of this table. */
DiagId diag_row_id(const DiagRow *row);
size_t diag_row_count(void);
/* "refuse", "acceptance", "partial", "warning", "note", "critical", "notice", "info" */
const char *diag_severity_name(DiagSeverity severity);
/* How the text form calls it: "error", "warning", "note", or as advice does. */
const char *diag_severity_word(DiagSeverity severity);
"""

SOURCE_END = """\

const DiagRow *diag_row(DiagId id) {
        assert((size_t) id < sizeof(rows) / sizeof(rows[0]));
        return &rows[id];
}

const DiagRow *diag_row_find(const char *name_or_code) {
        for (size_t i = 0; i < diag_row_count(); i++)
                if (strcmp(rows[i].name, name_or_code) == 0 || strcmp(rows[i].code, name_or_code) == 0)
                        return &rows[i];
        return NULL;
}

DiagId diag_row_id(const DiagRow *row) {
        return (DiagId) (row - rows);
}

size_t diag_row_count(void) {
        return sizeof(rows) / sizeof(rows[0]);
}

const char *diag_severity_name(DiagSeverity severity) {
        return severity_names[severity];
}

const char *diag_severity_word(DiagSeverity severity) {
        return severity_words[severity];
}
"""


def render_header(rows):
    ids = "".join(f"        {identifier(row['name'])}, /* {row['code']} */\n" for row in rows)
    return HEADER_TOP + ids + HEADER_END


def render_source(rows):
    out = [
        "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n"
        "/* Generated from schema/diagnostics.yaml by src/gen/registry.py. */\n"
        '#include "diag/registry.h"\n\n#include <assert.h>\n#include <string.h>\n'
    ]
    for table, value in (("names", lambda n: n), ("words", lambda n: SEVERITIES[n][1])):
        out.append(f"\nstatic const char *const severity_{table}[] = {{\n")
        for name in SEVERITIES:
            out.append(f"        [DIAG_SEVERITY_{name.upper()}] = {c_string(value(name))},\n")
        out.append("};\n")
    for row in rows:
        if sources(row):
            out.append(f"\nstatic const char *const sources_{row['code']}[] = {{\n")
            out.extend(f"        {c_string(text)},\n" for text in sources(row))
            out.append("};\n")
    out.append("\nstatic const DiagRow rows[] = {\n")
    for row in rows:
        out.append(f"        [{identifier(row['name'])}] = {{\n")
        out.append(f"                .code = {c_string(row['code'])},\n")
        out.append(f"                .name = {c_string(row['name'])},\n")
        out.append(f"                .severity = DIAG_SEVERITY_{row['severity'].upper()},\n")
        out.append(f"                .exit_code = {row['exit']},\n")
        for field in ("title", "explanation", "cure", "example"):
            out.append(f"                .{field} = {c_string(row[field])},\n")
        if sources(row):
            out.append(f"                .sources = sources_{row['code']},\n")
            out.append(f"                .n_sources = {len(sources(row))},\n")
        out.append("        },\n")
    out.append("};\n" + SOURCE_END)
    return "".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input")
    parser.add_argument("--output-dir")
    options = parser.parse_args()
    try:
        with open(options.input, encoding="utf-8") as file:
            document = yaml.load(file, StrictLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        print(f"{options.input}: {error}", file=sys.stderr)
        return 1
    rows, wrong = check(document)
    for line in wrong:
        print(f"{options.input}: {line}", file=sys.stderr)
    if wrong:
        return 1
    if options.output_dir:
        for name, render in (("registry.h", render_header), ("registry.c", render_source)):
            with open(os.path.join(options.output_dir, name), "w", encoding="utf-8") as file:
                file.write(render(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
