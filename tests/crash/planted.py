# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults that an engine could have: the judge has to find each of them.

A fault is (name, part of what the judge has to say, steps); a step is what a lying seam (lie-seam.h), a missing
recovery or an edited file makes of a sound run. Names with a dash are those that the exhaustive search finds as well.
"""

import glob
import hashlib
import json
import os

import evidence
import judge
from scenarios import ANSWER, CONFIRM, FOREIGN, OLD_WINDOW, PLANS, Scenario
from world import UNUSUAL, Broken, reboot, set_values

AUDIT = f"{evidence.LOG_DIR}/audit-1.ndjson"
FRAGMENT = f"{evidence.SYSCTL_DIR}/{evidence.FRAGMENT}"
JOURNAL = f"{evidence.STATE_DIR}/journal"
PENDING = f"{evidence.RUN_DIR}/pending"
QUARANTINE = f"{judge.QUARANTINE_DIR}/*"


# --- steps -----------------------------------------------------------------------------------------------------------


def edit(path, change):
    with open(path, "rb") as f:
        data = f.read()
    changed = change(data)
    if changed == data:
        raise Broken(f"nothing to plant in {path}")
    with open(path, "wb") as f:
        f.write(changed)


def remove(pattern):
    paths = glob.glob(pattern)
    if not paths:
        raise Broken(f"nothing to take away: {pattern}")
    for path in paths:
        os.unlink(path)


def put(path, data, mode):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def swap_last_lines(data):
    lines = data.split(b"\n")
    return b"\n".join(lines[:-3] + [lines[-2], lines[-3], lines[-1]])


def chained(change):
    """An edit of the records of the one log file, by somebody who mends the chain."""
    def step(data):
        records = [json.loads(line) for line in data.splitlines()]
        previous, lines = records[0]["prev"], []
        for seq, record in enumerate(change(records), 1):
            record.update(prev=previous, seq=seq)
            line = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            previous = hashlib.sha256(line).hexdigest()
            lines.append(line + b"\n")
        return b"".join(lines)
    return lambda: edit(AUDIT, step)


def without(event, state=None):
    return chained(lambda records: [r for r in records if r["ev"] != event or
                                    state and r["degraded"]["state"] != state])


def as_event(records, event):
    return [dict(r, ev=event) if r["ev"] == "outcome" else r for r in records]


class Steps:
    """What can be done with a scenario, from its start."""

    def __init__(self, scenario):
        self.scenario, self.tools, self.at = scenario, scenario.tools, scenario.landmarks
        self.faults = []  # that a step has found already

    def good(self, *options):
        """The request to its end, perhaps through a lying seam."""
        self.tools.killer(*options, *self.scenario.request)

    def killed(self, number, *options):
        self.tools.kill((number, "after"), self.scenario.request, *options)

    def recovered(self, *options, verb="recover"):
        self.tools.killer(*options, verb)

    def booted(self, *options):
        reboot()
        self.tools.killer(*options, "boot")

    def written(self, number):
        """Path of the sysctl that a call wrote."""
        return self.scenario.calls[number - 1].split("/sys/")[1]


def all_of(*steps):
    return lambda: [step() for step in steps]


# --- a plain change --------------------------------------------------------------------------------------------------


def of_enable(s):
    at = s.at
    last, middle = s.written(at.last_write), s.written(at.middle_write)

    def lying_recovery(lie):
        return all_of(lambda: s.killed(at.last_write), lambda: s.recovered(f"--lie={lie}"))

    def good_but(change, path=AUDIT):
        return all_of(s.good, lambda: edit(path, change))

    def lie(plan):
        return lambda: s.good(f"--lie={plan}")

    return [
        ("no recovery after a kill between two writes", "mixed", lambda: s.killed(at.middle_write)),
        ("no recovery after a kill behind COMMIT", "the last frame is 'commit'", lambda: s.killed(at.commit)),
        ("no recovery after a kill before the audit outcome", "no outcome of", lambda: s.killed(at.fragment)),
        ("undo of one key is left out", "mixed", lying_recovery(f"pwrite:{middle}:echo")),
        ("undo of the last key is left out", "mixed", lying_recovery(f"pwrite:{last}:echo")),
        ("a write is left out", "mixed", lie(f"pwrite:{middle}:2:echo")),
        ("the fragment is not renamed", "fragment", lie("rename:60-twprofile.conf")),
        ("the temporary fragment stays", "a file is left",
         all_of(lambda: s.killed(at.prepared), lambda: s.recovered("--lie=unlink:.60-twprofile."))),
        ("COMMIT is not written", "journal", lie("pwrite:twprofile/journal:2")),
        ("PREPARED is not written, and a kill follows", "mixed",
         all_of(lambda: s.killed(at.writes[0], "--lie=pwrite:twprofile/journal:1"), s.recovered)),
        ("the marker is not written", "marker", lie("rename:enabled")),
        ("the generation's file is not written", "generations", lie("rename:1.json")),
        ("the public view stays behind", "status", lie("rename:status.json")),
        ("the audit intent is not written", "audit", lie("pwrite:audit-1.ndjson:1")),
        ("an audit record is appended twice", "chain is broken", lie("again:audit-1.ndjson:2")),
        ("an audit record is changed", "audit", good_but(lambda b: b.replace(b"crash test", b"crash tset"))),
        ("an audit record is taken away", "audit", good_but(lambda b: b[:b.rstrip(b"\n").rfind(b"\n") + 1])),
        ("two audit records change places", "chain is broken", good_but(swap_last_lines)),
        ("an outcome is told as a confirmation", "needed no confirmation",
         all_of(s.good, chained(lambda records: as_event(records, "confirm")))),
        ("an outcome is told as a recovery", "where an outcome belongs",
         all_of(s.good, chained(lambda records: as_event(records, "recover")))),
        ("one value differs", "values", all_of(s.good, lambda: set_values({last: s.scenario.old.values[last]}))),
        ("one bit of the journal differs", "journal",
         good_but(lambda b: b[:140] + bytes([b[140] ^ 1]) + b[141:], JOURNAL)),
        ("the fragment has one value more", "fragment", good_but(lambda b: b + b"net.ipv4.tcp_sack = 0\n", FRAGMENT)),
        ("a profile is quarantined for nothing", "quarantine: ",
         all_of(s.good, lambda: put(QUARANTINE.replace("*", "0" * 64), b"{}", 0o600))),
        ("success was told, the kill came before COMMIT", "the client was told",
         all_of(lambda: s.killed(at.last_write), s.recovered)),
    ]


def of_foreign_write(s):
    """A value is put back whatever stands there: recovery believes to see its own."""
    path = next(iter(FOREIGN))
    ours = PLANS["enable"].values[path]
    return [("blind-restore", "values", all_of(lambda: s.killed(s.at.last_write), lambda: set_values(FOREIGN),
                                               lambda: s.recovered(f"--lie=says:{path}:{ours}")))]


def of_foreign_meanwhile(s):
    """A key is written without another look: what the plan saw is believed to stand there until then."""
    path = next(iter(FOREIGN))
    looked = next(n for n, call in enumerate(s.scenario.calls, 1) if call == f"pread proc/sys/{path}")

    def blind():
        s.faults += s.scenario.try_foreign((looked + 1, "foreign"), f"--lie=says:{path}:{UNUSUAL[path]}")[1]

    return [("blind-write", "is lost", blind)]


# --- the confirmation window -----------------------------------------------------------------------------------------


def of_window(s):
    def new_values():
        set_values({s.written(s.at.last_write): s.scenario.old.values[s.written(s.at.last_write)]})

    return [
        ("APPLIED is not written", "the last frame is 'prepared'",
         lambda: s.good("--lie=pwrite:twprofile/journal:2")),
        ("a fragment is written before it is confirmed", "fragment",
         all_of(s.good, lambda: put(FRAGMENT, b"net.ipv4.tcp_fin_timeout = 30\n", 0o644))),
        ("a value of the change is lost", "window: ", all_of(s.good, new_values)),
        ("the guard is told nothing", "the guard has no", lambda: s.good("--lie=rename:pending")),
        ("the guard is told another deadline", "pending: ",
         all_of(s.good, lambda: edit(PENDING, lambda b: b.replace(b'"deadline_ms":', b'"deadline_ms":1')))),
        ("the guard's file is open to all", "pending: ", all_of(s.good, lambda: os.chmod(PENDING, 0o644))),
        ("the audit intent is not written", "no intent of the change that awaits",
         lambda: s.good("--lie=pwrite:audit-1.ndjson:1")),
        ("the deadline passed, and nobody took it back", "past its deadline",
         lambda: s.tools.killer(*OLD_WINDOW)),
    ]


def of_confirm(s):
    def lie(plan):
        return lambda: s.good(f"--lie={plan}")

    return [
        ("confirmed was told, the kill came before COMMIT", "the client was told",
         all_of(lambda: s.killed(s.at.commit - 1), s.recovered)),
        ("COMMIT is not written", "journal", lie("pwrite:twprofile/journal:1")),
        ("the fragment is not renamed", "fragment", lie("rename:60-twprofile.conf")),
        ("the record of the confirmation is not written", "audit", lie("pwrite:audit-1.ndjson")),
        ("pending is left over", "is left, and no change awaits", lie("unlink:pending")),
        ("the public view still says that it awaits", "status", lie("rename:status.json")),
        ("a rollback is told as a confirmation", "was never committed",
         all_of(lambda: s.tools.killer("rollback"), chained(lambda records: as_event(records, "confirm")))),
    ]


def of_deadline(s):
    last = s.written(s.at.last_write)
    return [
        ("one value is not taken back", "mixed", lambda: s.good(f"--lie=pwrite:{last}:echo")),
        ("REVERT is not written", "journal: bytes", lambda: s.good("--lie=pwrite:twprofile/journal:1")),
        ("DONE is not written", "the last frame is 'revert'", lambda: s.good("--lie=pwrite:twprofile/journal:2")),
        ("what was taken back is not quarantined", "is not quarantined", all_of(s.good, lambda: remove(QUARANTINE))),
        ("the outcome is not recorded", "audit", lambda: s.good("--lie=pwrite:audit-1.ndjson")),
        ("pending is left over", "is left, and no change awaits", lambda: s.good("--lie=unlink:pending")),
        ("the guard does not come", "past its deadline", lambda: None),
    ]


# --- boots -----------------------------------------------------------------------------------------------------------


def of_reboot(s):
    redone = next(iter(PLANS["enable"].values))
    return [
        ("the boot unit does not run", "the last frame is 'commit'", all_of(lambda: s.killed(s.at.commit), reboot)),
        ("no-redo", "mixed",
         all_of(lambda: s.killed(s.at.commit), lambda: s.booted(f"--lie=pwrite:{redone}:echo"))),
        ("the fragment of a commit is not put in place at boot", "fragment",
         all_of(lambda: s.killed(s.at.commit), lambda: s.booted("--lie=rename:60-twprofile.conf"))),
        ("the outcome of a commit is not told at boot", "journal",
         all_of(lambda: s.killed(s.at.commit), lambda: s.booted("--lie=pwrite:audit-1.ndjson:1"))),
    ]


def of_window_and_reboot(s):
    def boot_id_as(boot_id):
        return f"--lie=says:boot_id:{boot_id}"

    def blind_confirm():
        """The same values stand there by chance, and nobody looks which boot it is."""
        before = evidence.read_machine().boot_id
        token = s.tools.request(s.scenario.request)
        reboot()
        set_values(PLANS["enable"].values)
        s.tools.killer(boot_id_as(before), *[a.replace("TOKEN", token) for a in CONFIRM])

    def blind_boot():
        before = evidence.read_machine().boot_id
        s.good()
        s.booted(boot_id_as(before))

    return [
        ("the boot unit does not run", "of another boot awaits", all_of(s.good, reboot)),
        ("old-boot-id", "has survived a reboot", blind_confirm),
        ("recovery does not look which boot it is", "of another boot awaits", blind_boot),
        ("the fragment was there before it was confirmed", "fragment",
         all_of(s.good, lambda: put(FRAGMENT, b"net.ipv4.tcp_fin_timeout = 30\n", 0o644), s.booted)),
        ("what the reboot took back is not quarantined", "is not quarantined",
         all_of(s.good, s.booted, lambda: remove(QUARANTINE))),
        ("that the reboot took it back is not told", "no outcome of",
         all_of(s.good, lambda: s.booted("--lie=pwrite:audit-1.ndjson:1"))),
    ]


# --- the audit log's files -------------------------------------------------------------------------------------------


def of_new_audit_file(s):
    oldest, newest = evidence.audit_files(s.scenario.new)[0][1], evidence.audit_files(s.scenario.new)[-1][1]
    return [
        ("the record that ends a file is not written", "audit",
         all_of(s.good, lambda: edit(oldest, lambda b: b[:b.rstrip(b"\n").rfind(b"\n") + 1]))),
        ("a file is removed, and no record says so", "is gone",
         all_of(s.good, lambda: edit(newest, lambda b: b"".join(
             line for line in b.splitlines(keepends=True) if b'"ev":"prune"' not in line)))),
        ("a file that should be kept is removed", "audit", all_of(s.good, lambda: os.unlink(oldest))),
    ]


def of_late_records(s):
    def unlate(records):
        return [{k: v for k, v in r.items() if k != "late"} for r in records]

    return [
        ("what was missed is not told", "the log had missed",
         all_of(s.good, chained(lambda records: [r for r in records if not r.get("late") and r["ev"] != "degraded"]))),
        ("the end of what was missed is not told", "at the wrong place", all_of(s.good, without("degraded", "begin"))),
        ("the begin of what was missed is not told", "at the wrong place", all_of(s.good, without("degraded", "end"))),
        ("late records do not say so", "at the wrong place", all_of(s.good, chained(unlate))),
    ]


PLANTED = {
    "enable": of_enable,
    "enable, then a foreign write": of_foreign_write,
    "enable, a foreign write meanwhile": of_foreign_meanwhile,
    "open a window": of_window,
    "confirm": of_confirm,
    "guard at the deadline": of_deadline,
    "enable, then reboot": of_reboot,
    "open a window, then reboot": of_window_and_reboot,
    "enable, new audit file": of_new_audit_file,
    "enable, late audit records": of_late_records,
}


def promise_of(scenario, word):
    """What makes a state a fault that is sound in itself."""
    return judge.TOLD if "told" in word else scenario.plan.promise


def self_test(tools, empty, report, planted):
    """Each planted fault must be found; the sound run beside them must not."""
    ok = True
    for base, faults_of in PLANTED.items():
        empty.set()
        scenario = Scenario(tools, PLANS[base])
        scenario.start.set()
        scenario.tools.request(scenario.request)
        verdict, faults = scenario.settle(scenario.promise(ANSWER, True))
        ok &= report(f"judge: sound: {base}", not faults, f"{verdict}: {faults}")
        steps = Steps(scenario)
        for name, word, plant in faults_of(steps):
            scenario.start.set()
            steps.faults = []
            plant()
            verdict, faults = scenario.judge(promise_of(scenario, word))
            faults = steps.faults + faults
            found = any(word in fault for fault in faults)
            planted(name if "-" in name else f"{base}: {name}", found)
            ok &= report(f"judge finds: {base}: {name}", found, f"wanted '{word}', got {verdict}: {faults}")
    return ok
