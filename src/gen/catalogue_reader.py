# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads schema/sysctls.yaml strictly: what is not exactly as the head of that file says is a Problem
with its line, and all problems are collected before anybody gives up.

    rows, problems = read_catalogue(text)

A row is a dict with every field of FIELDS, in Python's types: numbers as int, versions as (major, minor,
patch) or None, lists as lists. Generators of C, documents or schemas share this reader, so that they
cannot disagree about what the catalogue says.
"""

import re
import unicodedata
from typing import Any, Callable, NamedTuple

import yaml

KERNEL_FLOOR = (5, 10, 0)
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1

TYPES = ("bool", "enum", "int", "bitmask", "range", "vector", "ports", "string", "strings")
UNITS = ("none", "us", "ms", "s", "bytes", "pages", "count")
SCOPES = ("netns", "host")
# what a new network namespace begins with, by scope
NEW_NAMESPACE = {"netns": ("default", "computed", "copied", "absent"), "host": ("absent", "read-only", "same")}
ROUNDINGS = ("none", "jiffies-ms", "pointer-page")
RISKS = ("safe", "caution", "dangerous")
LEVELS = RISKS + ("refuse",)


class Problem(NamedTuple):
    line: int
    text: str


class Refused(Exception):
    """A node that is not what its field wants."""

    def __init__(self, node: yaml.Node, text: str):
        super().__init__(text)
        self.problem = Problem(line_of(node), text)


def line_of(node: yaml.Node) -> int:
    return node.start_mark.line + 1


# ---- one reader per kind of field: node -> value, or Refused ----


def is_null(node: yaml.Node) -> bool:
    return node.tag == "tag:yaml.org,2002:null"


def read_text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
        raise Refused(node, "wants a text (quote it when YAML takes it for something else)")
    if node.value.strip() == "":
        raise Refused(node, "must not be empty")
    return check_characters(node)


def check_characters(node: yaml.ScalarNode) -> str:
    if node.value != node.value.strip():
        raise Refused(node, "has blanks at its ends")
    for c in node.value:
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            raise Refused(node, f"holds the control character U+{ord(c):04X}")
    return node.value


def read_number(node: yaml.Node) -> int:
    if not isinstance(node, yaml.ScalarNode) or not re.fullmatch(r"0|-?[1-9][0-9]*", node.value):
        raise Refused(node, "wants a plain decimal number")
    if node.tag != "tag:yaml.org,2002:int":
        raise Refused(node, "wants a number, not a quoted text")
    value = int(node.value)
    if not INT64_MIN <= value <= INT64_MAX:
        raise Refused(node, "does not fit into 64 bits")
    return value


def read_boolean(node: yaml.Node) -> bool:
    if node.tag != "tag:yaml.org,2002:bool" or node.value not in ("true", "false"):
        raise Refused(node, "wants true or false")
    return node.value == "true"


def read_version(node: yaml.Node) -> tuple[int, int, int]:
    match = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?", read_text(node))
    if not match:
        raise Refused(node, "wants a kernel version such as '5.10' or '2.6.35'")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def read_list(node: yaml.Node, read: Callable[[yaml.Node], Any]) -> list:
    if not isinstance(node, yaml.SequenceNode):
        raise Refused(node, "wants a list")
    return [read(item) for item in node.value]


def read_pair(node: yaml.Node) -> tuple[int, int]:
    values = read_list(node, read_number)
    if len(values) != 2:
        raise Refused(node, "wants two numbers, [lowest, highest]")
    if values[0] > values[1]:
        raise Refused(node, f"has its lowest value {values[0]} above its highest {values[1]}")
    return values[0], values[1]


def read_sources(node: yaml.Node) -> list[str]:
    sources = read_list(node, read_text)
    if not sources:
        raise Refused(node, "is empty: every row needs a source")
    return sources


def read_default(node: yaml.Node) -> Any:
    """A number, a list of numbers, a text ('' is the empty port set), or None."""
    if is_null(node):
        return None
    if isinstance(node, yaml.SequenceNode):
        return read_list(node, read_number)
    if node.tag == "tag:yaml.org,2002:int":
        return read_number(node)
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
        raise Refused(node, "wants a number, a list of numbers, a text or null")
    return check_characters(node)


def read_was(node: yaml.Node) -> Any:
    """What an older kernel had in another field: numbers, or a text."""
    if isinstance(node, yaml.SequenceNode):
        return read_list(node, read_number)
    return read_number(node) if node.tag == "tag:yaml.org,2002:int" else read_text(node)


def word(pattern: str, example: str) -> Callable[[yaml.Node], str]:
    def read(node: yaml.Node) -> str:
        value = read_text(node)
        if not re.fullmatch(pattern, value):
            raise Refused(node, f"'{value}' is not of the form '{example}'")
        return value

    return read


def one_of(names: tuple[str, ...]) -> Callable[[yaml.Node], str]:
    def read(node: yaml.Node) -> str:
        value = read_text(node)
        if value not in names:
            raise Refused(node, f"'{value}' is none of {', '.join(names)}")
        return value

    return read


def or_null(read: Callable[[yaml.Node], Any]) -> Callable[[yaml.Node], Any]:
    return lambda node: None if is_null(node) else read(node)


def list_of(read: Callable[[yaml.Node], Any]) -> Callable[[yaml.Node], list]:
    return lambda node: read_list(node, read)


def record(fields: dict[str, Callable[[yaml.Node], Any]]) -> Callable[[yaml.Node], dict]:
    """A small mapping inside a row; its first problem refuses it."""

    def read(node: yaml.Node) -> dict:
        problems: list[Problem] = []
        values, _ = read_mapping(node, fields, "", problems)
        if problems:
            raise Refused(node, problems[0].text)
        return values

    return read


def read_mapping(node: yaml.Node, fields: dict, what: str, problems: list[Problem]):
    """Reads a mapping that must have exactly `fields`, in their order. Gives the values and the lines of
    what could be read; everything else becomes a problem."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    if not isinstance(node, yaml.MappingNode):
        problems.append(Problem(line_of(node), f"{what}wants a mapping"))
        return values, lines

    seen: list[str] = []
    for name_node, value_node in node.value:
        name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
        if name not in fields:
            problems.append(Problem(line_of(name_node), f"{what}unknown field '{name}'"))
            continue
        if name in seen:
            problems.append(Problem(line_of(name_node), f"{what}field '{name}' is given twice"))
            continue
        seen.append(name)
        lines[name] = line_of(value_node)
        try:
            values[name] = fields[name](value_node)
        except Refused as refused:
            text = f"{what}field '{name}' {refused.problem.text}"
            problems.append(Problem(refused.problem.line, text))

    for name in fields:
        if name not in seen:
            problems.append(Problem(line_of(node), f"{what}field '{name}' is missing"))
    if seen != [name for name in fields if name in seen]:
        problems.append(Problem(line_of(node), f"{what}fields are not in the documented order"))
    return values, lines


