# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a kill left behind, read and judged without any code of the engine.

    old, new = read_machine(), …          before a change, and after an unkilled one
    verdict, faults = judge(old, new, read_machine(), answered=False)

The judge reads /proc/sys/net, /etc/sysctl.d, and the files of /var/lib, /var/log and /run/twprofile below "/" of the
process it runs in. Its knowledge of the formats comes from src/record/journal-format.h, audit-format.h and the
golden rule: old everywhere, or new everywhere. `verdict` is "old", "new" or "mixed".
"""

import functools
import hashlib
import json
import os
import re
import stat
import struct

SYSCTL_TREES = ["/proc/sys/net/ipv4", "/proc/sys/net/core"]
SYSCTL_DIR = "/etc/sysctl.d"
FRAGMENT = "60-twprofile.conf"
STATE_DIR = "/var/lib/twprofile"
LOG_DIR = "/var/log/twprofile"
STATUS = "/run/twprofile/status.json"

MAGIC = b"\x89TWPJ\r\n\x1a"
HEADER = struct.Struct("<8sIIQQ16sQQ32s32s")
TYPES = {1: "prepared", 2: "applied", 3: "commit", 4: "revert", 5: "done"}
LEGAL = {None: {"prepared", "commit"}, "prepared": {"commit", "revert", "done"}, "commit": {"done"},
         "revert": {"done"}, "done": set()}


class Machine:
    """Everything that a change may touch, as bytes."""

    def __init__(self):
        self.values = {}
        self.files = {}  # path -> bytes, of SYSCTL_DIR, STATE_DIR and LOG_DIR, and what is hidden beside STATUS
        self.modes = {}
        self.status = None
        self._parts = None

    def parts(self):
        """Of a machine that is compared with again and again: read once."""
        if self._parts is None:
            self._parts = parts_of(self, [])[0]
        return self._parts

    def file(self, path):
        return self.files.get(path)

    @property
    def fragment(self):
        return self.file(f"{SYSCTL_DIR}/{FRAGMENT}")


def _read(path):
    with open(path, "rb") as f:
        return f.read()


_sysctls = {}  # name below /proc/sys -> descriptor, open as long as this process


def sysctls():
    """All readable ones without those of single interfaces; what a write triggers cannot be read."""
    if _sysctls:
        return _sysctls
    for tree in SYSCTL_TREES:
        for folder, folders, names in os.walk(tree):
            folders[:] = [f for f in folders if f not in ("conf", "neigh")]
            for name in names:
                path = os.path.join(folder, name)
                try:
                    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                except PermissionError:
                    continue
                try:
                    os.pread(fd, 1, 0)
                except OSError:
                    os.close(fd)
                    continue
                _sysctls[path[len("/proc/sys/"):]] = fd
    return _sysctls


def read_sysctl(name):
    return os.pread(sysctls()[name], 65536, 0).rstrip(b"\n").decode()


def read_machine():
    machine = Machine()
    machine.values = {name: read_sysctl(name) for name in sysctls()}
    for top in (SYSCTL_DIR, STATE_DIR, LOG_DIR):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                machine.files[path] = _read(path)
                machine.modes[path] = stat.S_IMODE(os.lstat(path).st_mode)
    for name in os.listdir(os.path.dirname(STATUS)):
        path = os.path.join(os.path.dirname(STATUS), name)
        if name.startswith("."):
            machine.files[path] = _read(path)
    if os.path.exists(STATUS):
        machine.status = _read(STATUS)
    return machine


def _once(pairs):
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise ValueError("a member twice")
    return seen


@functools.lru_cache(maxsize=1024)
def parse_json(data):
    """Nobody changes what it gives: most of what is read is the same from point to point."""
    return json.loads(data.decode("utf-8"), object_pairs_hook=_once)


# --- journal -----------------------------------------------------------------------------------------------


class Frame:
    def __init__(self, kind, tx, payload, digest, durable):
        self.kind, self.tx, self.payload, self.digest, self.durable = kind, tx, payload, digest, durable


def _uuid(raw):
    h = raw.hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def read_journal(data, faults):
    """The frames from the start; anything but zeros behind them is a fault: SIGKILL tears nothing."""
    frames, at, previous = [], 0, bytes(32)
    while len(data) - at >= HEADER.size and data[at:at + 8] == MAGIC:
        _, version, kind, index, length, tx, durable, reserved, before, digest = HEADER.unpack_from(data, at)
        end = at + HEADER.size + length
        if end > len(data):
            break
        payload = data[at + HEADER.size:end]
        if hashlib.sha256(data[at:at + 96] + payload).digest() != digest or before != previous or index != len(frames):
            break
        if version != 1 or kind not in TYPES or reserved != 0 or durable > index:
            faults.append(f"journal: frame {index} has a header that version 1 does not have")
            break
        frames.append(Frame(TYPES[kind], _uuid(tx), payload, digest.hex(), durable))
        previous = digest
        at = (end + 63) // 64 * 64
    if data[at:].strip(b"\0"):
        faults.append(f"journal: bytes at {at} that belong to no frame")
    return frames


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
        if frame.kind == "commit" and frame.content.get("tx") != frame.tx:
            faults.append(f"journal: frame {n} holds a generation of another transaction")
    if frames and frames[-1].kind != "done":
        faults.append(f"journal: the last frame is '{frames[-1].kind}', not 'done'")


def generation_essence(content):
    """A generation without what is new in every run."""
    return {k: v for k, v in content.items() if k not in ("tx", "created_us")}


@functools.lru_cache(maxsize=1024)
def is_canonical(line):
    return json.dumps(parse_json(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == line


# --- audit -------------------------------------------------------------------------------------------------


def read_audit(machine, faults):
    """The records of all files in their order, the chain recomputed."""
    names = []
    for path in machine.files:
        m = re.fullmatch(re.escape(LOG_DIR) + r"/audit-(\d+)\.ndjson", path)
        if m:
            names.append((int(m.group(1)), path))
        elif path.startswith(LOG_DIR + "/"):
            faults.append(f"audit: a strange file {path}")
    records, previous = [], None
    for first, path in sorted(names):
        data = machine.files[path]
        if machine.modes[path] != 0o640:
            faults.append(f"audit: {path} has mode {machine.modes[path]:o}")
        if data and not data.endswith(b"\n"):
            faults.append(f"audit: {path} ends in the middle of a line")
        if first != len(records) + 1:
            faults.append(f"audit: {path} should begin with record {len(records) + 1}")
        for line in data.split(b"\n")[:-1]:
            try:
                record = dict(parse_json(line))
            except ValueError as e:
                faults.append(f"audit: line {len(records) + 1} is not JSON: {e}")
                return records
            if previous is None:
                previous = hashlib.sha256(b"twprofile-audit-1:" + str(record.get("log")).encode()).hexdigest()
                if record.get("ev") != "open":
                    faults.append("audit: the first record is no 'open'")
            record["_hash"] = hashlib.sha256(line).hexdigest()
            if not is_canonical(line):
                faults.append(f"audit: line {len(records) + 1} is not written canonically")
            if record.get("prev") != previous:
                faults.append(f"audit: the chain is broken at line {len(records) + 1}")
            if record.get("seq") != len(records) + 1:
                faults.append(f"audit: line {len(records) + 1} says it is record {record.get('seq')}")
            previous = record["_hash"]
            records.append(record)
    return records


def check_audit(records, frames, faults):
    """One outcome for each intent, behind it, nothing torn; both bound to the journal's frames."""
    intents, outcomes = {}, {}
    ends = {f.tx: f.content.get("outcome") for f in frames if f.kind == "done"}
    for record in records:
        event, tx = record.get("ev"), record.get("tx")
        if event == "torn":
            faults.append(f"audit: record {record['seq']} tells of a tear, but SIGKILL tears nothing")
        if event == "intent":
            if tx in intents:
                faults.append(f"audit: a second intent of {tx}")
            intents[tx] = record
        if event == "recover" and (tx in intents or ends.get(tx, "reverted") != "reverted"):
            faults.append(f"audit: record {record['seq']} is of a recovery, where an outcome belongs")
        elif event in ("outcome", "confirm"):
            if tx in outcomes:
                faults.append(f"audit: a second outcome of {tx}: '{outcomes[tx]['res']['outcome']}', then "
                              f"'{record['res']['outcome']}'")
            elif tx not in intents:
                faults.append(f"audit: an outcome without intent, {tx}")
            outcomes[tx] = record
    for tx in intents:
        if tx not in outcomes:
            faults.append(f"audit: no outcome of {tx}")

    for record in list(intents.values()) + list(outcomes.values()):
        allowed = {"prepared"} if record["ev"] == "intent" else {"prepared", "commit", "revert"}
        of_tx = [f for f in frames if f.tx == record["tx"]]
        if any(f.kind == "prepared" for f in of_tx) and \
                record.get("txh") not in {f.digest for f in of_tx if f.kind in allowed}:
            faults.append(f"audit: record {record['seq']} names a frame that the journal does not have")
    return outcomes


