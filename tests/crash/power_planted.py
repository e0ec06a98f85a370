# SPDX-License-Identifier: LGPL-2.1-or-later
"""What power_judge.py has to find, planted in the snapshots of a run without a cut; and what it must let pass.

    for name, problem in check(power, states): …     problem: "" when the judge said what it has to
"""

import copy
import hashlib
import json

from evidence import FRAGMENT, LOG_DIR, STATE_DIR, SYSCTL_DIR
from power_judge import Expected
from power_plan import NOTHING, ONE, TWO

LOG = f"{LOG_DIR}/audit-1.ndjson"
REMAINS = b'{"boot":"0'


def lines_of(machine):
    return machine.files[LOG].split(b"\n")[:-1]


def set_lines(machine, lines):
    machine.files[LOG] = b"".join(line + b"\n" for line in lines)


def tear(machine, is_told=True, remains=REMAINS):
    """A write that the power interrupted, and the record that the next writer adds."""
    lines = lines_of(machine)
    torn = {"offset": len(machine.files[LOG]), "length": len(REMAINS), "sha256": hashlib.sha256(REMAINS).hexdigest()}
    record = {"ev": "torn", "seq": len(lines) + 1, "prev": hashlib.sha256(lines[-1]).hexdigest(), "torn": torn, "v": 1}
    told = [json.dumps(record, sort_keys=True, separators=(",", ":")).encode()] if is_told else []
    set_lines(machine, lines + [remains] + told)


def drop_line(machine):
    lines = lines_of(machine)
    set_lines(machine, lines[:2] + lines[3:])


def garbage_in_journal(machine):
    data = machine.files[f"{STATE_DIR}/journal"]
    machine.files[f"{STATE_DIR}/journal"] = data[:-64] + b"\x55" * 64


def tear_frame(machine):
    data = machine.files[f"{STATE_DIR}/journal"]
    end = len(data.rstrip(b"\0"))
    machine.files[f"{STATE_DIR}/journal"] = data[:end - 3] + bytes(len(data) - end + 3)


def hand_over(other, *names):
    def change(machine):
        for name in names:
            machine.files[name] = other.files[name]
    return change


def plants(states):
    """(name, part of what the judge has to say, or None when it must find nothing, change)"""
    fragment, status = f"{SYSCTL_DIR}/{FRAGMENT}", "/run/twprofile/status.json"
    yield "nothing", None, lambda m: None
    yield "a tear that is told", None, tear
    yield "bytes behind the journal's last frame", None, garbage_in_journal
    yield "a tear that nothing tells of", "no 'torn' tells", lambda m: tear(m, is_told=False)
    yield "a tear of other bytes", "no 'torn' tells", lambda m: tear(m, remains=REMAINS + b"1")
    yield "a record that is gone", "chain is broken", drop_line
    yield "a shorter log", "lost what it had", lambda m: set_lines(m, lines_of(m)[:1])
    yield "an outcome that is gone", "no outcome", lambda m: set_lines(m, lines_of(m)[:-1])
    yield "the last frame torn", "not 'done'", tear_frame
    yield "values of before", "values: ", lambda m: m.values.update(states[ONE].values)
    yield "one value of before", "values: ", lambda m: m.values.update({"net/core/somaxconn": "4096"})
    yield "the fragment of before", "fragment: ", hand_over(states[ONE], fragment)
    yield "no fragment", "fragment: it is missing", lambda m: m.files.pop(fragment)
    yield "the view of before", "status: ", hand_over(states[ONE], status)
    yield "no generation file", "generations: ", lambda m: m.files.pop(f"{STATE_DIR}/generations/2.json")
    yield "no marker", "marker: ", lambda m: m.files.pop(f"{STATE_DIR}/enabled")
    yield "a temporary file", "a file is left", lambda m: m.files.update({f"{SYSCTL_DIR}/.60-x": b""})
    yield "a change that waits", "pending: ", lambda m: m.files.update({"/run/twprofile/pending": b"{}"})


def check(power, states):
    expected = Expected([("old", ONE, 1), ("new", TWO, 2)], [1])
    for name, part, change in plants(states):
        machine = copy.deepcopy(states[TWO])
        change(machine)
        word, faults = power.judge(machine, states[ONE], expected)
        if part is None:
            yield name, "; ".join(faults) or ("" if word == "new" else f"it is called {word}")
        else:
            yield name, "" if any(part in fault for fault in faults) else f"'{part}' is not among {faults}"
    _, faults = power.judge(states[NOTHING], states[NOTHING], expected)
    yield "all of it is gone", "" if any("is lost" in fault for fault in faults) else f"{faults}"
