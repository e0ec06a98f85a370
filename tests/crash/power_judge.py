# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a machine shows after its power was cut and it booted again, judged by tests/crash/judge.py.

    machine = read_snapshot(tar)                       of tests/crash/power-inside
    name, faults = Power(states).judge(machine, before, expected)

`states`: profiles -> machine, of a run without a cut. `before`: the last machine that was seen, in the boot before.
`expected`: what may be, and what was acknowledged since.

The rules of a kill hold, with these differences. Bytes in the journal behind its last good frame are ordinary, and so is
the remains of a line in the audit log that a record `torn` with its hash follows: the power tears what SIGKILL does not.
"""

import hashlib
import io
import json
import re
import tarfile
from typing import NamedTuple

import evidence
import judge
from evidence import LOG_DIR, Machine

PROC = "/proc/sys/"
BOOT_ID = "kernel/random/boot_id"
# Of the memory that the kernel found at boot, or made by chance
CHANGING = ("net/ipv4/tcp_mem", "net/ipv4/udp_mem", "net/ipv4/tcp_fastopen_key")
ORDINARY = re.compile(r"journal: bytes at \d+ that belong to no frame|audit: record \d+ tells of a tear")


class Expected(NamedTuple):
    may_be: list        # (word, profiles, generation number)
    acknowledged: list  # generation numbers


def read_snapshot(data):
    machine = Machine()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            if not member.isfile():
                continue
            content, path = tar.extractfile(member).read(), "/" + member.name
            if path == "/run/values":
                machine.values = dict(read_values(content.decode()))
                machine.boot_id = machine.values.pop(BOOT_ID)
            else:
                machine.files[path], machine.modes[path] = content, member.mode & 0o7777
    return machine


def read_values(text):
    for line in text.splitlines():
        path, _, value = line.partition(":")
        if path[len(PROC):] not in CHANGING:
            yield path[len(PROC):], value


def profiles_of(generation):
    return frozenset(p["files"][0]["name"] for p in generation["profiles"]) if generation else frozenset()


def settings_of(machine):
    return evidence.parse_fragment(machine.fragment.decode()) if machine.fragment is not None else None


def without_tears(data, faults):
    """The file without the remains of torn lines, each of which has to be told of by the next line."""
    whole, at = [], 0
    lines = data.split(b"\n")
    for line, following in zip(lines, lines[1:] + [b""]):
        try:
            json.loads(line.decode("utf-8")) if line else None
            whole.append(line)
        except ValueError:
            if not is_told(line, at, following):
                faults.append(f"audit: {len(line)} bytes at {at} are no record, and no 'torn' tells of them")
        at += len(line) + 1
    return b"\n".join(whole)


def is_told(remains, at, line):
    try:
        torn = json.loads(line.decode("utf-8"))["torn"]
    except (ValueError, KeyError, TypeError):
        return False
    return (torn["offset"], torn["length"], torn["sha256"]) == (at, len(remains), hashlib.sha256(remains).hexdigest())


def with_whole_log(machine, faults):
    """The machine as if no line had been torn."""
    whole = Machine()
    whole.boot_id, whole.values, whole.modes = machine.boot_id, machine.values, machine.modes
    whole.files = {path: without_tears(data, faults) if path.startswith(LOG_DIR + "/") else data
                   for path, data in machine.files.items()}
    return whole


class Power:
    def __init__(self, states):
        self.states = states

    def judge(self, machine, before, expected):
        """(word of what it is or "neither", [fault, …])"""
        faults = []
        whole = with_whole_log(machine, faults)
        parts, generation, outcomes = judge.examine(whole, with_whole_log(before, []), faults)
        word = self.compare(machine, generation, expected, faults)
        self.check_derived(parts, generation, faults)
        if parts["waiting"] is not None:
            faults.append("window: a change awaits confirmation after the boot")
        told = {r["gen"]["to"] for r in outcomes.values() if r["res"]["outcome"] in ("applied", "redone")}
        for number in expected.acknowledged:
            if number not in told:
                faults.append(f"audit: no outcome of generation {number}, which was acknowledged")
        return word, [fault for fault in faults if not ORDINARY.search(fault)]

    def compare(self, machine, generation, expected, faults):
        """Records, values and fragment are those of one and the same of the states that may be."""
        profiles, number = profiles_of(generation), generation["number"] if generation else 0
        words = [word for word, *state in expected.may_be if state == [profiles, number]]
        if not words:
            wanted = " or ".join(f"{word}: generation {n} with {sorted(p)}" for word, p, n in expected.may_be)
            faults.append(f"state: generation {number} with {sorted(profiles)}; may be {wanted}")
            acknowledged = max(expected.acknowledged, default=0)
            if number < acknowledged:
                faults.append(f"state: generation {acknowledged} was acknowledged, and is lost")
        wanted = self.states.get(profiles)
        if wanted is None:
            faults.append(f"state: no request led to {sorted(profiles)}")
            return "neither"
        if settings_of(machine) != settings_of(wanted):
            faults.append(f"fragment: it is not that of {sorted(profiles)}: {settings_of(machine)}")
        for name in sorted(wanted.values.keys() | machine.values.keys()):
            if machine.values.get(name) != wanted.values.get(name):
                faults.append(f"values: {name} is {machine.values.get(name)!r}, with {sorted(profiles)} it was "
                              f"{wanted.values.get(name)!r}")
        return words[0] if words else "neither"

    @staticmethod
    def check_derived(parts, generation, faults):
        """Generation files up to the current one and none behind it, the marker, the public view."""
        number = generation["number"] if generation else 0
        there = parts["generations"]
        if generation and there.get(number) != parts["journal"]:
            faults.append(f"generations: {number}.json is missing or another one")
        if there and (max(there) != number or sorted(there) != list(range(min(there), number + 1))):
            faults.append(f"generations: there are {sorted(there)}, the current one is {number}")
        is_enabled = bool(generation and generation["profiles"])
        if (parts["marker"] is not None) != is_enabled:
            faults.append(f"marker: it is {'there' if parts['marker'] is not None else 'missing'}, and "
                          f"{'something' if is_enabled else 'nothing'} is enabled")
        shown = parts["status"][0] or 0 if generation else 0
        if shown != number or parts["status"][1]:
            faults.append(f"status: it shows generation {parts['status']}, the current one is {number}")
