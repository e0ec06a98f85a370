# SPDX-License-Identifier: LGPL-2.1-or-later
"""Situations of where settings were applied. Profiles are enabled for real, inside `twprofile sandbox`: in mounts and a network
namespace of this test's own."""

import subprocess

from scene import situation
from world import Namespace

TUNED = """version: 1
name: tuned
summary: for the test of advice
sysctl:
  net.ipv4.tcp_tw_reuse: 1
"""
HOST_WIDE = """version: 1
name: host-wide
summary: for the test of advice
sysctl:
  net.ipv4.tcp_fin_timeout: 40
  net.core.netdev_max_backlog: {value: 4321, when: present}
"""


def enable(world, name):
    subprocess.run([world.program, "enable", name, "--quiet"], check=True, stdin=subprocess.DEVNULL)


@situation("NS-1", {"NS-1": "warning"}, sandbox={"tuned": TUNED})
def ns_1(world):
    """A profile is enabled, and what is looked at lives in another network namespace."""
    enable(world, "tuned")
    world.advised = Namespace()


@situation("NS-1 not", {}, sandbox={"tuned": TUNED})
def ns_1_not(world):
    """A profile is enabled in the namespace that is looked at: normal."""
    enable(world, "tuned")
    world.advised = world.home


@situation("NS-2", {"NS-2": "notice"}, sandbox={"host-wide": HOST_WIDE})
def ns_2(world):
    """A profile with a key of the whole machine is enabled in a namespace that does not have it."""
    enable(world, "host-wide")
    world.advised = world.home


@situation("NS-3", {"NS-3": "warning"}, {"NS-3": (100,)})
def ns_3(world):
    """The namespaces that are made here get a hash of 128 entries, and so room for 64 TIME_WAITs."""
    world.host.set("tcp_child_ehash_entries", 100)


@situation("a recipe", {"PORT-14": "notice", "SYN-3": "notice", "TWB-3": "warning"},
           {"PORT-14": (1024, 65000), "SYN-3": (8192,), "TWB-3": (5000, 32768)}, hash_entries=65536)
def recipe(world):
    """What a published list sets against TIME_WAIT (without tcp_tw_recycle, which is gone), on a host that has none."""
    for key, value in (("tcp_syncookies", 1), ("tcp_tw_reuse", 1), ("tcp_max_tw_buckets", 5000), ("tcp_max_syn_backlog", 8192),
                       ("tcp_keepalive_time", 1200), ("ip_local_port_range", "1024 65000")):
        world.host.set(key, value)