def check_head(machine, records, faults):
    head = machine.file(f"{STATE_DIR}/audit-head")
    if head is None:
        return
    m = re.fullmatch(rb"(\d+) ([0-9a-f]{64})\n", head)
    if not m or not 1 <= int(m.group(1)) <= len(records) or \
            records[int(m.group(1)) - 1]["_hash"] != m.group(2).decode():
        faults.append("audit: the kept head is not in the log")


# --- one state --------------------------------------------------------------------------------------------


def _words(text):
    return text.split()


def check_fragment(machine, generation, faults):
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

    told = {}
    for line in text.decode().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.partition("=")
        path = key.strip()
        told[path if "/" in path else path.replace(".", "/")] = value.strip()
    wanted = {k["key"].replace(".", "/"): k["value"] for k in generation["keys"]}
    for path in sorted(told.keys() | wanted.keys()):
        if path not in told or path not in wanted or _words(told[path]) != _words(wanted[path]):
            faults.append(f"fragment: {path} is {told.get(path)!r}, in the generation {wanted.get(path)!r}")
        elif _words(machine.values.get(path, "")) != _words(told[path]):
            faults.append(f"values: {path} is {machine.values.get(path)!r}, in the fragment {told[path]!r}")


def parts_of(machine, faults):
    """The places where a state shows, each comparable, and the journal's frames."""
    journal = machine.file(f"{STATE_DIR}/journal")
    frames = read_journal(journal, faults) if journal is not None else []
    check_journal(frames, faults)
    commits = [f for f in frames if f.kind == "commit"]
    generation = commits[-1].content if commits else None

    files = {}
    for path, data in machine.files.items():
        m = re.fullmatch(re.escape(STATE_DIR) + r"/generations/(\d+)\.json", path)
        if not m:
            continue
        try:
            files[int(m.group(1))] = generation_essence(parse_json(data))
        except ValueError as e:
            faults.append(f"generations: {path} is not JSON: {e}")
        for frame in commits:
            if frame.content.get("number") == int(m.group(1)) and frame.payload != data:
                faults.append(f"generations: {path} differs from the journal's COMMIT")

    status = None
    if machine.status is not None:
        try:
            status = (parse_json(machine.status).get("generation") or {}).get("number")
        except ValueError as e:
            faults.append(f"status: not JSON: {e}")
    marker = machine.file(f"{STATE_DIR}/enabled")
    return {
        "values": machine.values,
        "fragment": machine.fragment,
        "journal": generation_essence(generation) if generation else None,
        "generations": files,
        "marker": marker,
        "status": status,
    }, frames, generation


