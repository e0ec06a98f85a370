# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a kill left behind, judged without any code of the engine.

    old, new = read_machine(), …          before a change, and after an unkilled one
    verdict, faults = judge(old, new, read_machine())

What is read, and from where: evidence.py. The rule: old everywhere or new everywhere, and every record agrees with it.
`verdict` is "old", "new" or "mixed".
"""

import functools
import hashlib
import os
import re
import time

import evidence
from evidence import FRAGMENT, LEGAL, RUN_DIR, STATE_DIR, SYSCTL_DIR, find_record, parse_json

QUARANTINE_DIR = f"{STATE_DIR}/quarantine"
UNDONE = ("reverted", "reverted-with-conflicts", "dropped-by-reboot")
AUTOMATIC = ("deadline", "gate")
OUTCOMES = ("outcome", "confirm")

TOLD = ("new", "the client was told that the change is done, and it is not")


# --- journal -----------------------------------------------------------------------------------------------


def check_journal(frames, faults):
    """The order of frames: each transaction begins, is decided at most once, and is closed before the next."""
    state, tx = None, None
    for n, frame in enumerate(frames):
        if frame.tx != tx:
            if tx is not None and state != "done":
                faults.append(f"journal: frame {n} begins {frame.tx} while {tx} is not done")
            state, tx = None, frame.tx
        if frame.kind not in LEGAL[state] or (frame.kind == "commit" and state is None and n > 0):
            faults.append(f"journal: frame {n} is '{frame.kind}' behind '{state}'")
        state = frame.kind
        try:
            frame.content = parse_json(frame.payload)
        except ValueError as e:
            faults.append(f"journal: frame {n} is not JSON: {e}")
            frame.content = {}
        generation = frame.content.get("generation") if frame.kind == "applied" else frame.content
        if frame.kind in ("commit", "applied") and generation.get("tx") != frame.tx:
            faults.append(f"journal: frame {n} holds a generation of another transaction")
    if frames and frames[-1].kind not in ("done", "applied"):
        faults.append(f"journal: the last frame is '{frames[-1].kind}', not 'done'")


class Transactions:
    """The journal's frames by transaction."""

    def __init__(self, frames):
        self.by_tx = {}
        for frame in frames:
            self.by_tx.setdefault(frame.tx, {})[frame.kind] = frame
        self.last = self.by_tx[frames[-1].tx] if frames else {}
        self.waiting = self.last if frames and frames[-1].kind == "applied" else None
        self.waiting_tx = frames[-1].tx if self.waiting else None


# --- what awaits confirmation --------------------------------------------------------------------------------


def check_waiting(machine, transactions, foreign, faults):
    """It is of this boot and before its deadline, its values are live, and the guard can read of it."""
    waiting = transactions.waiting
    if not waiting:
        if machine.pending is not None:
            faults.append("pending: /run/twprofile/pending is left, and no change awaits confirmation")
        return
    prepared, applied = waiting["prepared"].content, waiting["applied"].content
    if prepared["instance"]["boot"] != machine.boot_id:
        faults.append("window: a change of another boot awaits confirmation")
    if "window" not in prepared:
        faults.append("window: a change without one awaits confirmation")
    for key in applied["keys"]:
        path = key["k"].replace(".", "/")
        if machine.values.get(path) != key["w"] and path not in foreign:
            faults.append(f"window: {path} is {machine.values.get(path)!r}, the change that awaits confirmation says "
                          f"{key['w']!r}")

    deadline = applied["deadline_ms"]
    if deadline and deadline < time.clock_gettime(time.CLOCK_BOOTTIME) * 1000:
        faults.append("window: a change awaits confirmation past its deadline")
    if machine.pending is None:
        if deadline:
            faults.append("pending: a change awaits confirmation, and the guard has no /run/twprofile/pending")
        return
    pending = parse_json(machine.pending)
    if not deadline or (pending["tx"], pending["deadline_ms"], pending["keys"], pending["instance"]) != \
            (transactions.waiting_tx, deadline, prepared["keys"], prepared["instance"]):
        faults.append("pending: /run/twprofile/pending is not of the change that awaits confirmation")
    if machine.modes[f"{RUN_DIR}/pending"] != 0o600:
        faults.append("pending: its mode is not 0600")


