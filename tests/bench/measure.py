# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs of the stopwatch and what follows from them: medians, and ratios taken within each round."""

import statistics
import subprocess
from collections import defaultdict
from typing import NamedTuple


class Run(NamedTuple):
    wall: float  # ms
    cpu: float  # ms
    rss: int  # KiB


class Spread(NamedTuple):
    """Median and the quarters below and above it."""

    low: float
    middle: float
    high: float

    def text(self, digits=2):
        return f"{self.middle:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def spread(values):
    values = sorted(values)
    if len(values) < 4:
        middle = statistics.median(values)
        return Spread(values[0], middle, values[-1])
    low, middle, high = statistics.quantiles(values, n=4)
    return Spread(low, middle, high)


class Runs:
    """All runs of one plan, by contestant; element i of each list is round i."""

    def __init__(self, text):
        rounds = defaultdict(dict)
        for line in text.splitlines():
            number, name, wall, cpu, rss = line.split(" ")
            rounds[int(number)][name] = Run(int(wall) / 1e6, int(cpu) / 1e6, int(rss))
        self.rounds = [rounds[number] for number in sorted(rounds)]

    def column(self, name, field):
        return [getattr(one[name], field) for one in self.rounds]

    def median(self, name, field="wall"):
        return statistics.median(self.column(name, field))

    def highest(self, name, field):
        return max(self.column(name, field))

    def ratio(self, name, peer, field="wall"):
        """How many times as much `name` takes as `peer`, round by round."""
        return spread(a / b for a, b in zip(self.column(name, field), self.column(peer, field)))

    def beyond(self, name, base, field):
        """The median of what `name` takes more than `base`."""
        return statistics.median(a - b for a, b in zip(self.column(name, field), self.column(base, field)))


def write_plan(path, contestants):
    """contestants: name → directives, each a text such as "run /bin/true"."""
    with open(path, "w", encoding="utf-8") as file:
        for name, directives in contestants.items():
            file.write(f"contestant {name}\n")
            file.writelines(line + "\n" for line in directives)


def stopwatch(program, plan, contestants, rounds):
    write_plan(plan, contestants)
    done = subprocess.run([program, plan, str(rounds)], stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: the stopwatch stopped; contestants: {', '.join(contestants)}")
    return Runs(done.stdout)
