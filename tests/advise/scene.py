# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of situations, and how one of them is played.

    @situation("PORT-1", {"PORT-1": "critical"}, {"PORT-1": (960, 1000)})
    def port_1(world):
        \"""All ports but 40 are in TIME_WAIT.\"""
        world.host.ports(40000, 40999)
        world.outgoing(960)

The name is the row's; what follows is the exact set of findings, with severities, and the numbers that have to stand in
their evidence. The function makes the state; what it returns, if anything, is the traffic during the two samples.
Expected sets come from what the rules are meant to say, never from what the program printed.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import namedtuple

from judge import judge
from world import Namespace, World

INTERVAL = "1s"
Situation = namedtuple("Situation", "name why expect numbers make without hash_entries sandbox record nobody")
Traffic = namedtuple("Traffic", "per_second step")
SITUATIONS = {}


def situation(name, expect, numbers=None, *, without=(), hash_entries=None, sandbox=None, record=None,
              nobody=False):
    """without: remedies that would not help here. hash_entries: the host's namespace has a hash of its own, of so many, and room
    for half as many TIME_WAITs. sandbox: profiles, by name: it is played inside `twprofile sandbox`, where they can be enabled.
    record: where this machine cannot be brought there, the recorded samples are changed by this function and judged again; the
    row says why. nobody: advise runs without any privilege."""
    def add(make):
        assert name not in SITUATIONS, name
        SITUATIONS[name] = Situation(name, " ".join(make.__doc__.split()), expect, numbers or {}, make, without, hash_entries,
                                     sandbox, record, nobody)
        return make
    return add


def build(row, program):
    home = Namespace.here()
    made_by = None
    if row.hash_entries:
        made_by = Namespace()
        made_by.set("tcp_child_ehash_entries", row.hash_entries)
    world = World(made_by)
    world.program = program
    world.home = home
    world.advised = world.host
    return world, row.make(world)


def run(world, argv, traffic):
    """The program in the host's namespace, and the traffic as long as it runs. A rate that this machine does not keep up
    is lower, never made up for in a burst."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        with world.advised:
            process = subprocess.Popen(argv, stdout=out, stderr=errors, stdin=subprocess.DEVNULL)
        due = time.monotonic()
        while process.poll() is None:
            if traffic and time.monotonic() >= due:
                traffic.step()
                due = max(due + 1 / traffic.per_second, time.monotonic() - 0.05)
            else:
                time.sleep(0.001)
        out.seek(0)
        errors.seek(0)
        text = out.read().decode()
        if not text:
            raise RuntimeError(f"{argv[1]} ended with {process.returncode} and said nothing: {errors.read().decode()}")
        document = json.loads(text)
    if document["result"] is None:
        raise RuntimeError(f"{argv[1]}: {document['error']}")
    return document


def as_nobody(world, argv):
    """The program is copied to where everybody reaches it."""
    world.folder = tempfile.TemporaryDirectory()  # for as long as the world
    os.chmod(world.folder.name, 0o755)
    program = shutil.copy(argv[0], world.folder.name)
    os.chmod(program, 0o755)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", program, *argv[1:]]


def keep(document, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)


def play(row, program, folder):
    """Faults, as sentences. What was said is kept in the folder, for those who look at all of it."""
    world, traffic = build(row, program)
    argv = [program, "advise", f"--interval={INTERVAL}", "--json"]
    if row.nobody:
        argv = as_nobody(world, argv)
    document = run(world, argv, traffic)
    path = os.path.join(folder, row.name.replace(" ", "-") + ".json")
    if row.record:
        for sample in document["result"]["samples"].values():
            row.record(sample)
        keep(document, path)
        document = run(world, [program, "advise", f"--from={path}", "--json"], None)
    keep(document, path)
    return judge(document, row.expect, row.numbers, row.without)
