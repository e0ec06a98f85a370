# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a round leaves: the audit log, the newest generation, the fragment, and all that must not be there any more."""

import errno
import fcntl
import glob
import json
import os
import re

STATE_DIR, RUN_DIR, LOG_DIR = "/var/lib/twprofile", "/run/twprofile", "/var/log/twprofile"
FRAGMENT = "/etc/sysctl.d/60-twprofile.conf"
EXPECTED = {
    STATE_DIR: {"journal", "lock", "audit-head", "generations", "enabled", "quarantine"},
    RUN_DIR: {"status.json", "denied", "profiles", "armed"},
}


def read_audit():
    names = glob.glob(f"{LOG_DIR}/audit-*.ndjson")
    records = []
    for name in sorted(names, key=lambda n: int(re.search(r"audit-(\d+)\.", n).group(1))):
        with open(name, encoding="utf-8") as f:
            records += [json.loads(line) for line in f]
    return records


def read_fragment():
    values = {}
    if os.path.exists(FRAGMENT):
        with open(FRAGMENT, encoding="ascii") as f:
            for line in f:
                key, equals, value = line.partition("=")
                if equals and not line.startswith("#"):
                    values[key.strip()] = value.strip()
    return values


def read_generation():
    numbers = [int(os.path.basename(p)[:-5]) for p in glob.glob(f"{STATE_DIR}/generations/*.json")]
    return max(numbers, default=0)


def strange_files():
    for folder, names in EXPECTED.items():
        for name in sorted(os.listdir(folder)):
            if name not in names:
                yield f"{folder}/{name}"
    for name in sorted(os.listdir("/etc/sysctl.d")):
        if name != os.path.basename(FRAGMENT):
            yield f"/etc/sysctl.d/{name}"
    for pattern, folder in ((r"\d+\.json", "generations"), (r"[0-9a-f]{64}", "quarantine")):
        path = f"{STATE_DIR}/{folder}"
        for name in sorted(os.listdir(path)) if os.path.isdir(path) else ():
            if not re.fullmatch(pattern, name):
                yield f"{path}/{name}"
    for name in sorted(os.listdir(LOG_DIR)):
        if not re.fullmatch(r"audit-\d+\.ndjson", name):
            yield f"{LOG_DIR}/{name}"


def held_locks():
    for path in (f"{STATE_DIR}/lock", f"{RUN_DIR}/armed"):
        if not os.path.exists(path):
            continue
        with open(path, "r+b") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield f"the lock of {path}"


def processes():
    """Nobody else is in this network namespace, and who is can be looked at; children that nobody waited for come to this process."""
    ours = os.readlink("/proc/self/ns/net")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(pid) != os.getpid() and os.readlink(f"/proc/{pid}/ns/net") == ours:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                    yield f"process {pid} ({f.read().strip()})"
        except OSError as e:
            if e.errno not in (errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM):
                raise
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield f"process {pid}, dead, and nobody had waited for it"


def look():
    waiting = 0
    if os.path.exists(f"{RUN_DIR}/denied"):
        with open(f"{RUN_DIR}/denied", encoding="ascii") as f:
            waiting = int(f.read().split()[2])
    return {"left": [*strange_files(), *held_locks(), *processes()], "generation": read_generation(),
            "fragment": read_fragment(), "denied_waiting": waiting}