def seen_before(machine, path, value):
    """Whether the last change found that value, and the journal has it as what stood there before."""
    journal = machine.file(f"{STATE_DIR}/journal")
    frames = evidence.read_journal(journal, []) if journal is not None else []
    prepared = [f for f in frames if f.kind == "prepared"]
    keys = parse_json(prepared[-1].payload)["keys"] if prepared else []
    return any(k["k"].replace(".", "/") == path and k["b"] == value for k in keys)


def wanted_quarantine(transactions, records):
    """Digest -> cause, of every change with a deadline that the journal says was taken back by itself."""
    wanted = {}
    for frames in transactions.by_tx.values():
        window = frames["prepared"].content.get("window") if "prepared" in frames else None
        if not window or window["s"] == 0 or "done" not in frames or "commit" in frames:
            continue
        cause = "reboot" if frames["done"].content["outcome"] == "dropped-by-reboot" else None
        if "revert" in frames:
            cause = frames["revert"].content["cause"]
        if cause in AUTOMATIC + ("reboot",):
            wanted.update({p["digest"]: cause for p in window["profiles"]})
    for record in records:
        if record["ev"] == "release":
            for name in record["prof"]:
                wanted.pop(name.split("@")[1], None)
    return wanted


def check_quarantine(start, machine, transactions, records, faults):
    """A file for each, and none besides; but what was there before may be of a journal that is gone."""
    wanted = wanted_quarantine(transactions, records)
    there = {os.path.basename(p): data for p, data in machine.files.items() if p.startswith(QUARANTINE_DIR + "/")}
    for digest, cause in wanted.items():
        if digest not in there:
            faults.append(f"quarantine: {digest} was taken back ({cause}), and is not quarantined")
        elif parse_json(there[digest]).get("digest") != digest or parse_json(there[digest]).get("cause") != cause:
            faults.append(f"quarantine: {digest} says something else than the journal")
    for digest in there:
        if digest not in wanted and f"{QUARANTINE_DIR}/{digest}" not in start.files:
            faults.append(f"quarantine: {digest} is quarantined, and nothing says why")
    status = parse_json(machine.status) if machine.status is not None else {}
    if machine.status is not None and {q["digest"] for q in status.get("quarantined", [])} != set(there):
        faults.append("status: it does not tell what is quarantined")


# --- audit -------------------------------------------------------------------------------------------------


def check_audit(records, frames, transactions, faults):
    """One outcome for each intent, behind it, nothing torn; both bound to the journal's frames."""
    intents, outcomes = {}, {}
    for record in records:
        event, tx, seq = record.get("ev"), record.get("tx"), record["seq"]
        done = transactions.by_tx.get(tx, {}).get("done")
        if event == "torn":
            faults.append(f"audit: record {seq} tells of a tear, but SIGKILL tears nothing")
        if event == "intent":
            if tx in intents:
                faults.append(f"audit: a second intent of {tx}")
            intents[tx] = record
        if event == "recover" and (tx in intents or done and done.content["outcome"] not in UNDONE):
            faults.append(f"audit: record {seq} is of a recovery, where an outcome belongs")
        elif event in OUTCOMES:
            if tx in outcomes:
                faults.append(f"audit: a second outcome of {tx}: '{outcomes[tx]['res']['outcome']}', then "
                              f"'{record['res']['outcome']}'")
            elif tx not in intents and records[0]["seq"] == 1:
                faults.append(f"audit: an outcome without intent, {tx}")
            outcomes[tx] = record
        if event == "confirm" and "window" not in intents.get(tx, {}):
            faults.append(f"audit: record {seq} confirms a change that needed no confirmation")
    check_open_ends(intents, outcomes, transactions, faults)
    check_late(records, transactions, intents, outcomes, faults)

    for record in list(intents.values()) + list(outcomes.values()):
        allowed = {"prepared"} if record["ev"] == "intent" else {"prepared", "applied", "commit", "revert"}
        of_tx = [f for f in frames if f.tx == record["tx"]]
        if any(f.kind == "prepared" for f in of_tx) and \
                record.get("txh") not in {f.digest for f in of_tx if f.kind in allowed}:
            faults.append(f"audit: record {record['seq']} names a frame that the journal does not have")
    return outcomes


