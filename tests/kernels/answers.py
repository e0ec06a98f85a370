# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files that tests/kernels works with: rows of the catalogue and the answers of kernels.

    read_rows(path)                   the catalogue; ends the program when it has faults of its own
    read_answers(path)                what tests/kernels/ask wrote
    kernel_of(answers)                the kernel that answered
    all_differences(rows, answers)    everything in which it departs from the catalogue
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "src", "gen"))
CATALOGUE = os.path.join(TOP, "schema", "sysctls.yaml")
TABLE = os.path.join(HERE, "table.json")

from catalogue_reader import read_catalogue  # noqa: E402
from judge import Difference, Kernel, differences  # noqa: E402


def kernel_of(answers):
    name = ".".join(answers["release"].split(".")[:2])
    return Kernel(name, answers["release"], answers["first"], None if answers["first"] else answers["modules"])


def all_differences(rows, answers):
    """Differences of one kernel; a key that was not asked is one too."""
    kernel = kernel_of(answers)
    for row in rows:
        seen = answers["keys"].get(row["key"])
        if seen is None:
            yield Difference(row["key"], kernel.name, "asked", "yes", "no")
        else:
            yield from differences(row, seen, kernel)


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        rows, problems = read_catalogue(file.read())
    if problems:
        sys.exit("\n".join(f"{path}:{problem.line}: {problem.text}" for problem in problems))
    return rows


def read_answers(path):
    with open(path, encoding="ascii") as file:
        return json.load(file)
