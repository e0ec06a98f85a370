# SPDX-License-Identifier: LGPL-2.1-or-later
"""The network that a situation is made of: new network namespaces, joined by veth pairs, and real sockets in them.

    world = World()                     the host that is looked at, and one peer: 192.0.2.1 and 192.0.2.2
    world.host.set("tcp_tw_reuse", 1)   net.ipv4 when no folder is named
    world.peer.listen(9000)             a socket belongs to the namespace where it was made, so this one process is both sides
    world.outgoing(960, ports=[9000])   connections that the host opened and closed first

A namespace lives as long as this process: nothing has to be cleaned up, nothing of this machine is changed. Needs root.
"""

import ctypes
import errno
import os
import resource
import select
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000
HOST, PEER = "192.0.2.1", "192.0.2.2"
PATIENCE_S = 20
libc = ctypes.CDLL(None, use_errno=True)


class Impossible(Exception):
    """This machine does not let the situation be made: the reason."""


def call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)


class Namespace:
    """`with namespace:` is to be in it. made_by: the namespace whose tcp_child_ehash_entries counts."""

    def __init__(self, made_by=None):
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        if made_by:
            made_by.enter()
        call(libc.unshare, CLONE_NEWNET)
        self.hold()
        ip("link", "set", "lo", "up")
        call(libc.setns, home, CLONE_NEWNET)
        os.close(home)

    def hold(self):
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.outer = []

    @classmethod
    def here(cls):
        namespace = cls.__new__(cls)
        namespace.hold()
        return namespace

    def enter(self):
        call(libc.setns, self.fd, CLONE_NEWNET)

    def __enter__(self):
        self.outer.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        self.enter()
        return self

    def __exit__(self, *_):
        fd = self.outer.pop()
        call(libc.setns, fd, CLONE_NEWNET)
        os.close(fd)

    def path(self, key):
        return "/proc/sys/net/" + (key if "/" in key else "ipv4/" + key)

    def set(self, key, value):
        with self:
            try:
                with open(self.path(key), "w", encoding="ascii") as file:
                    file.write(f"{value}\n")
            except FileNotFoundError as error:
                raise Impossible(f"this kernel has no {key}") from error

    def get(self, key):
        with self, open(self.path(key), encoding="ascii") as file:
            return file.read().strip()

    def ports(self, first, last):
        self.set("ip_local_port_range", f"{first} {last}")

    def ip(self, *words):
        with self:
            ip(*words)

    def make_socket(self, kind=socket.SOCK_STREAM, family=socket.AF_INET):
        with self:
            made = socket.socket(family, kind)
        made.settimeout(PATIENCE_S)
        return made

    def listen(self, port, backlog=4096, family=socket.AF_INET):
        server = self.make_socket(family=family)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("", port))
        server.listen(backlog)
        return server

    def counter(self, name):
        """ "TcpExt.TW": what the kernel counted, None when it does not know the name."""
        group, field = name.split(".")
        with self:
            for source in ("/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat"):
                with open(source, encoding="ascii") as file:
                    lines = [line.split() for line in file]
                for names, values in zip(lines[::2], lines[1::2]):
                    if names[0] == group + ":" and field in names:
                        return int(values[names.index(field)])
        return None

    def buckets(self):
        with self, open("/proc/thread-self/net/sockstat", encoding="ascii") as file:
            words = next(line for line in file if line.startswith("TCP:")).split()
        return int(words[words.index("tw") + 1])

    def count(self, state):
        with self:
            return len(subprocess.run(["ss", "-Htan", "state", state], check=True, stdout=subprocess.PIPE).stdout.splitlines())


