# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernels for tests/kernels: Debian's in virtual machines without KVM, and the running one in a namespace.

    kernel = debian_kernel(cache, "6.1")       Unavailable when its packages cannot be had
    boot(kernel, image, dir)                   the lines that came out of the second serial port
    machine_command(kernel, initrd, …)         for those that have a disk: tests/crash/power_machine.py
    build_probe(dir)                           path of the static probe

Machines have two processors, 512 MiB and no disk; qemu runs under TCG, and its processor has no CMPXCHG16B: QEMU 7.2
leaves wrong flags behind that instruction now and then, which the memory allocator of 6.12 answers with a double fault.
"""

import glob
import os
import re
import shutil
import subprocess
import time
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie"}
MODULES = ("nf_conntrack", "nf_flow_table", "ip_vs")
MEMORY_MIB = 512
BOOT_LIMIT_S = 900
# emulated on a busy host: slow is not stuck, and a tick may be late
KERNEL_ARGUMENTS = "console=ttyS0 quiet panic=-1 rcupdate.rcu_cpu_stall_suppress=1 no_timer_check"


class Unavailable(Exception):
    """Something of the outside is missing: a reason to skip, not a failure."""


class Failed(Exception):
    """It is there and does not work."""


class DebianKernel(NamedTuple):
    series: str
    release: str        # of the stable kernel it is built from: 6.1.176
    packages: list      # "name version"
    root: str           # unpacked packages

    @property
    def image(self):
        return glob.glob(os.path.join(self.root, "boot", "vmlinuz-*"))[0]


def debian_kernel(cache, series, headers=False):
    command = [os.path.join(HERE, "packages"), cache, SUITES[series]] + (["--headers"] if headers else [])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        raise Unavailable((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    if done.returncode != 0:
        raise Failed(f"packages of {SUITES[series]}: {done.stderr.strip()}")
    packages = done.stdout.splitlines()
    release = packages[0].split()[1].split("-")[0]
    if not release.startswith(series + "."):
        raise Unavailable(f"{SUITES[series]} has the kernel {release}, not {series}")
    return DebianKernel(series, release, packages, os.path.join(cache, SUITES[series], "root"))


def running_release():
    """The stable kernel that runs; Debian's uname names an ABI, and the release in the version string."""
    name = os.uname()
    match = re.search(r"Debian (\d+\.\d+\.\d+)", name.version) or re.match(r"(\d+\.\d+(?:\.\d+)?)", name.release)
    return match[1]


def build_probe(folder):
    path = os.path.join(folder, "probe")
    new = f"{path}.{os.getpid()}"  # others that ask at the same time may be running it
    command = ["gcc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-o", new, os.path.join(HERE, "probe.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"the probe does not compile: {done.stderr}")
    os.replace(new, path)
    return path


def machine_command(kernel, initrd, memory_mib, processors, console, lines, arguments=""):
    """Without a disk; `console` and `lines` are the files of the two serial ports, `arguments` the kernel's."""
    return ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,cx16=off", "-smp", str(processors),
            "-m", str(memory_mib), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", kernel.image, "-initrd", initrd, "-append", f"{KERNEL_ARGUMENTS} {arguments}",
            "-serial", f"file:{console}", "-serial", f"file:{lines}"]


def boot(kernel, image, folder, limit=BOOT_LIMIT_S):
    """Runs the machine until it powers off. Gives the lines and the seconds it took."""
    if not shutil.which("qemu-system-x86_64"):
        raise Unavailable("qemu-system-x86_64 is not installed")
    initrd, lines, console = (os.path.join(folder, f"{kernel.series}.{kind}") for kind in ("cpio", "out", "console"))
    image.write(initrd)
    command = machine_command(kernel, initrd, MEMORY_MIB, 2, console, lines)
    start = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"{kernel.series} did not power off in {limit} s: {tail(console)}") from None
    if done.returncode != 0:
        raise Failed(f"qemu: {done.stderr.strip()}")
    os.unlink(initrd)
    with open(lines, encoding="ascii", errors="replace") as file:
        return file.read().replace("\r", "").splitlines(), time.monotonic() - start


def tail(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return "".join(file.readlines()[-15:])