def missed(transactions, intents, outcomes):
    """Whose outcome the log could not take: the journal says so. Without an intent and without a decision it was refused
    for that, and there is nothing to tell."""
    return [tx for tx, frames in transactions.by_tx.items()
            if "done" in frames and frames["done"].content.get("audit_seq") == 0 and tx not in outcomes and
            (tx in intents or "commit" in frames or "revert" in frames)]


def check_open_ends(intents, outcomes, transactions, faults):
    lost = missed(transactions, intents, outcomes)
    for tx, intent in intents.items():
        if tx not in outcomes and tx != transactions.waiting_tx and tx not in lost:
            faults.append(f"audit: no outcome of {tx}")
        frames = transactions.by_tx.get(tx, {})
        confirmed = tx in outcomes and outcomes[tx]["ev"] == "confirm"
        if "window" in intent and "done" in frames and "commit" not in frames and confirmed:
            faults.append(f"audit: {tx} is told to be confirmed, and was never committed")
    if transactions.waiting_tx:
        if transactions.waiting_tx not in intents:
            faults.append("audit: no intent of the change that awaits confirmation")
        if transactions.waiting_tx in outcomes:
            faults.append("audit: an outcome of the change that awaits confirmation")


def check_late(records, transactions, intents, outcomes, faults):
    """What the log missed is told between `begin` and `end`, before anything else, and only when it was missed."""
    is_open = False
    for record in records:
        event, tx = record.get("ev"), record.get("tx")
        if event == "degraded":
            is_open = record["degraded"]["state"] == "begin"
        elif bool(record.get("late")) != is_open and event not in ("rotate", "open", "prune"):
            faults.append(f"audit: record {record['seq']} is {'late' if record.get('late') else 'of its time'} at the "
                          "wrong place")
        done = transactions.by_tx.get(tx, {}).get("done")
        if record.get("late") and done and done.content.get("audit_seq") != 0:
            faults.append(f"audit: record {record['seq']} is late, and the log had not missed it")
    if is_open:
        faults.append("audit: what was missed is not told to its end")
    order = list(transactions.by_tx)
    told = {r.get("tx") for r in records}
    for tx in missed(transactions, intents, outcomes):
        if any(later in told for later in order[order.index(tx) + 1:]):
            faults.append(f"audit: the log had missed {tx}, and later ones are told")


def check_head(machine, records, faults):
    head = machine.file(f"{STATE_DIR}/audit-head")
    if head is None:
        return
    m = re.fullmatch(rb"(\d+) ([0-9a-f]{64})\n", head)
    record = find_record(records, int(m.group(1))) if m else None
    if not record or record["_hash"] != m.group(2).decode():
        faults.append("audit: the kept head is not in the log")


def check_files(start, machine, records, faults):
    """Files only grow; whole ones go when a record says so, with the hash that the chain goes on from."""
    through = {r["prune"]["through"]: r["prune"]["sha256"] for r in records if r.get("ev") == "prune"}
    for first, path in evidence.audit_files(start):
        if path in machine.files:
            if not machine.files[path].startswith(start.files[path]):
                faults.append(f"audit: {path} lost what it had")
        elif not any(last >= first for last in through):
            faults.append(f"audit: {path} is gone")
    if records and records[0]["seq"] > 1 and through.get(records[0]["seq"] - 1) != records[0]["prev"]:
        faults.append("audit: the first record that is left does not follow what was removed")


# --- one state --------------------------------------------------------------------------------------------


def _words(text):
    return text.split()


def check_fragment(machine, generation, transactions, foreign, faults):
    """The fragment is what the generation says, and the kernel holds what the fragment says."""
    text = machine.fragment
    if generation is None or "fragment" not in generation:
        if text is not None:
            faults.append("fragment: it is there, and no generation has one")
        return
    if text is None:
        faults.append("fragment: it is missing")
        return
    if hashlib.sha256(text).hexdigest() != generation["fragment"]:
        faults.append("fragment: its digest is not that of the generation")
    if machine.modes[f"{SYSCTL_DIR}/{FRAGMENT}"] != 0o644:
        faults.append("fragment: its mode is not 0644")

    told = evidence.parse_fragment(text.decode())
    wanted = {k["key"].replace(".", "/"): k["value"] for k in generation["keys"]}
    waiting = transactions.waiting["applied"].content["keys"] if transactions.waiting else []
    tried = {k["k"].replace(".", "/") for k in waiting} | set(foreign)
    for path in sorted(told.keys() | wanted.keys()):
        if path not in told or path not in wanted or _words(told[path]) != _words(wanted[path]):
            faults.append(f"fragment: {path} is {told.get(path)!r}, in the generation {wanted.get(path)!r}")
        elif _words(machine.values.get(path, "")) != _words(told[path]) and path not in tried:
            faults.append(f"values: {path} is {machine.values.get(path)!r}, in the fragment {told[path]!r}")


