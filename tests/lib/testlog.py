#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""testlog.py BUILD: the last `meson test` of a build, as lines RESULT <tab> SUITE/NAME <tab> DETAIL, one per test.

For a skipped test DETAIL is the last line that it printed: a test says there why it cannot run.
"""

import json
import sys


def last_line(row):
    text = (row.get("stdout") or "") + "\n" + (row.get("stderr") or "")
    lines = [x.strip() for x in text.splitlines() if x.strip()]
    return lines[-1] if lines else ""


def suites_of(build):
    """{test: suite}; the log of meson 1.0 does not tell the suite."""
    with open(f"{build}/meson-info/intro-tests.json", encoding="utf-8") as f:
        return {t["name"]: t["suite"][0].split(":")[-1] for t in json.load(f) if t["suite"]}


def main(build):
    suites = suites_of(build)
    with open(f"{build}/meson-logs/testlog.json", encoding="utf-8") as f:
        for line in f:
            row = json.loads(line)
            name = row["name"].split(" / ")[-1]
            if name in suites:
                name = f"{suites[name]}/{name}"
            detail = last_line(row) if row["result"] == "SKIP" else f"exit code {row.get('returncode')}"
            print(row["result"], name, detail.replace("\t", " "), sep="\t")


if __name__ == "__main__":
    main(sys.argv[1])
