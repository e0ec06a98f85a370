# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual machine whose power can be cut, and its disk.

    bed = Bed(folder, build, cache)            kernel, initial file system and an ext4 without anything in it
    disk = Disk(bed, folder)                   what survives
    boot = mounted(bed, disk, plan)            runs, and the disk is mounted; its lines: tests/crash/power-inside
    line, when = boot.next_line()              as they come; Failed when nothing comes any more
    boot.cut()                                 qemu gets SIGKILL; what the disk then holds is in it for the next boot
    boot.snapshots[0]                          bytes of the tar of "snapshot 0"

The disk loses at each cut what the guest has not flushed: its page cache dies with it, and the disk's own write cache
too. That one is qcow2's: each boot writes into a new overlay, whose tables qemu keeps in its memory until the guest
flushes; a cluster that no written table names is not there afterwards. A cluster that is written twice keeps its
last content at once: so writes also get out of order, as a disk may. The disk is virtio, which knows no "force unit
access": Linux flushes instead (block/blk-flush.c), so nothing depends on what a disk's emulation makes of that bit.
"""

import os
import select
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TOP, "tests", "kernels"))

from image import Image  # noqa: E402
from machine import Failed, Unavailable, build_probe, debian_kernel, machine_command, tail  # noqa: E402

SERIES = "6.1"
MODULES = ("virtio_pci", "virtio_blk")
TOOLS = ("cat", "dd", "grep", "mkdir", "mount", "sed", "sleep", "tar", "tr")
LIBRARIES = ("libsmartcols.so.1",)
SYSCTL = "/usr/lib/systemd/systemd-sysctl"
UNIT = "twprofile-boot.service"
HELPER = "/usr/bin/twprofile-helper"
PROFILES = ("hygiene", "outbound-proxy", "busy-web-server", "load-generator")
# as StateDirectory= and LogsDirectory= of the unit make them
FOLDERS = (("etc/sysctl.d", 0o755), ("var/lib/twprofile", 0o700), ("var/log/twprofile", 0o755))
MEMORY_MIB = 256
DISK_MIB = 24
SLOT = 2 * 1024 * 1024  # of a snapshot
SLOTS = 16
# A tenth of the time until init, which is most of a cycle. no_timer_check: on a busy host the kernel panics for want of a tick
QUICK = "no_timer_check tsc=reliable lpj=4000000 random.trust_cpu=on audit=0 apparmor=0 mitigations=off"
SILENCE_S = 240         # without any line: it hangs


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def boot_entry(build):
    """ExecStart= of the real unit, with the helper where it is in the image."""
    with open(os.path.join(build, "units", UNIT), encoding="ascii") as file:
        lines = [line.strip()[len("ExecStart="):] for line in file if line.startswith("ExecStart=")]
    if len(lines) != 1 or "%b" not in lines[0]:
        raise Failed(f"{UNIT} does not start as this test knows it: {lines}")
    return " ".join([HELPER] + lines[0].split()[1:])


class Bed:
    """`values`: what /etc/sysctl.d sets of its own; `never_flushes`: the planted fault."""

    def __init__(self, folder, build, cache, values, never_flushes=False):
        for tool in ("qemu-system-x86_64", "qemu-img", "mke2fs"):
            if not shutil.which(tool):
                raise Unavailable(f"{tool} is not installed")
        os.makedirs(folder, exist_ok=True)
        self.folder, self.build, self.values = folder, build, values
        self.kernel = debian_kernel(cache, SERIES)
        self.initrd = os.path.join(folder, "initrd")
        self.image(never_flushes).write(self.initrd)

    def image(self, never_flushes):
        image = Image()
        image.add_file("/init", build_probe(self.folder), 0o755)
        image.add_bytes("/plan", b"")
        image.add_file("/after", os.path.join(HERE, "power-inside"), 0o755)
        image.add_modules(self.kernel.root, MODULES)
        image.add_program("/bin/sh", "/bin/sh")
        for tool in TOOLS:
            image.add_program("/usr/bin/" + tool, shutil.which(tool))
        for library in LIBRARIES:
            image.add_library(library)
        image.add_program(SYSCTL, SYSCTL)
        image.add_program("/usr/bin/twprofile", os.path.join(self.build, "src", "cli", "twprofile"))
        image.add_program(HELPER, os.path.join(self.build, "src", "helper", "twprofile-helper"))
        image.add_bytes("/boot-entry", boot_entry(self.build).encode() + b"\n")
        for name in PROFILES:
            image.add_file(f"/usr/share/twprofile/profiles/{name}.yaml", os.path.join(TOP, "profiles", name + ".yaml"))
        for name in ("/etc/sysctl.d", "/etc/twprofile/profiles", "/var", "/run", "/tmp", "/disk", "/proc", "/sys", "/dev"):
            image.add_folder(name)
        image.add_bytes("/etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        image.add_bytes("/etc/group", b"root:x:0:\nadm:x:4:\n")
        image.add_bytes("/mount-options", b"-o commit=300\n" if never_flushes else b"\n")
        if never_flushes:
            library = os.path.join(self.folder, "no-flush.so")
            run("gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library,
                os.path.join(HERE, "power-no-flush.c"))
            image.add_file("/usr/lib/no-flush.so", library, 0o755)
            image.add_bytes("/etc/ld.so.preload", b"/usr/lib/no-flush.so\n")
        return image


class Disk:
    def __init__(self, bed, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.path = os.path.join(folder, "disk.img")
        self.overlay = os.path.join(folder, "disk.qcow2")
        tree = os.path.join(folder, "tree")
        shutil.rmtree(tree, ignore_errors=True)
        for name, mode in FOLDERS:
            os.makedirs(os.path.join(tree, name))
            os.chmod(os.path.join(tree, name), mode)
        with open(os.path.join(tree, "etc/sysctl.d/10-machine.conf"), "w", encoding="ascii") as file:
            file.writelines(f"{path.replace('/', '.')} = {value}\n" for path, value in bed.values.items())
        with open(self.path, "wb") as file:
            file.truncate(DISK_MIB << 20)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", tree, self.path)
        shutil.rmtree(tree)

    def begin(self):
        """The file for one boot. What was found then stays beside it, for whoever looks into a violation."""
        shutil.copyfile(self.path, os.path.join(self.folder, "found.img"))
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", os.path.abspath(self.path), "-o",
            "cluster_size=4k", self.overlay)
        return self.overlay

    def end(self):
        """What qemu's process had written out is what the disk holds from now on."""
        run("qemu-img", "commit", "-q", self.overlay)
        os.unlink(self.overlay)


