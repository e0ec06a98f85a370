# SPDX-License-Identifier: LGPL-2.1-or-later
"""Situations of the accepting side, of the bucket limit, and of sockets that are not closed."""

import socket
import struct
import time

from scene import Traffic, situation
from world import HOST, close

FOUR = (9000, 9001, 9002, 9003)
DEAF = "02:00:00:00:00:99"  # nobody's address: what is sent there is lost


@situation("normal (idle)", {})
def idle(world):
    """A new namespace with the kernel's settings."""


@situation("normal (a busy server)", {})
def busy(world):
    """40 clients that keep their connections, hundreds of requests each second, and some who come and go."""
    pairs = [world.open_in() for _ in range(40)]
    turn = iter(range(1 << 30))

    def step():
        n = next(turn)
        mine, theirs = pairs[n % len(pairs)]
        theirs.send(b"request")
        mine.recv(64)
        mine.send(b"answer")
        theirs.recv(64)
        if n % 40 == 0:  # the client closes first
            mine, theirs = world.open_in()
            close(theirs, mine)
    return Traffic(400, step)


@situation("normal (a busy proxy)", {})
def proxy(world):
    """Connections come in and their clients close them; others go out to four destinations and are closed here."""
    turn = iter(range(1 << 30))

    def step():
        mine, theirs = world.open_in()
        close(*world.open_out(FOUR[next(turn) % 4]))
        close(theirs, mine)
    return Traffic(25, step)


@situation("SRV-1", {"SRV-1": "info"}, {"SRV-1": (1200,)})
def srv_1(world):
    """1200 TIME_WAITs of connections that were accepted here, and closed here first."""
    world.incoming(1200)


@situation("SRV-2", {"SRV-2": "notice"}, {"SRV-2": (1200,)})
def srv_2(world):
    """The same with tcp_tw_reuse=1, which does nothing for them: it says all that SRV-1 would."""
    world.host.set("tcp_tw_reuse", 1)
    world.incoming(1200)


def on_a_small_host(sample):
    sample["memory"] = 128 << 20


@situation("SRV-3", {"SRV-3": "notice"}, {"SRV-3": (3000, 1.5, 128)}, hash_entries=8192, record=on_a_small_host)
def srv_3(world):
    """3000 TIME_WAITs on a host with 128 MB. Recorded: on one with gigabytes 1 % of the memory is half a million of them."""
    world.incoming(3000)


@situation("SRV-4", {"SRV-1": "info", "SRV-4": "notice"})
def srv_4(world):
    """Hundreds of connections each second, one request each, closed by the server."""
    world.incoming(1200)
    return Traffic(300, lambda: close(*world.open_in()))


@situation("TWB-1", {"TWB-1": "critical"}, {"TWB-1": (4096,)}, hash_entries=8192)
def twb_1(world):
    """The limit of 4096 is reached and closes go on: each of them loses its state."""
    world.incoming(4096)
    return Traffic(20, lambda: close(*world.open_in()))


@situation("TWB-1 lowered", {"TWB-1": "critical", "TWB-3": "warning"}, {"TWB-1": (200,), "TWB-3": (200,)})
def twb_1_lowered(world):
    """The same because somebody lowered the limit to 200."""
    world.host.set("tcp_max_tw_buckets", 200)
    world.incoming(200)
    return Traffic(20, lambda: close(*world.open_in()))


@situation("TWB-2", {"TWB-2": "warning"}, {"TWB-2": (3800, 4096)}, hash_entries=8192)
def twb_2(world):
    """3800 TIME_WAITs, at a limit of 4096."""
    world.incoming(3800)


@situation("TWB-3", {"TWB-3": "warning"}, {"TWB-3": (5000, 32768)}, hash_entries=65536)
def twb_3(world):
    """tcp_max_tw_buckets=5000, as recipes have it: below what the kernel computed."""
    world.host.set("tcp_max_tw_buckets", 5000)


@situation("TWB-4", {"TWB-4": "critical"}, {"TWB-4": (0,)})
def twb_4(world):
    """tcp_max_tw_buckets=0: no TIME_WAIT at all."""
    world.host.set("tcp_max_tw_buckets", 0)


@situation("TWB-5", {"TWB-5": "info"}, {"TWB-5": (30,)})
def twb_5(world):
    """30 closes lost their state some time ago; now there is room."""
    limit = world.host.get("tcp_max_tw_buckets")
    world.host.set("tcp_max_tw_buckets", 0)
    for _ in range(30):
        close(*world.open_out())
    world.host.set("tcp_max_tw_buckets", limit)
    assert world.host.counter("TcpExt.TCPTimeWaitOverflow") == 30


@situation("FIN-1", {"FIN-1": "warning"}, {"FIN-1": (1200,)})
def fin_1(world):
    """1200 orphans of FIN_WAIT2, to four destinations that do not close."""
    world.orphans(1200, FOUR)


@situation("FIN-2", {"FIN-2": "warning"}, {"FIN-2": (75, 30)})
def fin_2(world):
    """tcp_fin_timeout=75, which gives 30 s."""
    world.host.set("tcp_fin_timeout", 75)


@situation("FIN-3", {"FIN-3": "notice"}, {"FIN-3": (3,)})
def fin_3(world):
    """tcp_fin_timeout=3."""
    world.host.set("tcp_fin_timeout", 3)


@situation("FIN-4", {"FIN-4": "warning"}, {"FIN-4": (1100,)})
def fin_4(world):
    """1100 connections were closed after their peer had vanished: FIN_WAIT1."""
    pairs = world.opened(1100, FOUR)
    world.host.ip("neigh", "replace", "192.0.2.2", "lladdr", DEAF, "nud", "permanent", "dev", "v0")
    for mine, _ in pairs:
        mine.close()


@situation("CW-1", {"CW-1": "warning"}, {"CW-1": (150, 9000)})
def cw_1(world):
    """A program has not closed 150 connections that their peers closed."""
    for _, theirs in world.opened(150):
        theirs.close()


@situation("CW-1 growing", {"CW-1": "warning"})
def cw_1_growing(world):
    """40 of them, and every moment there is one more."""
    for _, theirs in world.opened(40):
        theirs.close()

    def step():
        _, theirs = world.opened(1)[0]
        theirs.close()
    return Traffic(30, step)


@situation("normal (CLOSE_WAIT in passing)", {})
def cw_some(world):
    """30 connections wait for their program, and do not grow."""
    for _, theirs in world.opened(30):
        theirs.close()
    time.sleep(0.1)


@situation("RST-1", {"RST-1": "notice"})
def rst_1(world):
    """A program ends half of its connections by SO_LINGER 0."""
    turn = iter(range(1 << 30))

    def step():
        mine, theirs = world.open_out()
        if next(turn) % 2 == 0:
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            close(mine, theirs)
        else:
            close(theirs, mine)
    return Traffic(40, step)


@situation("normal (a service that ended)", {})
def ended(world):
    """1200 TIME_WAITs of a service that does not listen any more: they are nobody's."""
    world.incoming(1200)
    world.listener(world.host, 80).close()


@situation("normal (clients that reset)", {})
def resets(world):
    """A few clients end by a reset, and some wait to be accepted."""
    server = world.host.listen(8080, 128)
    for _ in range(20):
        client = world.peer.make_socket()
        client.connect((HOST, 8080))
        world.kept.append(client)
    world.kept.append(server)

    def step():
        mine, theirs = world.open_in()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        close(theirs, mine)
    return Traffic(20, step)