def generation_essence(content, foreign=()):
    """A generation without what is new in every run, nor the origin of a key that somebody else writes."""
    essence = {k: v for k, v in content.items() if k not in ("tx", "created_us")}
    if foreign:
        essence["keys"] = [{k: v for k, v in key.items() if k == "key" or key["key"].replace(".", "/") not in foreign}
                           for key in content["keys"]]
    return essence


def generation_files(machine, commits, foreign, faults):
    files = {}
    for path, data in machine.files.items():
        m = re.fullmatch(re.escape(STATE_DIR) + r"/generations/(\d+)\.json", path)
        if not m:
            continue
        try:
            files[int(m.group(1))] = generation_essence(parse_json(data), foreign)
        except ValueError as e:
            faults.append(f"generations: {path} is not JSON: {e}")
        for frame in commits:
            if frame.content.get("number") == int(m.group(1)) and frame.payload != data:
                faults.append(f"generations: {path} differs from the journal's COMMIT")
    return files


def status_essence(machine, transactions, faults):
    if machine.status is None:
        return None, False
    try:
        status = parse_json(machine.status)
    except ValueError as e:
        faults.append(f"status: not JSON: {e}")
        return None, False
    undecided = (status.get("undecided") or {}).get("tx")
    if undecided is not None and undecided != transactions.waiting_tx:
        faults.append(f"status: {undecided} awaits confirmation, the journal says {transactions.waiting_tx}")
    if status["attention"]:
        faults.append("status: it wants attention")
    return (status.get("generation") or {}).get("number"), undecided is not None


def parts_of(machine, foreign, faults):
    """The places where a state shows, each comparable; the journal's frames; the current generation."""
    journal = machine.file(f"{STATE_DIR}/journal")
    frames = evidence.read_journal(journal, faults) if journal is not None else []
    check_journal(frames, faults)
    commits = [f for f in frames if f.kind == "commit"]
    generation = commits[-1].content if commits else None
    transactions = Transactions(frames)
    waits = transactions.waiting["applied"].content if transactions.waiting else None
    return {
        "values": machine.values,
        "fragment": machine.fragment,
        "journal": generation_essence(generation, foreign) if generation else None,
        "generations": generation_files(machine, commits, foreign, faults),
        "marker": machine.file(f"{STATE_DIR}/enabled"),
        "status": status_essence(machine, transactions, faults),
        "waiting": (waits["keys"], generation_essence(waits["generation"], foreign)) if waits else None,
    }, frames, generation


@functools.lru_cache(maxsize=8)
def known_parts(machine, foreign=()):
    """Of a machine that is compared with again and again: read once."""
    return parts_of(machine, foreign, [])[0]


def _difference(part, old, new, got):
    if part == "values":
        keys = [k for k in got if got[k] not in (old.get(k), new.get(k))] or \
               [k for k in got if old.get(k) != new.get(k)]
        return ", ".join(f"{k}={got[k]!r} (old {old.get(k)!r}, new {new.get(k)!r})" for k in keys[:12])
    text = str(got)
    return text if len(text) < 120 else text[:117] + "..."


def compare(old_parts, new_parts, parts, faults):
    may_be = {"old", "new"}
    for part, value in parts.items():
        is_like = {name for name, want in (("old", old_parts[part]), ("new", new_parts[part])) if value == want}
        if not is_like:
            faults.append(f"{part}: neither old nor new: "
                          + _difference(part, old_parts[part], new_parts[part], value))
        may_be &= is_like
    if not may_be:
        like = {part: "old" if value == old_parts[part] else "new" if value == new_parts[part] else "neither"
                for part, value in parts.items()}
        faults.append("mixed: " + ", ".join(f"{part} {word}" for part, word in like.items()))
    return "mixed" if len(may_be) != 1 else may_be.pop()