# ---- the row ----

MODULE = word(r"[a-z0-9_]+", "nf_conntrack")
CHOICE = record({"value": read_number, "means": read_text})
OLDER_FIELDS = ("kernel", "default", "new_namespace")
OLDER = record({"before": read_version, "field": one_of(OLDER_FIELDS), "was": read_was})
RULE = record({"when": read_text, "level": one_of(LEVELS), "reason": or_null(read_text)})

FIELDS: dict[str, Callable[[yaml.Node], Any]] = {
    "key": word(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", "net.ipv4.tcp_tw_reuse"),
    "group": word(r"[a-z][a-z0-9-]*", "time-wait"),
    "type": one_of(TYPES),
    "unit": one_of(UNITS),
    "values": read_number,
    "ascending": read_boolean,
    "kernel": or_null(read_pair),
    "sane": or_null(read_pair),
    "rounding": one_of(ROUNDINGS),
    "choices": list_of(CHOICE),
    "zero_means": or_null(read_text),
    "default": read_default,
    "default_note": or_null(read_text),
    "since": or_null(read_version),
    "until": or_null(read_version),
    "backported": list_of(read_version),
    "vendor": or_null(read_text),
    "scope": one_of(SCOPES),
    "scope_since": or_null(read_version),
    "new_namespace": one_of(tuple(sorted({name for names in NEW_NAMESPACE.values() for name in names}))),
    "older": list_of(OLDER),
    "module": or_null(MODULE),
    "not_settable_because": or_null(read_text),
    "rehearsable": read_boolean,
    "write_order": read_number,
    "risk": one_of(RISKS),
    "risk_reason": read_text,
    "does": read_text,
    "myth": or_null(read_text),
    "replacement": or_null(read_text),
    "interactions": list_of(read_text),
    "rules": list_of(RULE),
    "sources": read_sources,
}

TOP = {"version": read_number, "tested_kernel": read_version, "modules": list_of(MODULE),
       "vendors": list_of(read_text), "keys": lambda node: node}


# ---- what the fields of one row must be to each other: (field, message) ----

SCALARS = ("bool", "enum", "int", "bitmask")
WITH_NUMBERS = SCALARS + ("range", "vector", "ports")


def check_shape(row: dict):
    wanted = {"range": (2,), "vector": (2, 3)}.get(row["type"], (1,))
    if row["values"] not in wanted:
        yield "values", f"is {row['values']}, which a {row['type']} cannot have"
    if row["ascending"] and row["type"] not in ("range", "vector"):
        yield "ascending", f"makes no sense for a {row['type']}"
    if row["unit"] != "none" and row["type"] not in ("int", "vector"):
        yield "unit", f"must be none for a {row['type']}"
    if row["zero_means"] is not None and row["type"] != "int":
        yield "zero_means", "is for the type int only"


def check_ranges(row: dict):
    kernel, sane = row["kernel"], row["sane"]
    for name in ("kernel", "sane"):
        if (row[name] is not None) != (row["type"] in WITH_NUMBERS):
            yield name, f"must {'not ' if row[name] is None else ''}be null for a {row['type']}"
            return
    if kernel is None:
        return
    if sane[0] < kernel[0] or sane[1] > kernel[1]:
        yield "sane", f"{list(sane)} is not inside what the kernel takes, {list(kernel)}"
    if sane[0] < 0:
        yield "sane", "allows negative numbers"
    if row["type"] == "bool" and sane != (0, 1):
        yield "sane", "must be [0, 1] for a bool"
    if row["type"] == "ports" and (kernel[0] < 0 or kernel[1] > 65535):
        yield "kernel", "is not inside 0..65535, as ports are"


def check_choices(row: dict):
    values = [choice["value"] for choice in row["choices"]]
    if row["type"] not in ("enum", "bitmask"):
        if values:
            yield "choices", f"must be empty for a {row['type']}"
        return
    if not values:
        yield "choices", f"must not be empty for a {row['type']}"
    if values != sorted(set(values)):
        yield "choices", "are not sorted, or hold one twice"
    if row["sane"] is not None and any(not row["sane"][0] <= v <= row["sane"][1] for v in values):
        yield "choices", "are not all inside the sane range"
    if row["type"] == "bitmask" and any(v <= 0 or v & (v - 1) for v in values):
        yield "choices", "of a bitmask must each be one bit"


def check_default(row: dict):
    default = row["default"]
    if default is None:
        if row["default_note"] is None and row["not_settable_because"] is None:
            yield "default_note", "must say what the default is when it is no constant"
        return
    if row["type"] in ("range", "vector"):
        if not isinstance(default, list) or len(default) != row["values"]:
            yield "default", f"must be a list of {row['values']} numbers"
            return
    elif not isinstance(default, int if row["type"] in SCALARS else str):
        yield "default", f"is not of the type {row['type']}"
        return
    numbers = default if isinstance(default, list) else [default] if row["type"] in SCALARS else []
    if row["sane"] is not None and any(not row["sane"][0] <= n <= row["sane"][1] for n in numbers):
        yield "default", "is outside the sane range"
    if row["ascending"] and numbers != sorted(numbers):
        yield "default", "does not ascend"
    if row["type"] == "enum" and default not in [choice["value"] for choice in row["choices"]]:
        yield "default", "is none of the choices"
    if row["type"] == "ports" and not re.fullmatch(r"(\d+(-\d+)?(,\d+(-\d+)?)*)?", default):
        yield "default", "is not a port list"


def check_versions(row: dict):
    since, until = row["since"], row["until"]
    if since is not None and until is not None and until <= since:
        yield "until", "is not after since"
    if until is not None and until <= KERNEL_FLOOR and row["not_settable_because"] is None:
        yield "until", "is below every supported kernel, so not_settable_because must say so"
    if row["scope"] == "host" and row["scope_since"] is not None:
        yield "scope_since", "is for the scope netns only"
    if since is not None and row["scope_since"] is not None and row["scope_since"] < since:
        yield "scope_since", "is before since"


def check_backported(row: dict):
    if row["backported"] and row["since"] is None:
        yield "backported", "makes no sense for a key without since"
    elif row["backported"] != sorted(row["backported"]) or any(version >= row["since"] for version in row["backported"]):
        yield "backported", "wants versions before since, ascending"


def fits_older(row: dict, field: str, was: Any) -> bool:
    """Whether an older value could stand in the field itself."""
    if field == "new_namespace":
        return was in NEW_NAMESPACE[row["scope"]]
    if field == "kernel":
        return row["kernel"] is not None and isinstance(was, list) and len(was) == 2 and was[0] <= was[1]
    if row["type"] in ("range", "vector"):
        return isinstance(was, list) and len(was) == row["values"]
    return isinstance(was, int if row["type"] in SCALARS else str)


def check_older(row: dict):
    places = [(OLDER_FIELDS.index(entry["field"]), entry["before"]) for entry in row["older"]]
    if places != sorted(set(places)):
        yield "older", f"wants each field once for a version, in the order {', '.join(OLDER_FIELDS)}, ascending"
    for entry in row["older"]:
        if row["since"] is not None and entry["before"] <= row["since"]:
            yield "older", "speaks of versions before since"
        if not fits_older(row, entry["field"], entry["was"]):
            yield "older", f"has a value that the field '{entry['field']}' cannot have"
        elif entry["was"] == (list(row["kernel"]) if entry["field"] == "kernel" else row[entry["field"]]):
            yield "older", f"says of the field '{entry['field']}' what the field says"


def check_namespace(row: dict):
    names = NEW_NAMESPACE[row["scope"]]
    if row["new_namespace"] not in names:
        yield "new_namespace", f"must be {', '.join(names[:-1])} or {names[-1]} for the scope {row['scope']}"
    if row["new_namespace"] == "computed" and row["default"] is not None:
        yield "new_namespace", "is computed, so default cannot be a constant"
    settable = row["not_settable_because"] is None
    if settable and row["scope"] == "host" and not row["key"].startswith("net."):
        yield "not_settable_because", "must say why: only /proc/sys/net can be written, and this is host-wide"


def check_rounding(row: dict):
    if row["rounding"] == "jiffies-ms" and row["unit"] != "ms":
        yield "rounding", "by jiffies-ms is for the unit ms"
    if row["rounding"] == "pointer-page" and (row["type"], row["unit"]) != ("int", "count"):
        yield "rounding", "by pointer-page is for an int that counts"


def check_vendor(row: dict):
    if row["vendor"] is None:
        return
    for name in ("since", "until", "scope_since"):
        if row[name] is not None:
            yield name, "is of mainline, which does not have a vendor's key"


# below these folders a module registers every file
OF_MODULES = {"net.netfilter.": "nf_conntrack or another", "net.nf_conntrack_": "nf_conntrack", "net.ipv4.vs.": "ip_vs"}


def check_module(row: dict):
    for folder, module in OF_MODULES.items():
        if row["key"].startswith(folder) and row["module"] is None:
            yield "module", f"must name the module, {module}, that registers {folder}*"


def check_rules(row: dict):
    whens = [rule["when"] for rule in row["rules"]]
    if len(set(whens)) != len(whens):
        yield "rules", "judge the same values twice"
    if any(rule["level"] != "safe" and rule["reason"] is None for rule in row["rules"]):
        yield "rules", "must say why a value is not safe"


def check_order(row: dict):
    if not 0 <= row["write_order"] <= 99:
        yield "write_order", "is not inside 0..99"


CHECKS = (check_shape, check_ranges, check_choices, check_default, check_versions, check_backported, check_older,
          check_namespace, check_rounding, check_vendor, check_module, check_rules, check_order)


MENTION = re.compile(r"\b(?:net|fs|vm|kernel)(?:\.[a-z0-9_-]*[a-z0-9_])+(?![\w*/.-]*[*/])")
MENTIONING = ("default_note", "risk_reason", "does", "myth", "replacement", "interactions")


def mentions(row: dict):
    """(field, key) for every sysctl that the texts of a row name in full."""
    for field in MENTIONING:
        texts = row[field] if isinstance(row[field], list) else [row[field] or ""]
        for text in texts:
            for key in MENTION.findall(text):
                yield field, key


def check_declared(rows: list[dict], lines: list[dict], top: dict, problems: list[Problem]) -> None:
    """What rows name must exist: keys as rows, modules and vendors in the lists at the top."""
    known = {row["key"] for row in rows}
    for row, line in zip(rows, lines):
        if len(row) < len(FIELDS):
            continue
        what = f"{row['key']}: field "
        for field, key in mentions(row):
            if key not in known:
                problems.append(Problem(line[field], f"{what}'{field}' names '{key}', which has no row"))
            elif key == row["key"] and field == "interactions":
                problems.append(Problem(line[field], f"{what}'interactions' names the key itself"))
        for field in ("module", "vendor"):
            if row[field] is not None and row[field] not in top.get(field + "s", [row[field]]):
                text = f"{what}'{field}' '{row[field]}' is not among the {field}s at the top"
                problems.append(Problem(line[field], text))
    for field in ("module", "vendor"):
        used = {row.get(field) for row in rows}
        for name in top.get(field + "s", []):
            if name not in used:
                problems.append(Problem(1, f"the {field} '{name}' at the top has no row"))


def read_row(node: yaml.Node, problems: list[Problem]) -> tuple[dict | None, dict]:
    values, lines = read_mapping(node, FIELDS, "", problems)
    what = f"{values['key']}: " if "key" in values else ""
    if len(values) < len(FIELDS):
        return ({"key": values["key"]} if "key" in values else None), lines
    for check in CHECKS:
        for field, text in check(values):
            problems.append(Problem(lines[field], f"{what}field '{field}' {text}"))
    return values, lines


def check_sequence(rows: list[tuple[int, str]], problems: list[Problem]) -> None:
    for (_, before), (line, key) in zip(rows, rows[1:]):
        if key == before:
            problems.append(Problem(line, f"key '{key}' is given twice"))
        elif key < before:
            problems.append(Problem(line, f"key '{key}' must stand before '{before}': rows are sorted"))


def refuse_references(text: str, problems: list[Problem]) -> None:
    """One row must be readable by itself: no anchors, aliases or tags."""
    for token in yaml.scan(text):
        if isinstance(token, (yaml.AliasToken, yaml.AnchorToken, yaml.TagToken)):
            line = token.start_mark.line + 1
            problems.append(Problem(line, "anchors, aliases and tags are not allowed"))


def read_catalogue(text: str) -> tuple[list[dict], list[Problem]]:
    """All rows, and everything that is wrong, sorted by line. Rows are whole only without problems."""
    problems: list[Problem] = []
    try:
        refuse_references(text, problems)
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return [], [Problem(line, f"not YAML: {error.problem}")]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return [], [Problem(line, f"not YAML: {error.reason}: U+{error.character:04X}")]
    if top is None:
        return [], [Problem(1, "the file is empty")]

    values, _ = read_mapping(top, TOP, "", problems)
    if values.get("version", 1) != 1:
        problems.append(Problem(1, "only version 1 of the format is known"))

    rows: list[dict] = []
    fields: list[dict] = []
    keys: list[tuple[int, str]] = []
    nodes = values.get("keys")
    if nodes is not None and not (isinstance(nodes, yaml.SequenceNode) and nodes.value):
        problems.append(Problem(line_of(nodes), "field 'keys' wants a list with at least one row"))
    for node in nodes.value if isinstance(nodes, yaml.SequenceNode) else ():
        row, lines = read_row(node, problems)
        if row is not None:
            rows.append(row)
            fields.append(lines)
            keys.append((line_of(node), row["key"]))
    check_sequence(keys, problems)
    check_declared(rows, fields, values, problems)
    return rows, sorted(problems)