def _difference(part, old, new, got):
    if part == "values":
        keys = [k for k in got if got[k] not in (old.get(k), new.get(k))] or \
               [k for k in got if old.get(k) != new.get(k)]
        return ", ".join(f"{k}={got[k]!r} (old {old.get(k)!r}, new {new.get(k)!r})" for k in keys[:12])
    text = str(got)
    return text if len(text) < 120 else text[:117] + "..."


def judge(old, new, got, answered):
    """`answered`: the client was told that the change is done. ("old"|"new"|"mixed", [fault, …])"""
    faults = []
    old_parts, new_parts = old.parts(), new.parts()
    parts, frames, generation = parts_of(got, faults)

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
    verdict = "mixed" if len(may_be) != 1 else may_be.pop()
    if answered and verdict != "new":
        faults.append("the client was told that the change is done, and it is not")

    check_fragment(got, generation, faults)
    for path in got.files:
        if path not in old.files and (path.startswith(SYSCTL_DIR + "/") and path != f"{SYSCTL_DIR}/{FRAGMENT}" or
                                      os.path.basename(path).startswith(".")):
            faults.append(f"a file is left in {path}")

    records = read_audit(got, faults)
    outcomes = check_audit(records, frames, faults)
    check_head(got, records, faults)
    check_agreement(verdict, frames, generation, records, outcomes, faults)
    for path, data in old.files.items():
        if path.startswith(LOG_DIR + "/") and not got.files.get(path, b"").startswith(data):
            faults.append(f"audit: {path} lost what it had")
    return verdict, faults


def check_agreement(verdict, frames, generation, records, outcomes, faults):
    """What journal and audit say of the last transaction is what happened to it."""
    number = generation["number"] if generation else 0
    for n, frame in enumerate(frames):
        if frame.kind != "done":
            continue
        done = frame.content
        seq = done.get("audit_seq", 0)
        if seq == 0:
            faults.append(f"journal: frame {n}: 'done' without its audit record")
        elif seq > len(records) or records[seq - 1]["_hash"] != done.get("audit_hash") or \
                records[seq - 1].get("tx") != frame.tx:
            faults.append(f"journal: frame {n}: 'done' names an audit record that is another")

    if not frames or frames[-1].kind != "done":
        return
    last = frames[-1]
    if last.content.get("generation") != number:
        faults.append(f"journal: 'done' says generation {last.content.get('generation')}, the last COMMIT {number}")
    committed = any(f.kind == "commit" and f.tx == last.tx for f in frames)
    good = {"applied", "redone"} if committed else {"reverted"}
    if last.content.get("outcome") not in good:
        faults.append(f"journal: the outcome is '{last.content.get('outcome')}', not one of {sorted(good)}")
    if last.tx in outcomes:
        record = outcomes[last.tx]
        if record["res"]["outcome"] not in good or record["gen"]["to"] != number:
            faults.append(f"audit: record {record['seq']} says '{record['res']['outcome']}', generation "
                          f"{record['gen']['to']}; the journal {last.content.get('outcome')!r}, {number}")
    if verdict == "new" and not committed:
        faults.append("journal: the state is new, but the last transaction has no COMMIT")