def check_leftovers(start, machine, faults):
    for path in machine.files:
        if path not in start.files and (path.startswith(SYSCTL_DIR + "/") and path != f"{SYSCTL_DIR}/{FRAGMENT}" or
                                      os.path.basename(path).startswith(".")):
            faults.append(f"a file is left in {path}")


def judge(old, new, machine, promise=None, start=None, foreign=()):
    """`promise`: (the verdict that it must be, what to say when it is not). `start`: the machine before the killed
    request, where that is not `old`. `foreign`: paths that somebody else has written since, with these values in both
    states. ("old"|"new"|"mixed", [fault, …])"""
    faults = []
    foreign = tuple(foreign)
    parts, _, _ = examine(machine, start or old, faults, foreign)
    verdict = compare(known_parts(old, foreign), known_parts(new, foreign), parts, faults)
    if promise and verdict != promise[0]:
        faults.append(promise[1])
    return verdict, faults


def examine(machine, start, faults, foreign=()):
    """What holds in every state: all records agree. The parts, the current generation, the log's outcomes by transaction."""
    parts, frames, generation = parts_of(machine, foreign, faults)
    transactions = Transactions(frames)
    check_fragment(machine, generation, transactions, foreign, faults)
    check_waiting(machine, transactions, foreign, faults)
    check_leftovers(start, machine, faults)

    records = evidence.read_audit(machine, faults)
    outcomes = check_audit(records, frames, transactions, faults)
    check_quarantine(start, machine, transactions, records, faults)
    check_head(machine, records, faults)
    check_files(start, machine, records, faults)
    check_agreement(frames, generation, records, outcomes, faults)
    check_last(machine, frames, generation, transactions, outcomes, faults)
    return parts, generation, outcomes


# --- journal and audit together -------------------------------------------------------------------------------


def check_agreement(frames, generation, records, outcomes, faults):
    """Each DONE names the record of its outcome; the log is as old as the journal."""
    for n, frame in enumerate(frames):
        if frame.kind != "done":
            continue
        seq = frame.content.get("audit_seq", 0)
        record = find_record(records, seq)
        if seq == 0:
            if frame.tx in outcomes and not outcomes[frame.tx].get("late"):
                faults.append(f"journal: frame {n}: 'done' without its audit record")
        elif records and seq < records[0]["seq"]:
            continue
        elif not record or record["_hash"] != frame.content.get("audit_hash") or record.get("tx") != frame.tx:
            faults.append(f"journal: frame {n}: 'done' names an audit record that is another")


def check_last(machine, frames, generation, transactions, outcomes, faults):
    """What journal and audit say of the last transaction is what happened to it."""
    number = generation["number"] if generation else 0
    if not frames or frames[-1].kind != "done":
        return
    tx, last, of_tx = frames[-1].tx, frames[-1].content, transactions.last
    if last.get("generation") != number:
        faults.append(f"journal: 'done' says generation {last.get('generation')}, the last COMMIT {number}")
    good = {"applied", "redone"} if "commit" in of_tx else set(UNDONE)
    if last.get("outcome") not in good:
        faults.append(f"journal: the outcome is '{last.get('outcome')}', not one of {sorted(good)}")
    if last.get("outcome") == "dropped-by-reboot" and "prepared" in of_tx and \
            of_tx["prepared"].content["instance"]["boot"] == machine.boot_id:
        faults.append("journal: dropped by a reboot, and the boot is the same")
    if tx not in outcomes:
        return
    record = outcomes[tx]
    words = good | ({"partly"} if "commit" in of_tx else {"undone", "failed"})
    if record["res"]["outcome"] not in words or record["gen"]["to"] != number:
        faults.append(f"audit: record {record['seq']} says '{record['res']['outcome']}', generation "
                      f"{record['gen']['to']}; the journal {last.get('outcome')!r}, {number}")
    cause = of_tx["revert"].content["cause"] if "revert" in of_tx else None
    if (cause if cause in AUTOMATIC else None) != record.get("cause"):
        faults.append(f"audit: record {record['seq']} says the cause is {record.get('cause')!r}, the journal {cause!r}")