def wait_until(what, truth, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > end:
            raise Impossible(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def join(near, near_address, far, far_address, near_link):
    """A veth pair. The end that was raised first begins to transmit later: datagrams tell when both do."""
    near.ip("link", "add", near_link, "type", "veth", "peer", "name", "up0", "netns", f"/proc/{os.getpid()}/fd/{far.fd}")
    for side, link, address in ((near, near_link, near_address), (far, "up0", far_address)):
        side.ip("addr", "add", address + "/24", "dev", link)
        side.ip("link", "set", link, "up")
    probes = []
    for side, address, other in ((near, near_address, far_address), (far, far_address, near_address)):
        probe = side.make_socket(socket.SOCK_DGRAM)
        probe.bind((address, 9))
        probe.connect((other, 9))
        probe.setblocking(False)
        probes.append(probe)
    heard = set()
    end = time.monotonic() + PATIENCE_S
    while len(heard) < 2:
        if time.monotonic() > end:
            raise Impossible("the veth pair carries nothing")
        for probe in probes:
            try:
                probe.send(b"?")
            except OSError:
                pass  # not yet
        for i, probe in enumerate(probes):
            if select.select([probe], [], [], 0.002)[0]:
                try:
                    probe.recv(1)
                    heard.add(i)
                except ConnectionRefusedError:
                    pass
    for probe in probes:
        probe.close()


class World:
    def __init__(self, made_by=None):
        resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
        self.host = Namespace(made_by)
        self.peer = Namespace()
        join(self.host, HOST, self.peer, PEER, "v0")
        self.listeners = {}
        self.kept = []
        self.client_ports = iter(range(10000, 65536))

    def listener(self, side, port, family=socket.AF_INET):
        key = (side.fd, port)
        if key not in self.listeners:
            self.listeners[key] = side.listen(port, family=family)
        return self.listeners[key]

    def pair(self, port, opener, server, address, bind=None):
        """A connection: the socket of who opened it, and the accepted one."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = self.listener(server, port, family)
        client = opener.make_socket(family=family)
        if bind:
            client.bind(bind)
        client.connect((address, port))
        accepted, _ = listener.accept()
        accepted.settimeout(PATIENCE_S)
        return client, accepted

    def open_out(self, port=9000, bind=None):
        return self.pair(port, self.host, self.peer, PEER, bind)

    def open_in(self, port=80):
        """(the host's accepted socket, the client's). Each from another port: one that comes back would take its own TIME_WAIT
        over, and they would be fewer."""
        client, accepted = self.pair(port, self.peer, self.host, HOST, (PEER, next(self.client_ports)))
        return accepted, client

    def outgoing(self, n, ports=(9000,), bind=None):
        """n TIME_WAITs of the host, spread evenly to these ports of the peer."""
        before = self.host.buckets()
        for i in range(n):
            close(*self.open_out(ports[i % len(ports)], bind))
        wait_until(f"{n} TIME_WAITs", lambda: self.host.buckets() >= before + n)

    def incoming(self, n, port=80):
        """n TIME_WAITs of connections that the host accepted, and closed first."""
        before = self.host.buckets()
        for _ in range(n):
            close(*self.open_in(port))
        wait_until(f"{n} TIME_WAITs", lambda: self.host.buckets() >= before + n)

    def loopback(self, n, address="127.0.0.1", port=9000):
        before = self.host.buckets()
        for _ in range(n):
            close(*self.pair(port, self.host, self.host, address))
        wait_until(f"{n} TIME_WAITs", lambda: self.host.buckets() >= before + n)

    def orphans(self, n, ports=(9000,)):
        """n FIN_WAIT2s of the host that no process holds: the peer does not close. Not counted as buckets: a few may be full
        sockets still, where the answer came while close() held the socket (tcp_rcv_state_process())."""
        for i in range(n):
            mine, theirs = self.open_out(ports[i % len(ports)])
            mine.close()
            self.kept.append(theirs)
        wait_until(f"{n} orphans", lambda: self.host.count("fin-wait-2") >= n)

    def opened(self, n, ports=(9000,)):
        pairs = [self.open_out(ports[i % len(ports)]) for i in range(n)]
        self.kept.extend(pairs)
        return pairs


def close(first, second):
    """In this order, for sure: the second side has seen the end of the first."""
    first.close()
    try:
        second.recv(1)
    except ConnectionResetError:
        pass  # the first side had no bucket for it
    second.close()


def hurry(side, address, port, bind=None):
    """connect() that does not wait."""
    client = side.make_socket()
    client.setblocking(False)
    if bind:
        client.bind(bind)
    number = client.connect_ex((address, port))
    if number not in (0, errno.EINPROGRESS):
        raise OSError(number, os.strerror(number))
    return client
