# SPDX-License-Identifier: LGPL-2.1-or-later
"""Situations of the connecting side: the ports to one destination, and the range they come from."""

import time

from judge import Near
from scene import Traffic, situation
from world import HOST, close

FIRST, LAST = 40000, 40999  # 1000 ports: fewer are a finding of their own
FOUR = (9000, 9001, 9002, 9003)
REUSE = ("tw-reuse", "tw-reuse-loopback", "tw-reuse-delay")


@situation("PORT-1", {"PORT-1": "critical"}, {"PORT-1": (960, 1000)})
def port_1(world):
    """960 of 1000 ports to one destination are in TIME_WAIT: connect() is about to fail."""
    world.host.ports(FIRST, LAST)
    world.outgoing(960)


@situation("PORT-1 as nobody", {"PORT-1": "critical"}, {"PORT-1": (960, 1000)}, nobody=True)
def port_1_nobody(world):
    """The same, and who asks has no privilege."""
    port_1(world)


@situation("PORT-1 and PORT-2", {"PORT-1": "critical", "PORT-2": "warning"}, {"PORT-1": (960,), "PORT-2": (600,)})
def port_1_and_2(world):
    """960 ports to one destination, 600 to another: each is told of."""
    world.host.ports(FIRST, LAST)
    world.outgoing(960)
    world.outgoing(600, (9001,))


@situation("PORT-1 with reuse", {"PORT-1": "critical"}, {"PORT-1": (960, 1000)})
def port_1_with_reuse(world):
    """tcp_tw_reuse is on, and the TIME_WAITs are younger than its delay of a minute."""
    world.host.ports(FIRST, LAST)
    world.host.set("tcp_tw_reuse", 1)
    world.host.set("tcp_tw_reuse_delay", 60000)
    world.outgoing(960)


@situation("PORT-2", {"PORT-2": "warning"}, {"PORT-2": (600, 1000)})
def port_2(world):
    """600 of 1000 ports to one destination are in TIME_WAIT: those of one parity are all taken."""
    world.host.ports(FIRST, LAST)
    world.outgoing(600)


@situation("PORT-3", {"PORT-3": "critical"}, {"PORT-3": (850, 1000)}, without=REUSE)
def port_3(world):
    """850 connections to one destination are open, of 1000 ports."""
    world.host.ports(FIRST, LAST)
    world.opened(850)


@situation("PORT-4", {"PORT-4": "warning"}, {"PORT-4": (850, 1000)}, without=REUSE)
def port_4(world):
    """850 of 1000 ports are held by orphans of FIN_WAIT2: the peer does not close."""
    world.host.ports(FIRST, LAST)
    world.orphans(850)


@situation("PORT-5", {"PORT-5": "warning"}, {"PORT-5": (Near(2000 / 60, 0.02),)})
def port_5(world):
    """150 connections each second to one destination, where 2000 ports without reuse carry 33."""
    world.host.ports(40000, 41999)
    return Traffic(150, lambda: close(*world.open_out()))


@situation("PORT-6", {"PORT-6": "warning"}, {"PORT-6": (100,)})
def port_6(world):
    """200 connections each second to one destination, where 2000 ports that are taken again after 20 s carry 100."""
    world.host.ports(40000, 41999)
    world.host.set("tcp_tw_reuse", 1)
    world.host.set("tcp_tw_reuse_delay", 20000)
    return Traffic(200, lambda: close(*world.open_out()))


@situation("PORT-7", {"PORT-7": "warning"}, {"PORT-7": (960, 1000)}, without=REUSE)
def port_7(world):
    """A program binds its address before it connects: 960 of 1000 ports taken, 240 of them to each of four destinations."""
    world.host.ports(FIRST, LAST)
    world.outgoing(960, FOUR, bind=(HOST, 0))


@situation("PORT-7 many", {"PORT-7": "warning"}, {"PORT-7": (1920, 2000)}, without=REUSE)
def port_7_many(world):
    """The same with so many TIME_WAITs that PORT-16 would call them harmless."""
    world.host.ports(40000, 41999)
    world.outgoing(1920, FOUR, bind=(HOST, 0))


@situation("PORT-8", {"PORT-2": "warning", "PORT-8": "warning"}, {"PORT-8": (Near(602, 0.01),)}, without=REUSE)
def port_8(world):
    """tcp_tw_reuse is on, but the peer has no timestamps: 600 of 1000 ports stay in TIME_WAIT while others are opened."""
    world.host.ports(FIRST, LAST)
    world.host.set("tcp_tw_reuse", 1)
    world.peer.set("tcp_timestamps", 0)
    world.outgoing(600)
    time.sleep(1.5)  # older than tcp_tw_reuse_delay, which is 1000 ms
    return Traffic(5, lambda: close(*world.open_out()))


@situation("PORT-9", {"PORT-2": "warning", "PORT-9": "warning"}, {"PORT-9": (600, 1000)})
def port_9(world):
    """600 of 1000 ports to a service on 127.0.0.1, with tcp_tw_reuse=0."""
    world.host.ports(FIRST, LAST)
    world.host.set("tcp_tw_reuse", 0)
    world.loopback(600)


