# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine of a crash test: its states, a reboot of it, and the programs that run on it.

    prepare()                             once, in the world that tests/integration/private-world made
    start = Start()  …  start.set()       values, files and boot id, taken and set again
    reboot()                              what a fresh boot finds before the boot unit runs
    Tools(killer, helper)                 requests, killed requests, the real recovery
"""

import os
import shutil
import signal
import subprocess
import uuid

import evidence

TREES = ["/etc/sysctl.d", "/var/lib/twprofile", "/var/log/twprofile", "/run/twprofile"]
RUN_DIR = "/run/twprofile"
BOOT_ID_FILE = "/run/crash-boot-id"

# What the machine has before: not the kernel's defaults, so that a return to defaults is not mistaken for undo.
UNUSUAL = {
    "net/ipv4/tcp_fin_timeout": "47",
    "net/ipv4/tcp_rfc1337": "1",
    "net/ipv4/tcp_abort_on_overflow": "1",
    "net/ipv4/tcp_retries2": "6",
    "net/ipv4/tcp_keepalive_time": "6000",
    "net/ipv4/tcp_tw_reuse": "0",
    "net/ipv4/tcp_timestamps": "2",
    "net/ipv4/ip_local_port_range": "32000\t61000",
    "net/ipv4/tcp_max_tw_buckets": "20000",
    "net/core/somaxconn": "900",
}


class Broken(Exception):
    """The test itself cannot go on."""


# --- states of the machine -----------------------------------------------------------------------------------


def _write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def _empty(top):
    for entry in os.scandir(top) if os.path.isdir(top) else []:
        shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)


class Start:
    """A state that can be set again: values, boot id, and the files of TREES."""

    def __init__(self):
        self.machine = evidence.read_machine()
        self.entries = []
        for top in TREES:
            for folder, _, names in os.walk(top):
                self.entries.append((folder, os.stat(folder).st_mode & 0o7777, None))
                for name in names:
                    path = os.path.join(folder, name)
                    with open(path, "rb") as f:
                        self.entries.append((path, os.stat(path).st_mode & 0o7777, f.read()))

    def set(self):
        for top in TREES:
            _empty(top)
        for path, mode, data in self.entries:
            if data is None:
                os.makedirs(path, exist_ok=True)
            else:
                _write(path, data)
            os.chmod(path, mode)
        _write(BOOT_ID_FILE, self.machine.boot_id.encode() + b"\n")
        set_values(self.machine.values)


def set_values(values):
    """Twice, because keys may bound each other."""
    for last in (False, True):
        for path, value in values.items():
            if evidence.read_sysctl(path) == value:
                continue
            try:
                _write("/proc/sys/" + path, value.encode())
            except OSError as e:
                if last:
                    raise Broken(f"cannot set {path} to {value!r}: {e}")


# --- boots ---------------------------------------------------------------------------------------------------------

_booted = {}  # the values with which the kernel comes up


def prepare():
    """The places, UNUSUAL values, and a boot id that can be another one: over the kernel's, in this mount namespace."""
    for top in TREES:
        os.makedirs(top, exist_ok=True)
    set_values(UNUSUAL)
    _booted.update(evidence.read_machine().values)
    _write(BOOT_ID_FILE, f"{uuid.uuid4()}\n".encode())
    subprocess.run(["mount", "--bind", BOOT_ID_FILE, evidence.BOOT_ID], check=True)


def reboot():
    """/run is empty, the kernel has its own values again, and systemd-sysctl has put those of sysctl.d over them."""
    for entry in os.scandir(RUN_DIR):
        if entry.name != "profiles":
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
    _write(BOOT_ID_FILE, f"{uuid.uuid4()}\n".encode())
    set_values(_booted)
    for name in sorted(os.listdir(evidence.SYSCTL_DIR)):
        if not name.endswith(".conf") or name.startswith("."):
            continue
        with open(os.path.join(evidence.SYSCTL_DIR, name), encoding="utf-8") as f:
            for path, value in evidence.parse_fragment(f.read()).items():
                _write("/proc/sys/" + path, value.encode())


# --- processes -------------------------------------------------------------------------------------------------


class Tools:
    # of an answer: done, what a guard tells of a change that it took back, and that somebody else's value was left
    GOOD = (0, 6, 7)

    def __init__(self, killer, helper):
        self.killer_path, self.helper_path = killer, helper

    def killer(self, *arguments):
        return subprocess.run([self.killer_path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def request(self, arguments):
        """Runs to its end; the token that it was told, or None."""
        p = self.killer(*arguments)
        words = p.stdout.split()
        if p.returncode not in self.GOOD or len(words) != 5 or words[0] != "answered" or words[1] == "refused":
            raise Broken(f"{' '.join(arguments)} ended with {p.returncode}: {p.stdout}{p.stderr[-2000:]}")
        return None if words[4] == "-" else words[4]

    def kill(self, point, arguments, *options):
        """Runs until the kill at `point`, (call, "before" or "after"), or None for behind the answer; whether it had
        answered."""
        number, when = point or ("answer", "behind")
        p = self.killer(f"--kill={number}{':after' if when == 'after' else ''}", *options, *arguments)
        if p.returncode != -signal.SIGKILL:
            raise Broken(f"not killed {when} call {number} of {' '.join(arguments)}: {p.returncode} {p.stdout}"
                         f"{p.stderr[-1000:]}")
        return "answered" in p.stdout

    def helper(self, verb):
        return subprocess.run([self.helper_path, verb], stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def trace(self, arguments):
        """The calls of an unkilled run: [operation + path, ...]."""
        p = self.killer("--trace", *arguments)
        calls = [line.split(" ", 1)[1] for line in p.stderr.splitlines() if line.split(" ", 1)[0].isdigit()]
        if p.returncode not in self.GOOD or not calls:
            raise Broken(f"no trace of {' '.join(arguments)}: {p.returncode} {p.stderr[-1000:]}")
        return calls
