#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Generate the JSON schema of profiles, for editors, from what the checker and the catalogue say.

usage: profile-schema.py [--check] [--top DIR] [OUTPUT]

Read are src/model/profile-fields.def (the fields), src/model/profile.h (the limits), schema/sysctls.yaml (the keys)
and schema/diagnostics.yaml (the rules that can be accepted). OUTPUT is schema/profile-1.schema.json unless given;
with --check nothing is written, and exit 1 says that it is out of date.

The dialect is draft-07, as SchemaStore advises. Alternatives are told apart by `type` rather than by anyOf, because
a number ignores `properties` and an object ignores `minimum`: validators then name what is wrong instead of
"not valid under any of the given schemas".
"""

import argparse
import ast
import json
import os
import re
import sys

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from catalogue_reader import read_catalogue  # noqa: E402

FIELD = re.compile(
    r'^PROFILE_FIELD\((\w+),\s*"([^"]+)",\s*(REQUIRED|OPTIONAL),\s*(\w+),\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*")\)$',
    re.MULTILINE,
)
NUMBER = "(0|[1-9][0-9]{0,4})"
PORT = "[1-9][0-9]{0,4}"
WORD = r"^[A-Za-z0-9._+-]{1,64}$"
# profile-unit.c
DURATION = r"^(0|[1-9][0-9]*)(us|ms|s|min|h|d)$"
SIZE = r"^(0|[1-9][0-9]*)(B|KiB|MiB|GiB)$"
# "$" also matches before a last line break in some dialects, so line breaks are excluded like this
ONE_LINE = {"not": {"pattern": r"[\n\t]"}}
NOT_BLANK = {"pattern": r"\S"}
UNIT_TEXT = {
    "us": "In microseconds, or with a unit, as in 500us or 200ms.",
    "ms": "In milliseconds, or with a unit, as in 500ms or 2s.",
    "s": "In seconds, or with a unit, as in 60s, 20min or 2h.",
    "bytes": "In bytes, or with a unit, as in 64KiB or 16MiB.",
    "pages": "In pages of memory.",
}


def read_fields(text):
    """{group: {name: (required, reader, description)}}"""
    if len(FIELD.findall(text)) != len(re.findall(r"^PROFILE_FIELD\(", text, re.MULTILINE)):
        sys.exit("profile-fields.def: a row is not of the form that its head describes")
    groups = {}
    for group, name, presence, reader, _, description in FIELD.findall(text):
        row = (presence == "REQUIRED", reader, ast.literal_eval(description))
        groups.setdefault(group, {})[name] = row
    return groups


def read_limits(text):
    return {name: int(value) for name, value in re.findall(r"^#define PROFILE_(\w+) +(\d+)U?\b", text, re.MULTILINE)}


# ---- values of sysctls ----


def number_schema(row):
    schema = {"type": "integer", "minimum": row["sane"][0], "maximum": row["sane"][1]}
    pattern = {"us": DURATION, "ms": DURATION, "s": DURATION, "bytes": SIZE}.get(row["unit"])
    if pattern:
        schema.update(type=["integer", "string"], pattern=pattern)
    return schema


def value_schema(row):
    kind = row["type"]
    if kind == "enum":
        return {"oneOf": [{"const": c["value"], "description": c["means"]} for c in row["choices"]]}
    if kind in ("bool", "int", "bitmask"):
        return number_schema(row)
    if kind in ("range", "vector"):
        n = row["values"]
        return {"type": "array", "items": number_schema(row), "minItems": n, "maxItems": n}
    if kind == "ports":
        return {
            "type": "array",
            "items": {"type": ["integer", "string"], "minimum": 1, "maximum": 65535, "pattern": f"^{PORT}-{PORT}$"},
        }
    if kind == "string":
        return {"type": "string", "pattern": WORD}
    return {"type": "array", "items": {"type": "string", "pattern": WORD}}


def is_ordered(row):
    """sysctl_spec_is_ordered()"""
    return row["type"] == "int" and row["zero_means"] is None


def key_description(row):
    parts = [row["does"]]
    if row["unit"] in UNIT_TEXT:
        parts.append(UNIT_TEXT[row["unit"]])
    if row["sane"] and row["type"] not in ("bool", "enum", "ports"):
        parts.append(f"From {row['sane'][0]} to {row['sane'][1]}.")
    if row["default"] not in (None, "", []):
        default = row["default"]
        parts.append(f"Default {' '.join(map(str, default)) if isinstance(default, list) else default}.")
    if row["vendor"]:
        parts.append(f"Only on kernels of {row['vendor']}.")
    elif row["since"] and row["since"] > (5, 10, 0):
        parts.append("Since Linux %d.%d." % row["since"][:2])
    if row["myth"]:
        parts.append(f"Myth: {row['myth']}")
    return " ".join(parts)


# ---- the schema ----


class Builder:
    def __init__(self, fields, limits, rows, rules):
        self.fields, self.limits, self.rows, self.rules = fields, limits, rows, rules

    def name(self):
        return {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,%d}$" % (self.limits["NAME_MAX"] - 1)}

    def object(self, group, **more):
        properties, required = {}, []
        for name, (is_required, reader, description) in self.fields[group].items():
            schema = getattr(self, "field_" + reader)()
            properties[name] = {"description": description, **schema}
            if is_required:
                required.append(name)
        schema = {"type": "object", "additionalProperties": False, "properties": properties}
        if required:
            schema["required"] = required
        return {**schema, **more}

    def field_version(self):
        return {"const": self.limits["LANGUAGE_VERSION"]}

    def field_name(self):
        return self.name()

    def field_summary(self):
        return {"type": "string", "maxLength": self.limits["SUMMARY_MAX"], **NOT_BLANK, **ONE_LINE}

    def field_description(self):
        return {"type": "string"}

    def field_include(self):
        return {
            "type": "array",
            "items": self.name(),
            "uniqueItems": True,
            "maxItems": self.limits["MAX_INCLUDES"],
        }

    def field_priority(self):
        return {
            "type": "integer",
            "minimum": 0,
            "maximum": self.limits["MAX_PRIORITY"],
            "default": self.limits["DEFAULT_PRIORITY"],
        }

    def field_profile_when(self):
        return self.object("WHEN", minProperties=1)

    def field_when_kernel(self):
        return {"type": "string", "pattern": rf"^(<=?|=|>=?) ?{NUMBER}\.{NUMBER}(\.{NUMBER})?$"}

    def field_sysctl(self):
        return {
            "type": "object",
            "additionalProperties": False,
            "maxProperties": self.limits["MAX_KEYS"],
            "properties": {row["key"]: self.key(row) for row in self.rows if not row["not_settable_because"]},
        }

    def field_accept(self):
        return {"type": "array", "items": self.object("ACCEPT")}

    def field_accept_rule(self):
        return {"oneOf": [{"const": rule["name"], "description": rule["title"]} for rule in self.rules]}

    def field_accept_reason(self):
        return {"type": "string", **NOT_BLANK, **ONE_LINE}

    def field_setting_when(self):
        return {**self.object("WHEN", minProperties=1), "type": ["string", "object"], "pattern": "^present$"}

    def field_setting_reason(self):
        return {"type": "string", **ONE_LINE}

    # the three that hold a value get it from the key
    def field_setting_value(self):
        return {}

    field_setting_at_least = field_setting_value
    field_setting_at_most = field_setting_value

    def detailed(self, row):
        """The detailed form: exactly one of the values."""
        schema = self.object("SETTING")
        values = ["value", "at-least", "at-most"] if is_ordered(row) else ["value"]
        for name in ("value", "at-least", "at-most"):
            if name in values:
                schema["properties"][name].update(value_schema(row))
            else:
                del schema["properties"][name]
        for name in ("when", "reason"):
            schema["properties"][name] = {"$ref": f"#/definitions/{name}"}
        if len(values) == 1:
            schema["required"] = values
        else:
            schema["anyOf"] = [{"required": [name]} for name in values]
            schema["dependencies"] = {
                name: {"properties": {other: False for other in values if other != name}} for name in values
            }
        return schema

    def key(self, row):
        short, detailed = value_schema(row), self.detailed(row)
        schema = {"description": key_description(row)}
        if "oneOf" in short:
            return {**schema, "oneOf": short["oneOf"] + [detailed]}
        types = short["type"] if isinstance(short["type"], list) else [short["type"]]
        return {**schema, **detailed, **short, "type": types + ["object"]}

    def build(self):
        definitions = {
            name: {"description": description, **getattr(self, "field_" + reader)()}
            for name, (_, reader, description) in self.fields["SETTING"].items()
            if name in ("when", "reason")
        }
        version = self.limits["LANGUAGE_VERSION"]
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": f"urn:twprofile:profile:{version}",
            "title": f"twprofile profile, version {version}",
            "description": "A vetted set of sysctl values. Generated by src/gen/profile-schema.py; see twprofile-profile(5).",
            **self.object("TOP"),
            "definitions": definitions,
        }


def generate(top):
    def text(*path):
        with open(os.path.join(top, *path), encoding="utf-8") as file:
            return file.read()

    rows, problems = read_catalogue(text("schema", "sysctls.yaml"))
    if problems:
        sys.exit("\n".join(f"schema/sysctls.yaml:{p.line}: {p.text}" for p in problems))
    registry = yaml.safe_load(text("schema", "diagnostics.yaml"))["diagnostics"]
    rules = [row for row in registry if row["severity"] == "acceptance"]
    fields = read_fields(text("src", "model", "profile-fields.def"))
    builder = Builder(fields, read_limits(text("src", "model", "profile.h")), rows, rules)
    return json.dumps(builder.build(), indent=2, ensure_ascii=False) + "\n"


def main():
    default_top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--top", default=default_top)
    parser.add_argument("output", nargs="?")
    options = parser.parse_args()
    output = options.output or os.path.join(options.top, "schema", "profile-1.schema.json")
    schema = generate(options.top)
    if not options.check:
        with open(output, "w", encoding="utf-8") as file:
            file.write(schema)
        return 0
    try:
        with open(output, encoding="utf-8") as file:
            current = file.read()
    except FileNotFoundError:
        current = ""
    if current != schema:
        print(f"{output} is out of date: run src/gen/profile-schema.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
