# SPDX-License-Identifier: LGPL-2.1-or-later
"""Crash images: what is on a file system when the power goes, taken while a change runs, and what has become of it.

    bed = Bed(folder)                     an XFS with reflinks in a file; raises NoBed where there is none to be had
    disk = bed.new_disk(OPTIONS[0])       in it a fresh ext4, on which everything durable of this world lies
    image = disk.snapshot()               the blocks as they are now, as a new file
    disk.drop()
    with bed.booted(image): …             the image is mounted, so its journal replayed, and the machine starts again

A snapshot is a reflink copy: XFS takes the file's lock for it, so that it is what the block device held at one moment,
every write before it and none behind. What ext4 still kept in memory is lost, as with a cut.

The rest says whether an image is what it may be: `verdict_of`.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess

import evidence
import judge
from world import UNUSUAL, reboot

FICLONE = 0x40049409  # linux/fs.h
POOL_MB, DISK_MB = 512, 32  # sparse; mkfs.xfs refuses less than 300 MB

# What lies on the disk: path -> its mode.
DURABLE = {"/etc/sysctl.d": 0o755, "/var/lib/twprofile": 0o700, "/var/log/twprofile": 0o755}
MARKER = f"{evidence.STATE_DIR}/enabled"
HEAD = f"{evidence.STATE_DIR}/audit-head"
STATUS = f"{evidence.RUN_DIR}/status.json"

# A journal that commits by itself only after minutes, and a rename that flushes nothing by itself, so that only what
# the program flushes is on the disk (ext4(5): commit, noauto_da_alloc); the second lets metadata pass data; the third
# is what a host has.
OPTIONS = ("noatime,commit=300,noauto_da_alloc", "noatime,commit=300,noauto_da_alloc,data=writeback", "noatime")


class NoBed(Exception):
    """Loop devices, XFS or ext4 are not to be had here; the text says what was tried."""


def _run(*command):
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if p.returncode != 0:
        raise OSError(f"{' '.join(command)}: {(p.stderr or p.stdout).strip()[-300:]}")


def _sparse(path, megabytes):
    with open(path, "wb") as f:
        f.truncate(megabytes << 20)


def _mount(image, where, options):
    """Loop devices of mount(8) go with the mount, and mounts with the namespace: nothing to clean up after a kill."""
    os.makedirs(where, exist_ok=True)
    _run("mount", "-o", f"loop,{options}", image, where)


@contextlib.contextmanager
def _durable_on(top):
    bound = []
    try:
        for path in DURABLE:
            _run("mount", "--bind", os.path.join(top, os.path.basename(os.path.dirname(path))), path)
            bound.append(path)
        yield
    finally:
        for path in reversed(bound):
            _run("umount", path)


class Disk:
    def __init__(self, bed, path, options):
        self.bed, self.path, self.top = bed, path, os.path.join(bed.folder, "disk")
        _sparse(path, DISK_MB)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", path)
        self.stack = contextlib.ExitStack()
        _mount(path, self.top, options)
        self.stack.callback(_run, "umount", self.top)
        for place, mode in DURABLE.items():
            folder = os.path.join(self.top, os.path.basename(os.path.dirname(place)))
            os.mkdir(folder)
            os.chmod(folder, mode)
        _run("sync", "-f", self.top)
        self.stack.enter_context(_durable_on(self.top))

    def snapshot(self):
        image = self.bed.new_name("image")
        with open(self.path, "rb") as source, open(image, "wb") as target:
            fcntl.ioctl(target, FICLONE, source.fileno())
        return image

    def drop(self):
        self.stack.close()
        os.unlink(self.path)


class Bed:
    def __init__(self, folder):
        self.folder, self.pool, self.number = folder, os.path.join(folder, "pool"), 0
        os.makedirs(folder)
        pool = os.path.join(folder, "pool.img")
        try:
            _sparse(pool, POOL_MB)
            _run("mkfs.xfs", "-q", "-m", "reflink=1", pool)
            _mount(pool, self.pool, "noatime")
            disk = self.new_disk(OPTIONS[0])
            try:
                os.unlink(disk.snapshot())
            finally:
                disk.drop()
        except OSError as e:
            raise NoBed(str(e).replace("\n", " ")) from e

    def new_name(self, stem):
        """Never one that was there: a loop device may let go of its file late."""
        self.number += 1
        return os.path.join(self.pool, f"{stem}-{self.number}")

    def new_disk(self, options):
        return Disk(self, self.new_name("disk"), options)

    @contextlib.contextmanager
    def booted(self, image, options):
        where = os.path.join(self.folder, "image")
        _mount(image, where, options)
        try:
            with _durable_on(where):
                yield
        finally:
            _run("umount", where)


# --- tears -------------------------------------------------------------------------------------------------------


def _mend_log(data, faults):
    """Takes out the remains of a line that a `torn` record behind them accounts for (docs/audit.md)."""
    kept, at = [], 0
    lines = data.split(b"\n")
    for n, line in enumerate(lines[:-1]):
        following = lines[n + 1]
        if line and b'"ev":"torn"' in following and b'"ev":"torn"' not in line:
            told = json.loads(following)["torn"]
            if (told["offset"], told["length"]) == (at, len(line)) and \
                    told["sha256"] == hashlib.sha256(line).hexdigest():
                at += len(line) + 1
                continue
            faults.append(f"audit: the tear at {at} is not what the record behind it says")
        kept.append(line)
        at += len(line) + 1
    return b"\n".join(kept + lines[-1:])


def mend_tears(machine, faults):
    """How many; the judge, which knows kills only, then sees a machine without them. A kept head without content is
    none: it is derived from the log, and not flushed."""
    tears = 0
    for _, path in evidence.audit_files(machine):
        tears += machine.files[path].count(b'"ev":"torn"')
        machine.files[path] = _mend_log(machine.files[path], faults)
    if not machine.files.get(HEAD, b"1").strip(b"\0"):
        del machine.files[HEAD]
    return tears


def _is_tear(fault):
    """Of the judge's: the remains of an unflushed frame behind the journal's last one, or of a line of the log."""
    return fault.startswith("journal: bytes at ") or fault.endswith("SIGKILL tears nothing")


# --- the verdict --------------------------------------------------------------------------------------------------


def _raw_faults(before, after):
    """Straight from the disk, for systemd-sysctl reads it before any recovery: the fragment is that of before or after.
    Generations and the marker may be lost or torn there: they are derived from the journal."""
    fragment = evidence.read_machine().fragment
    if fragment in (before.fragment, after.fragment):
        return []
    return [f"image: the fragment is neither as before nor as after the change: {str(fragment)[:100]}"]


def _read():
    """The number in the marker is for people; only whether it exists means anything, and only that is repaired."""
    machine = evidence.read_machine()
    if MARKER in machine.files:
        machine.files[MARKER] = b"set\n"
    return machine


def _run_helper(tools, verb, faults):
    p = tools.helper(verb)
    if p.returncode != 0:
        faults.append(f"{verb} ended with {p.returncode}: {p.stderr.strip()[-300:]}")


def _boot(tools, faults):
    """The machine starts. Where the conditions of the boot unit are not fulfilled, the next request's recovery is the
    first thing that looks."""
    reboot()
    is_wanted = any(map(os.path.exists, (MARKER, f"{evidence.STATE_DIR}/journal")))
    _run_helper(tools, "boot" if is_wanted else "recover", faults)


def _second_faults(tools, first):
    """Recovery once more finds nothing to do; the public view tells that it ran."""
    faults = []
    _run_helper(tools, "recover", faults)
    second = _read()
    for machine in (first, second):
        status = json.loads(machine.files.get(STATUS, b"{}"))
        machine.files[STATUS] = {key: value for key, value in status.items() if key != "last"}
    changed = [path for path in sorted(first.files.keys() | second.files.keys())
               if first.file(path) != second.file(path)]
    if changed or first.values != second.values:
        faults.append(f"a second recovery changed {', '.join(changed) or 'values'}")
    return faults


def _later_faults(tools):
    """What a tear left does not stand in the way of the next change."""
    p = tools.killer("--to=origin", "rollback")
    if p.returncode != 0:
        return [f"the next change ended with {p.returncode}: {p.stderr.strip()[-300:]}"]
    faults, machine = [], _read()
    mend_tears(machine, faults)
    faults += judge.judge(machine, machine, machine)[1]
    if machine.fragment is not None or any(machine.values[path] != value for path, value in UNUSUAL.items()):
        faults.append("the next change was not made")
    return [f"behind the next change: {fault}" for fault in faults if not _is_tear(fault)]


def boot_reference(tools, state, values):
    """What a machine that was shut down in this state comes up as; `values` is what it has to have, of our own
    knowledge. The machine, faults."""
    faults = []
    state.set()
    _boot(tools, faults)
    machine = _read()
    for path, value in values.items():
        if machine.values[path] != value:
            faults.append(f"{path} is {machine.values[path]!r}, not {value!r}")
    faults += judge.judge(machine, machine, machine, start=state.machine)[1]
    return machine, faults


def _judge(tools, before, after, references):
    faults = _raw_faults(before, after)
    _boot(tools, faults)
    machine, first = _read(), _read()
    tears = mend_tears(machine, faults)
    verdict, more = judge.judge(*references, machine, start=before)
    tears += any(fault.startswith("journal: bytes at ") for fault in more)
    faults += [fault for fault in more if not _is_tear(fault)]
    if judge.known_parts(references[0]) == judge.known_parts(references[1]):
        verdict = "same"
    return verdict, faults + _second_faults(tools, first) + _later_faults(tools), tears


def verdict_of(tools, bed, image, options, before, after, references):
    """Of an image that was taken between two states, the first of them acknowledged: ("old"|"new"|"same"|"mixed",
    faults, tears). `references`: what the two come up as. What cannot even be read is a fault of the image."""
    try:
        with bed.booted(image, options):
            try:
                return _judge(tools, before.machine, after.machine, references)
            except Exception as e:  # pylint: disable=broad-except; any of the judge's own code, on bytes of any kind
                return "mixed", [f"cannot be judged: {type(e).__name__}: {e}"], 0
    except OSError as e:
        return "mixed", [f"cannot be mounted: {e}"], 0

