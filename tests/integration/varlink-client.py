#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Varlink client for tests, written from the protocol's description alone: it shares no code with the product.

As a library (the name has a dash, as all programs here, so load it by path):

    client = Client.connect("/run/twprofile/org.twprofile")          a socket
    client = Client.spawn(["…/twprofile-helper", "serve"])            a child over a socket pair
    reply = client.call("org.twprofile.Enable", {"profiles": ["web"], "netns": netns_of_self()})
    reply.error, reply.parameters, reply.progress
    client.send_raw(b"…"); client.receive(); client.close()

As a program: varlink-client.py HELPER [ARGUMENT...] checks the protocol of that helper over socket pairs: framing,
unknown names, wrong parameters, silence, oneway, another namespace. It changes nothing: every call of a changing
method is one that has to be refused. Exit code 0 when all is as it must be, 1 with a line for each thing that is
not, 64 usage. Without --root=DIR the helper notes a denied call in /var/log/twprofile: run that in a container.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import namedtuple

Reply = namedtuple("Reply", "error parameters progress")
USAGE = 64
# Longer than the 2 s after which a helper drops a silent connection.
TIMEOUT = 10


def netns_of_self():
    """The inode of our network namespace, as the calls carry it."""
    return os.stat("/proc/self/ns/net").st_ino


class Client:
    """One connection. end_of_stream() and receive() tell None for its end."""

    def __init__(self, sock, process=None):
        sock.settimeout(TIMEOUT)
        self.sock = sock
        self.process = process
        self.rest = b""

    @classmethod
    def connect(cls, path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(path)
        return cls(sock)

    @classmethod
    def spawn(cls, command):
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(command, stdin=theirs, stderr=subprocess.PIPE, text=True)
        return cls(ours, process)

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, message):
        self.send_raw(json.dumps(message).encode() + b"\0")

    def receive(self):
        """The next message, or None at the end of the connection."""
        while b"\0" not in self.rest:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, parameters=None, more=False):
        """One call up to its last reply. None when the connection ends before."""
        message = {"method": method, "parameters": parameters or {}}
        if more:
            message["more"] = True
        self.send(message)
        progress = []
        while True:
            answer = self.receive()
            if answer is None:
                return None
            if not answer.get("continues"):
                return Reply(answer.get("error"), answer.get("parameters", {}), progress)
            progress.append(answer["parameters"])

    def close(self):
        """Hangs up; gives the exit code and the standard error of a child."""
        self.sock.close()
        if self.process is None:
            return None, ""
        _, text = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, text


# --- the check of a helper ---------------------------------------------------------------------------------


class Check:
    def __init__(self, command):
        self.command = command
        self.count = 0
        self.wrong = []

    def that(self, name, condition, seen):
        self.count += 1
        if not condition:
            self.wrong.append(f"{name}: {seen!r}")

    def one(self, name, method, parameters, error, member=None):
        """One call on a connection of its own that must give that error, with that member of its parameters."""
        client = Client.spawn(self.command)
        reply = client.call(method, parameters)
        code, text = client.close()
        good = reply is not None and reply.error == error and (member is None or member in reply.parameters.items())
        self.that(name, good, (reply, text))
        self.that(name + ": exit code", code == 0, (code, text))


def check_service(check):
    client = Client.spawn(check.command)
    info = client.call("org.varlink.service.GetInfo")
    check.that("GetInfo", info.error is None and info.parameters["interfaces"][0] == "org.varlink.service", info)
    described = {}
    for name in info.parameters["interfaces"]:
        reply = client.call("org.varlink.service.GetInterfaceDescription", {"interface": name})
        described[name] = reply.parameters.get("description", "")
        check.that(f"description of {name}", f"\ninterface {name}\n" in "\n" + described[name], reply)
    methods = re.findall(r"^method (\w+)", described.get("org.twprofile", ""), re.M)
    check.that("methods are described", len(methods) >= 5, methods)
    # each of them exists: without parameters it is the first parameter that is missed
    for method in methods:
        reply = client.call("org.twprofile." + method)
        check.that(f"{method} exists", reply.error == "org.varlink.service.InvalidParameter", reply)
    client.close()