class Boot:
    def __init__(self, bed, disk, plan):
        self.disk, self.snapshots, self.said, self.mounted_at, self._rest = disk, {}, [], 0, b""
        self.console = os.path.join(disk.folder, "console")
        self.report = os.path.join(disk.folder, "report")
        with open(self.report, "wb") as file:
            file.write("".join(line + "\n" for line in [*plan, "end"]).encode("ascii"))
            file.truncate(SLOT * SLOTS)
        self._lines, out = os.pipe()
        # the machine never outlives whoever looks at it
        machine = machine_command(bed.kernel, bed.initrd, MEMORY_MIB, 1, self.console, f"/dev/fd/{out}", QUICK)
        command = ["setpriv", "--pdeathsig", "KILL", *machine,
            "-drive", f"file={disk.begin()},format=qcow2,if=none,id=state,cache=writeback",
            "-device", "virtio-blk-pci,drive=state",
            "-drive", f"file={self.report},format=raw,if=none,id=report,cache=writeback",
            "-device", "virtio-blk-pci,drive=report"]
        self.began = time.monotonic()
        with open(os.path.join(disk.folder, "qemu"), "wb") as errors:
            self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, pass_fds=[out])
        os.close(out)

    def next_line(self, timeout=SILENCE_S):
        """The next line and when it came; None after `timeout` seconds when that was given."""
        until = time.monotonic() + timeout
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._lines], [], [], left)[0]:
                if timeout == SILENCE_S:
                    raise Failed(f"the machine says nothing for {timeout} s: {tail(self.console)}")
                return None
            data = os.read(self._lines, 65536)
            if not data:
                raise Failed(f"the machine ended: {tail(self.console)}{tail(os.path.join(self.disk.folder, 'qemu'))}")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        text = line.decode("ascii", "replace").strip("\r")
        self.said.append(text)
        if text.startswith("snapshot ") and text.endswith(" 0"):
            slot = int(text.split()[1])
            with open(self.report, "rb") as file:
                file.seek(slot * SLOT)
                self.snapshots[slot] = file.read(SLOT)
        return text, time.monotonic()

    def wait_for(self, *beginnings):
        """The first line that begins so."""
        while True:
            line, when = self.next_line()
            if line.startswith(beginnings):
                return line, when

    def cut(self):
        """Gives the lines that were still on their way."""
        self.kill()
        self.disk.end()
        late = len(self.said)
        try:
            while self.next_line(timeout=5):
                pass
        except Failed:
            pass  # the end of the pipe
        os.close(self._lines)
        return self.said[late:]

    def kill(self):
        self._qemu.kill()
        self._qemu.wait()


def mounted(bed, disk, plan):
    """A boot in which the disk is mounted. A kernel that does not come so far is the bed's fault, and tried again."""
    for last in (False, False, True):
        boot = Boot(bed, disk, plan)
        try:
            boot.mounted_at = boot.wait_for("boot")[1]
            return boot
        except Failed:
            boot.cut()
            if last:
                raise