@situation("PORT-9 on ::1", {"PORT-2": "warning", "PORT-9": "warning"}, {"PORT-9": (600, 1000)})
def port_9_ipv6(world):
    """The same over IPv6."""
    world.host.ports(FIRST, LAST)
    world.host.set("tcp_tw_reuse", 0)
    world.loopback(600, "::1")


@situation("PORT-10", {"PORT-2": "warning", "PORT-10": "warning"}, {"PORT-10": (600, 1000)})
def port_10(world):
    """600 of 1000 ports to the host's own address, which tcp_tw_reuse=2 does not take for the loopback."""
    world.host.ports(FIRST, LAST)
    world.host.set("tcp_tw_reuse", 2)
    world.loopback(600, HOST)


@situation("PORT-11", {"PORT-11": "notice"}, {"PORT-11": (40100,)})
def port_11(world):
    """A service listens inside the range, and its port is not reserved."""
    world.host.ports(FIRST, LAST)
    world.kept.append(world.host.listen(40100))


@situation("PORT-11 past the knee", {"PORT-2": "warning", "PORT-11": "warning"}, {"PORT-11": (40100,)})
def port_11_warning(world):
    """The same, and more than half of the ports to a destination are taken."""
    world.host.ports(FIRST, LAST)
    world.kept.append(world.host.listen(40100))
    world.outgoing(600)


@situation("PORT-11 reserved", {})
def port_11_reserved(world):
    """A service listens inside the range, and its port is reserved: normal."""
    world.host.ports(40000, 41999)
    world.host.set("ip_local_reserved_ports", 40100)
    world.kept.append(world.host.listen(40100))


@situation("PORT-12", {"PORT-12": "warning"}, {"PORT-12": (500,)})
def port_12(world):
    """A range of 500 ports."""
    world.host.ports(40000, 40499)


@situation("PORT-13 all", {"PORT-13": "critical"}, {"PORT-13": (1000,)})
def port_13(world):
    """All ports of the range are reserved."""
    world.host.ports(FIRST, LAST)
    world.host.set("ip_local_reserved_ports", f"{FIRST}-{LAST}")


@situation("PORT-13 half", {"PORT-13": "notice"}, {"PORT-13": (1600, 3000)})
def port_13_half(world):
    """1600 of the 3000 ports of the range are reserved."""
    world.host.ports(40000, 42999)
    world.host.set("ip_local_reserved_ports", "40000-41599")


@situation("PORT-14", {"PORT-14": "notice"}, {"PORT-14": (40000, 41000)})
def port_14(world):
    """Both bounds of the range are even."""
    world.host.ports(40000, 41000)


@situation("PORT-15", {"PORT-15": "warning"}, {"PORT-15": (1000,)})
def port_15(world):
    """The range begins below 1024."""
    world.host.set("ip_unprivileged_port_start", 900)
    world.host.ports(1000, 2999)


@situation("PORT-15 near", {"PORT-15": "warning"}, {"PORT-15": (39500, 40000)})
def port_15_near(world):
    """The range begins 500 ports above those that only root may use, which are many here."""
    world.host.ports(40000, 41999)
    world.host.set("ip_unprivileged_port_start", 39500)


@situation("PORT-16", {"PORT-16": "info"}, {"PORT-16": (5000,)})
def port_16(world):
    """5000 TIME_WAITs to 20 destinations, 250 of 1000 ports to each: many, and no problem."""
    world.host.ports(FIRST, LAST)
    world.outgoing(5000, range(9000, 9020))


@situation("normal (some TIME_WAITs)", {})
def some(world):
    """200 of 1000 ports to one destination: nothing to say."""
    world.host.ports(FIRST, LAST)
    world.outgoing(200)


@situation("normal (reuse works)", {})
def reuse(world):
    """tcp_tw_reuse is on at both ends and takes TIME_WAITs over: more than half of the ports, and no connect() waits."""
    world.host.ports(40000, 41999)
    world.outgoing(1300)
    world.host.set("tcp_tw_reuse", 1)  # not before: a slow machine would use them again while they are made
    time.sleep(1.5)
    return Traffic(100, lambda: close(*world.open_out()))


@situation("PORT-2 open", {"PORT-2": "warning"}, {"PORT-2": (600, 1000)}, without=REUSE)
def port_2_open(world):
    """600 of 1000 ports to one destination have open connections: nothing that tcp_tw_reuse could take."""
    world.host.ports(FIRST, LAST)
    world.opened(600)


@situation("normal (a pool of connections)", {})
def pool(world):
    """400 connections to one destination are kept open, of 1000 ports."""
    world.host.ports(FIRST, LAST)
    pairs = world.opened(400)
    turn = iter(range(1 << 30))

    def step():
        mine, theirs = pairs[next(turn) % len(pairs)]
        mine.send(b"request")
        theirs.recv(64)
    return Traffic(200, step)
