# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a kill left behind, read without any code of the engine.

    machine = read_machine()              values and files of /proc/sys/net, /etc/sysctl.d, /var/lib, /var/log, /run
    frames = read_journal(bytes, faults)
    log = read_audit(machine, faults)

What is not as the format says goes into `faults`. The knowledge of the formats comes from src/record/journal-format.h,
journal-payload.h and docs/audit.md.
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
RUN_DIR = "/run/twprofile"
BOOT_ID = "/proc/sys/kernel/random/boot_id"

MAGIC = b"\x89TWPJ\r\n\x1a"
HEADER = struct.Struct("<8sIIQQ16sQQ32s32s")
TYPES = {1: "prepared", 2: "applied", 3: "commit", 4: "revert", 5: "done"}
LEGAL = {None: {"prepared", "commit"}, "prepared": {"applied", "commit", "revert", "done"},
         "applied": {"commit", "revert", "done"}, "commit": {"done"}, "revert": {"done"}, "done": set()}


# --- the machine -------------------------------------------------------------------------------------------


class Machine:
    """Everything that a change may touch, as bytes."""

    def __init__(self):
        self.boot_id = None
        self.values = {}
        self.files = {}  # path -> bytes, of SYSCTL_DIR, STATE_DIR, LOG_DIR, and RUN_DIR without this test's profiles
        self.modes = {}

    def file(self, path):
        return self.files.get(path)

    @property
    def fragment(self):
        return self.file(f"{SYSCTL_DIR}/{FRAGMENT}")

    @property
    def status(self):
        return self.file(f"{RUN_DIR}/status.json")

    @property
    def pending(self):
        return self.file(f"{RUN_DIR}/pending")


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
    machine.boot_id = _read(BOOT_ID).decode().strip()
    machine.values = {name: read_sysctl(name) for name in sysctls()}
    for top in (SYSCTL_DIR, STATE_DIR, LOG_DIR, RUN_DIR):
        for folder, folders, names in os.walk(top):
            if folder == RUN_DIR and "profiles" in folders:
                folders.remove("profiles")
            for name in names:
                path = os.path.join(folder, name)
                machine.files[path] = _read(path)
                machine.modes[path] = stat.S_IMODE(os.lstat(path).st_mode)
    return machine


def parse_fragment(text):
    """Path below /proc/sys -> value."""
    told = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.partition("=")
        path = key.strip()
        told[path if "/" in path else path.replace(".", "/")] = value.strip()
    return told


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


def generation_essence(content):
    """A generation without what is new in every run."""
    return {k: v for k, v in content.items() if k not in ("tx", "created_us")}


@functools.lru_cache(maxsize=1024)
def is_canonical(line):
    return json.dumps(parse_json(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == line


# --- audit -------------------------------------------------------------------------------------------------


def audit_files(machine):
    """[(number of the first record, path), ...] in their order."""
    found = ((re.fullmatch(re.escape(LOG_DIR) + r"/audit-(\d+)\.ndjson", path), path) for path in machine.files)
    return sorted((int(m.group(1)), path) for m, path in found if m)


def read_audit(machine, faults):
    """The records of all files in their order, the chain recomputed; each with its line's hash as `_hash`."""
    files = audit_files(machine)
    for path in machine.files:
        if path.startswith(LOG_DIR + "/") and path not in {p for _, p in files}:
            faults.append(f"audit: a strange file {path}")
    records, previous = [], None
    number = files[0][0] if files else 1
    for first, path in files:
        data = machine.files[path]
        if machine.modes[path] != 0o640:
            faults.append(f"audit: {path} has mode {machine.modes[path]:o}")
        if data and not data.endswith(b"\n"):
            faults.append(f"audit: {path} ends in the middle of a line")
        if first != number:
            faults.append(f"audit: {path} should begin with record {number}")
        if records and records[-1].get("ev") != "rotate":
            faults.append(f"audit: {path} follows a file that no 'rotate' ends")
        for line in data.split(b"\n")[:-1]:
            try:
                record = dict(parse_json(line))
            except ValueError as e:
                faults.append(f"audit: line {number} is not JSON: {e}")
                return records
            if previous is None and number == 1:
                previous = hashlib.sha256(b"twprofile-audit-1:" + str(record.get("log")).encode()).hexdigest()
            if number == first and record.get("ev") != "open":
                faults.append(f"audit: {path} begins with no 'open'")
            if not is_canonical(line):
                faults.append(f"audit: line {number} is not written canonically")
            if previous is not None and record.get("prev") != previous:
                faults.append(f"audit: the chain is broken at line {number}")
            if record.get("seq") != number:
                faults.append(f"audit: line {number} says it is record {record.get('seq')}")
            previous = record["_hash"] = hashlib.sha256(line).hexdigest()
            records.append(record)
            number += 1
    return records


def find_record(records, seq):
    at = seq - records[0]["seq"] if records else -1
    return records[at] if 0 <= at < len(records) else None
