# SPDX-License-Identifier: LGPL-2.1-or-later
"""Situations of the queues before accept(), of timestamps, and of several machines behind one address."""

from scene import Traffic, situation
from world import HOST, PEER, Impossible, Namespace, close, hurry, join

DEAF = "02:00:00:00:00:99"  # nobody's address: what is sent there is lost
GHOST = "192.0.2.66"


def overflow(world, backlog):
    """An accept queue that nobody takes from; while it is looked at, more clients come."""
    world.kept.append(world.host.listen(80, backlog))
    for _ in range(17):
        client = world.peer.make_socket()
        client.connect((HOST, 80))
        world.kept.append(client)
    return Traffic(20, lambda: world.kept.append(hurry(world.peer, HOST, 80)))


@situation("ACC-1", {"ACC-1": "critical"}, {"ACC-1": (17, 16, 80)})
def acc_1(world):
    """An accept queue of 16 is full, and somaxconn is what limits it."""
    world.host.set("core/somaxconn", 16)
    return overflow(world, 4096)


@situation("ACC-2", {"ACC-1": "critical", "ACC-2": "notice"}, {"ACC-1": (17, 16), "ACC-2": (16, 4096)})
def acc_2(world):
    """The same because the program asked for 16."""
    world.host.set("core/somaxconn", 4096)
    return overflow(world, 16)


def fill_requests(world, backlog):
    """Half-open connections: their clients' address is one that does not hear. Returns what makes one more."""
    world.listeners[(world.host.fd, 80)] = world.host.listen(80, backlog)
    world.peer.ip("addr", "add", GHOST + "/24", "dev", "up0")
    world.host.ip("neigh", "replace", GHOST, "lladdr", DEAF, "nud", "permanent", "dev", "v0")

    def one_more():
        hurry(world.peer, HOST, 80, (GHOST, 0)).close()

    for _ in range(backlog + 1):  # full is more than its limit
        one_more()
    return one_more


@situation("SYN-1", {"SYN-1": "warning"})
def syn_1(world):
    """The queue of half-open connections is full, and clients that are real get cookies."""
    fill_requests(world, 16)

    def step():
        mine, theirs = world.open_in()
        close(theirs, mine)
    return Traffic(20, step)


@situation("SYN-2", {"SYN-2": "warning"})
def syn_2(world):
    """The same, and nobody who gets a cookie comes back with it."""
    return Traffic(100, fill_requests(world, 16))


@situation("SYN-3", {"SYN-3": "notice"}, {"SYN-3": (64,)}, hash_entries=65536)
def syn_3(world):
    """tcp_max_syn_backlog=64 beside cookies, which do not ask for it."""
    world.host.set("tcp_max_syn_backlog", 64)


@situation("SYN-4", {"SYN-4": "warning"}, {"SYN-4": (0,)})
def syn_4(world):
    """No SYN cookies."""
    world.host.set("tcp_syncookies", 0)


@situation("SYN-5", {"SYN-5": "warning"}, {"SYN-5": (1,)})
def syn_5(world):
    """tcp_abort_on_overflow=1."""
    world.host.set("tcp_abort_on_overflow", 1)


@situation("TS-1", {"TS-1": "warning"}, {"TS-1": (0,)})
def ts_1(world):
    """No timestamps."""
    world.host.set("tcp_timestamps", 0)


@situation("TS-1 exhausted", {"PORT-1": "critical", "TS-1": "critical"}, {"PORT-1": (960, 1000)},
           without=("tw-reuse", "tw-reuse-delay"))
def ts_1_critical(world):
    """All ports but 40 are in TIME_WAIT, and tcp_tw_reuse=1 does nothing for want of timestamps."""
    world.host.ports(40000, 40999)
    world.host.set("tcp_timestamps", 0)
    world.host.set("tcp_tw_reuse", 1)
    world.outgoing(960)


@situation("TS-2", {"TS-2": "notice"}, {"TS-2": (5,)})
def ts_2(world):
    """tcp_timestamps=5: accepted, and not defined."""
    world.host.set("tcp_timestamps", 5)


class TwoMachines:
    """The peer, and another machine that comes from the same address, with another clock: tcp_timestamps=1 adds an offset to
    it, 2 none. Which of two is behind is the kernel's secret, so each of them comes second at ports of its own."""

    def __init__(self, world):
        if world.host.counter("TcpExt.PAWSTimewait") is None:
            raise Impossible("this kernel does not count PAWSTimewait")
        self.world = world
        other = Namespace()
        join(world.host, "198.51.100.1", other, "198.51.100.2", "v1")
        other.ip("addr", "add", PEER + "/32", "dev", "up0")
        other.ip("route", "add", HOST + "/32", "dev", "up0", "src", PEER)
        for conf in ("all", "v0", "v1"):
            world.host.set(f"ipv4/conf/{conf}/rp_filter", 0)
        world.peer.set("tcp_timestamps", 1)
        other.set("tcp_timestamps", 2)
        self.machines = ((world.peer, "v0"), (other, "v1"))
        for first in (0, 1):
            self.turn_to(first)
            for port in self.ports(first):
                client, accepted = world.pair(80, self.machines[first][0], world.host, HOST, bind=(PEER, port))
                close(accepted, client)
        self.again = iter([(second, port) for pair in zip(self.ports(1), self.ports(0)) for second, port in enumerate(pair)])

    @staticmethod
    def ports(first):
        return range(20000 + 100 * first, 20060 + 100 * first)

    def turn_to(self, i):
        self.world.host.ip("route", "replace", PEER + "/32", "dev", self.machines[i][1])

    def step(self):
        second, port = next(self.again, (None, None))
        if port:
            self.turn_to(second)
            self.world.kept.append(hurry(self.machines[second][0], HOST, 80, (PEER, port)))


@situation("NAT-1", {"NAT-1": "warning"})
def nat_1(world):
    """Two machines behind one address: the second one's SYNs meet TIME_WAITs of the first, and are older."""
    return Traffic(25, TwoMachines(world).step)


@situation("NAT-1 strict", {"NAT-1": "critical", "NAT-2": "notice"})
def nat_1_strict(world):
    """The same with tcp_rfc1337=1: they are not served."""
    world.host.set("tcp_rfc1337", 1)
    return Traffic(25, TwoMachines(world).step)


@situation("NAT-2", {"NAT-2": "notice"}, {"NAT-2": (1,)})
def nat_2(world):
    """tcp_rfc1337=1, and nobody was refused."""
    world.host.set("tcp_rfc1337", 1)
