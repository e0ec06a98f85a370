# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was recorded of a round, in the form that the checker works on.

    calls     each run of twprofile: arguments, process id, begin, end, exit code, the JSON document
    foreign   each read and write of the foreign writer: key, value, begin, end
    audit     the records of the audit log

All times are nanoseconds of CLOCK_BOOTTIME, the clock of the audit log's `bt`. What changes state stands in the audit log,
in the order in which it happened: `transitions` takes it from there.
"""

import json

from model import words

CHANGES = ("enable", "disable", "rollback")
LOCKED = CHANGES + ("confirm", "release", "recover")
IGNORED = ("open", "rotate", "denied")


class Call:
    def __init__(self, number, raw):
        self.number, self.raw = number, raw
        self.pid, self.argv, self.request = raw["pid"], raw["argv"], raw["request"]
        self.begin, self.end, self.exit = raw["begin"], raw["end"], raw["exit"]
        self.document = raw["document"] or {}
        self.result = self.document.get("result") or {}
        self.error = (self.document.get("error") or {}).get("name")
        self.verb = self.request["verb"]
        self.transition = None  # the one that it made

    def __repr__(self):
        told = self.error or self.result.get("outcome") or ""
        return f"call {self.number} '{' '.join(self.argv)}' (exit code {self.exit} {told})"

    def finding_keys(self, name):
        return {f.get("key") for f in self.document.get("findings", ()) if f["name"] == name}


class Transition:
    """kind: change | failed | window | confirm | revert | release. `first` and `last` are its audit records."""

    def __init__(self, kind, first, last):
        self.kind, self.first, self.last = kind, first, last
        self.tx = last.get("tx")
        self.call = None
        self.free = first["bt"]  # nobody else held the lock from here on
        self.over = last["bt"]

    def __repr__(self):
        return f"record {self.last['seq']} ({self.last['ev']} {self.last.get('verb', '')}, {self.kind})"

    def keys(self):
        """key -> (before, wanted, after, outcome)"""
        return {k["k"]: tuple(words(k[m]) if m in k else None for m in "bwao") for k in self.last.get("keys", ())}


def transitions(records, faults):
    found, intents, decided = [], {}, {}
    for record in records:
        tx, event = record.get("tx"), record["ev"]
        if event in ("outcome", "confirm"):
            if tx in decided:
                faults.append(f"audit: record {record['seq']} decides {tx} again, after record {decided[tx]['seq']}")
            decided.setdefault(tx, record)
    for record in records:
        tx, event = record.get("tx"), record["ev"]
        end = decided.get(tx)
        failed = end is not None and end["ev"] == "outcome" and end["res"]["outcome"] in ("failed", "undone")
        if event in IGNORED:
            continue
        if event == "intent":
            intents[tx] = record
            if end is None and "window" not in record:
                faults.append(f"audit: record {record['seq']}: an intent without an outcome")
            elif "window" in record and not failed:
                found.append(Transition("window", record, record))
        elif event == "release":
            found.append(Transition("release", record, record))
        elif event not in ("outcome", "confirm") or tx not in intents:
            faults.append(f"audit: record {record['seq']} ({event}) does not belong here")
        elif failed:
            found.append(Transition("failed", intents[tx], record))
        elif "window" in intents[tx]:
            found.append(Transition("confirm" if event == "confirm" else "revert", record, record))
        else:
            found.append(Transition("change", intents[tx], record))
    return found


class History:
    def __init__(self, raw):
        self.raw = raw
        self.calls = [Call(n, c) for n, c in enumerate(raw["calls"])]
        self.foreign = raw["foreign"]
        self.initial = {key: words(value) for key, value in raw["initial"].items()}
        self.audit = raw["audit"]
        self.final = raw["final"]

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as f:
            return History(json.load(f))
