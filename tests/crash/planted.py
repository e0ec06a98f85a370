# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults that an engine could have: the judge has to find each of them."""

import judge
from scenarios import PLANS, Scenario
from world import Broken


# --- the judge's own test ------------------------------------------------------------------------------------------


def plants(scenario):
    """Faults that an engine could have: (name, part of what the judge has to say, steps)."""
    calls, at = scenario.calls, scenario.landmarks
    last_written = calls[at.last_write - 1].split("/sys/")[1]
    middle_written = calls[at.middle_write - 1].split("/sys/")[1]
    tools, request = scenario.tools, scenario.request
    audit = "/var/log/twprofile/audit-1.ndjson"

    def killed(n, *options):
        tools.kill((n, "after"), request, *options)

    def edit(path, change):
        def step():
            with open(path, "rb") as f:
                data = f.read()
            changed = change(data)
            if changed == data:
                raise Broken(f"nothing to plant in {path}")
            with open(path, "wb") as f:
                f.write(changed)
        return step

    def unkilled(*options):
        tools.killer(*options, *request)

    def lying_recovery(lie):
        killed(at.last_write)
        tools.killer(f"--lie={lie}", "recover")

    def good(step):
        return lambda: (unkilled(), step())

    def set_value(path, value):
        with open("/proc/sys/" + path, "w") as f:
            f.write(value)

    def swap_last_lines(data):
        lines = data.split(b"\n")
        return b"\n".join(lines[:-3] + [lines[-2], lines[-3], lines[-1]])

    return [
        ("no recovery after a kill between two writes", "mixed", lambda: killed(at.middle_write)),
        ("no recovery after a kill behind COMMIT", "the last frame is 'commit'", lambda: killed(at.commit)),
        ("no recovery after a kill before the audit outcome", "no outcome of", lambda: killed(at.fragment)),
        ("undo of one key is left out", "mixed", lambda: lying_recovery(f"pwrite:{middle_written}:echo")),
        ("undo of the last key is left out", "mixed", lambda: lying_recovery(f"pwrite:{last_written}:echo")),
        ("a write is left out", "mixed", lambda: unkilled(f"--lie=pwrite:{middle_written}:2:echo")),
        ("the fragment is not renamed", "fragment", lambda: unkilled("--lie=rename:60-twprofile.conf")),
        ("the temporary fragment stays", "a file is left",
         lambda: (killed(at.prepared), tools.killer("--lie=unlink:.60-twprofile.", "recover"))),
        ("COMMIT is not written", "journal", lambda: unkilled("--lie=pwrite:twprofile/journal:2")),
        ("PREPARED is not written, and a kill follows", "mixed",
         lambda: (killed(at.writes[0], "--lie=pwrite:twprofile/journal:1"), tools.helper("recover"))),
        ("the marker is not written", "marker", lambda: unkilled("--lie=rename:enabled")),
        ("the generation's file is not written", "generations", lambda: unkilled("--lie=rename:1.json")),
        ("the public view stays behind", "status", lambda: unkilled("--lie=rename:status.json")),
        ("the audit intent is not written", "audit", lambda: unkilled("--lie=pwrite:audit-1.ndjson:1")),
        ("an audit record is appended twice", "chain is broken", lambda: unkilled("--lie=again:audit-1.ndjson:2")),
        ("an audit record is changed", "audit", good(edit(audit, lambda b: b.replace(b"crash test", b"crash tset")))),
        ("an audit record is taken away", "audit",
         good(edit(audit, lambda b: b[:b.rstrip(b"\n").rfind(b"\n") + 1]))),
        ("two audit records change places", "chain is broken", good(edit(audit, swap_last_lines))),
        ("one value differs", "values", good(lambda: set_value(last_written, scenario.old.values[last_written]))),
        ("one bit of the journal differs", "journal",
         good(edit("/var/lib/twprofile/journal", lambda b: b[:140] + bytes([b[140] ^ 1]) + b[141:]))),
        ("the fragment has one value more", "fragment",
         good(edit("/etc/sysctl.d/60-twprofile.conf", lambda b: b + b"net.ipv4.tcp_sack = 0\n"))),
        ("success was told, the kill came before COMMIT", "the client was told",
         lambda: (killed(at.last_write), tools.helper("recover"))),
    ]


def self_test(tools, report):
    """Each planted fault must be found; the sound runs beside them must not."""
    scenario = Scenario(tools, PLANS["enable"])
    ok = True
    scenario.start.set()
    scenario.tools.request(scenario.request)
    verdict, faults = scenario.judge(judge.TOLD)
    ok &= report("judge: a sound change is new", verdict == "new" and not faults, f"{verdict}: {faults}")
    for name, word, plant in plants(scenario):
        scenario.start.set()
        plant()
        verdict, faults = scenario.judge(judge.TOLD if "told" in word else None)
        found = any(word in fault for fault in faults)
        ok &= report(f"judge finds: {name}", found, f"wanted a fault with '{word}', got {verdict}: {faults}")
    return ok