def check_refusals(check):
    service = "org.varlink.service."
    own = {"profiles": ["web"], "netns": netns_of_self()}
    check.one("unknown method", "org.twprofile.No", {}, service + "MethodNotFound", ("method", "org.twprofile.No"))
    check.one("unknown interface", "a.b.C", {}, service + "InterfaceNotFound", ("interface", "a.b"))
    for name, parameters, bad in [
        ("a path", {**own, "profiles": ["../../etc/passwd"]}, "profiles"),
        ("an absolute path", {**own, "profiles": ["/etc/passwd"]}, "profiles"),
        ("a wrong type", {**own, "profiles": "web"}, "profiles"),
        ("nothing to enable", {**own, "profiles": []}, "profiles"),
        ("no namespace", {"profiles": ["web"]}, "netns"),
        ("a text for a number", {**own, "netns": str(own["netns"])}, "netns"),
        ("a stranger", {**own, "force": True}, "force"),
        ("a value", {**own, "values": {"net.core.somaxconn": 1}}, "values"),
        ("a line break", {**own, "reason": "a\nb"}, "reason"),
        ("a long reason", {**own, "reason": "x" * 1025}, "reason"),
        ("an unknown adoption", {**own, "adopt": ["all"]}, "adopt"),
    ]:
        check.one(name, "org.twprofile.Enable", parameters, service + "InvalidParameter", ("parameter", bad))


def check_framing(check):
    for name, data in [
        ("no JSON", b"hello\0"),
        ("a list", b"[]\0"),
        ("a name twice", b'{"method":"a.B","method":"c.D"}\0'),
        ("not UTF-8", b'{"method":"\xff"}\0'),
        ("too deep", b'{"method":"a.B","parameters":' + b"[" * 5000 + b"]" * 5000 + b"}\0"),
        ("unknown member", b'{"method":"org.varlink.service.GetInfo","extra":1}\0'),
        ("half a message", b'{"method":"org.varlink'),
    ]:
        client = Client.spawn(check.command)
        client.send_raw(data)
        if not data.endswith(b"\0"):
            client.sock.shutdown(socket.SHUT_WR)
        answer = client.receive()
        code, text = client.close()
        check.that(f"{name}: dropped without an answer", answer is None, answer)
        check.that(f"{name}: said in the log", code == 0 and "closed" in text, (code, text))

    # several calls in one packet, a call in many
    client = Client.spawn(check.command)
    call = b'{"method":"org.varlink.service.GetInfo"}\0'
    client.send_raw(call * 3)
    for i in range(len(call)):
        client.send_raw(call[i : i + 1])
    answers = [client.receive() for _ in range(4)]
    check.that("joined and split calls", all(a and "parameters" in a for a in answers), answers)
    client.close()


def check_silence(check):
    client = Client.spawn(check.command)
    started = time.monotonic()
    answer = client.receive()
    took = time.monotonic() - started
    check.that("a silent connection is dropped after 2 s", answer is None and 1.5 < took < 6, (answer, took))
    client.close()


def check_oneway(check):
    client = Client.spawn(check.command)
    client.send({"method": "org.varlink.service.GetInfo", "oneway": True})
    reply = client.call("org.varlink.service.GetInfo")
    check.that("oneway gets no reply", reply is not None and reply.error is None, reply)
    client.sock.shutdown(socket.SHUT_WR)
    check.that("and nothing behind it", client.receive() is None, None)
    client.close()


def check_namespace(check):
    # files have no namespace; and a denial is recorded, which --root has no place for
    if any(a.startswith("--root=") for a in check.command):
        return
    parameters = {"profiles": ["web"], "netns": 1}
    check.one("another namespace", "org.twprofile.Enable", parameters, "org.twprofile.Refused", ("code", "other-namespace"))


def main(args):
    if not args or args[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return USAGE
    check = Check([args[0], "serve", *args[1:]])
    for part in (check_service, check_refusals, check_framing, check_silence, check_oneway, check_namespace):
        part(check)
    for line in check.wrong:
        print(line)
    print(f"{check.count - len(check.wrong)} of {check.count} as they must be")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
