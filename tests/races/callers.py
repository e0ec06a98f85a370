# SPDX-License-Identifier: LGPL-2.1-or-later
"""The round itself: callers that run the real command line at once, a foreign writer, a keeper of the guard.

Runs inside tests/integration/private-world. Everything is recorded as it happens, with CLOCK_BOOTTIME at both ends.
"""

import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import remains

NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
MANAGED = {
    "net.ipv4.tcp_fin_timeout": lambda n: str(100 + n % 900),
    "net.ipv4.tcp_keepalive_time": lambda n: str(2000 + n % 5000),
    "net.ipv4.tcp_keepalive_intvl": lambda n: str(100 + n % 900),
    "net.ipv4.tcp_keepalive_probes": lambda n: str(20 + n % 100),
    "net.ipv4.tcp_syn_retries": lambda n: str(10 + n % 100),
    "net.ipv4.tcp_reordering": lambda n: str(50 + n % 200),
    "net.ipv4.tcp_synack_retries": lambda n: str(10 + n % 200),
    "net.ipv4.tcp_rmem": lambda n: f"4096 131072 {7000000 + 4096 * (n % 1000)}",
}
UNMANAGED = {
    "net.ipv4.tcp_notsent_lowat": lambda n: str(100000 + n),
    "net.ipv4.tcp_orphan_retries": lambda n: str(1 + n % 200),
}
PR_SET_CHILD_SUBREAPER = 36
WINDOW_S = 5
NO_TOKEN = "00000000-00000000000000000000000000000000"


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def sysctl_path(key):
    return "/proc/sys/" + key.replace(".", "/")


def read_sysctl(key):
    with open(sysctl_path(key), encoding="ascii") as f:
        return f.read().strip()


# --- the foreign writer ----------------------------------------------------------------------------------------------


class Foreign:
    """Writes plainly, as sysctl(8) does; half of the time it puts back, a little later, what it had found."""

    def __init__(self, seed, pause):
        self.random, self.pause = random.Random(f"{seed}-foreign"), pause
        self.steps, self.n = [], 0
        self.is_stopped = False

    def step(self, kind, key, value=None):
        path = sysctl_path(key)
        fd = os.open(path, os.O_RDONLY if kind == "read" else os.O_WRONLY)
        begin = now()
        if kind == "read":
            value = os.pread(fd, 4096, 0).decode().strip()
        else:
            os.write(fd, value.encode() + b"\n")
        end = now()
        os.close(fd)
        self.steps.append({"kind": kind, "key": key, "value": value, "begin": begin, "end": end})
        return value

    def act(self):
        makers = MANAGED if self.random.random() < 0.8 else UNMANAGED
        key = self.random.choice(sorted(makers))
        self.n += 1
        found = self.step("read", key)
        self.step("write", key, makers[key](self.n))
        if self.random.random() < 0.7:
            time.sleep(self.random.uniform(0, self.pause))
            self.step("write", key, found)
        time.sleep(self.random.uniform(0, 2 * self.pause))

    def run(self, path):
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "is_stopped", True))
        while not self.is_stopped:
            self.act()
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.steps, f)


def keep_guard(helper):
    """What twprofile-guard.path does: there is a guard while /run/twprofile/pending is there."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    while not stopped:
        if os.path.exists("/run/twprofile/pending"):
            subprocess.run([helper, "guard"], stdin=subprocess.DEVNULL, check=False)
        time.sleep(0.01)


# --- callers ---------------------------------------------------------------------------------------------------------


class Round:
    def __init__(self, cli, seed, n_callers, n_calls, pause):
        self.cli, self.seed, self.n_callers, self.n_calls, self.pause = cli, seed, n_callers, n_calls, pause
        self.calls, self.tokens = [], []
        self.open = None  # the token of a window that nobody has decided yet, as far as is known
        self.lock = threading.Lock()
        self.barrier = threading.Barrier(n_callers)
        self.waits_until = 0  # so long nobody decides the window that is open
        self.has_waited = False
        self.deciding = 0  # calls at work that may decide a window

    def call(self, argv, request):
        argv = [self.cli, "--json=short", *argv]
        begin = now()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   close_fds=False)
        out, errors = process.communicate()
        end = now()
        try:
            document = json.loads(out)
        except ValueError:
            document = None
        raw = {"pid": process.pid, "argv": argv[2:], "request": request, "begin": begin, "end": end,
               "exit": process.returncode, "document": document, "errors": errors.decode(errors="replace")[:2000]}
        with self.lock:
            self.calls.append(raw)
            self.note(document or {})
        return raw

    def note(self, document):
        result = document.get("result") or {}
        if result.get("token"):
            self.tokens.append(result["token"])
            self.open = result["token"]
        is_decided = document.get("command") in ("confirm", "rollback") and document.get("changed")
        if is_decided or (document.get("error") or {}).get("name") == "nothing-undecided":
            self.open = None

    # --- requests: (arguments, what the model takes)

    def names(self, rng, most):
        return rng.sample(NAMES, rng.randint(1, most))

    def change(self, verb, names, options, **more):
        request = {"verb": verb, **({"profiles": names} if verb != "rollback" else {}), **more}
        return [verb, *names, *options], request

    def ask_enable(self, rng):
        names, options, more = self.names(rng, 3), [], {}
        if rng.random() < 0.3:
            options.append("--only")
            more["only"] = True
        if rng.random() < 0.6:
            options += ["--adopt=drift", "--reason=ours"]
            more["adopt"] = ["drift"]
        return self.change("enable", names, options, **more)

    def ask_window(self, rng):
        argv, request = self.ask_enable(rng)
        if rng.random() < 0.5:
            return argv + ["--runtime"], {**request, "runtime": True}
        return argv + [f"--confirm-within={WINDOW_S}s"], {**request, "within": WINDOW_S}

    def ask_disable(self, rng):
        return self.change("disable", self.names(rng, 2), [])

    def ask_rollback(self, rng):
        if rng.random() < 0.35 and not self.is_waiting():
            return self.change("rollback", [], [])
        to = "origin" if rng.random() < 0.15 else str(rng.randint(1, 20))
        return self.change("rollback", [], [f"--to={to}"], to=to)

    def ask_confirm(self, rng):
        with self.lock:
            token = self.open or NO_TOKEN
            if rng.random() < 0.25 or self.is_waiting():
                token = rng.choice(self.tokens[:-1] + [NO_TOKEN])
        same = rng.random() < 0.9
        return ["confirm", token] + ["--same-session"] * same, {"verb": "confirm", "token": token, "same_session": same}

    def ask_release(self, rng):
        name = rng.choice(NAMES)
        return ["release", name, "--reason=tried"], {"verb": "release", "profile": name}

    def ask_plan(self, rng):
        names = self.names(rng, 2)
        if rng.random() < 0.5:
            return ["plan", *names], {"verb": "plan", "as": "enable", "profiles": names}
        argv, request = rng.choice([self.ask_enable, self.ask_disable, self.ask_rollback])(rng)
        return argv + ["--dry-run"], {**request, "verb": "dry run", "as": request["verb"]}

    @staticmethod
    def ask_word(*argv):
        return lambda rng: (list(argv), {"verb": " ".join(w for w in argv if not w.startswith("-"))})

    def asks(self):
        return [(20, self.ask_enable), (10, self.ask_window), (10, self.ask_disable), (14, self.ask_rollback),
                (12, self.ask_confirm), (4, self.ask_release), (7, self.ask_plan), (3, self.ask_word("recover")),
                (8, self.ask_word("status")), (3, self.ask_word("list")), (6, self.ask_word("verify")),
                (3, self.ask_word("history", "--limit=0")), (3, self.ask_word("audit", "verify")),
                (2, self.ask_word("audit", "export"))]

    def caller(self, number):
        rng = random.Random(f"{self.seed}-{number}")
        self.barrier.wait()
        for n in range(self.n_calls):
            if number == 0 and n >= self.n_calls // 2 and not self.has_waited:
                self.let_one_expire(rng)
            self.one_call(rng)
            time.sleep(rng.uniform(0.3, 1.8) if self.is_waiting() else rng.uniform(0, self.pause))

    def one_call(self, rng):
        weights, asks = zip(*self.asks())
        with self.lock:
            is_waiting = self.is_waiting()
            is_urgent = self.open and not is_waiting and rng.random() < 0.3
        argv, request = self.ask_confirm(rng) if is_urgent else rng.choices(asks, weights)[0](rng)
        may_decide = request["verb"] in ("rollback", "confirm") and "to" not in request
        with self.lock:
            if may_decide and self.is_waiting() and not is_waiting:
                return  # chosen before everybody was to wait
            is_counted = may_decide and not is_waiting
            self.deciding += is_counted
        self.call(argv, request)
        with self.lock:
            self.deciding -= is_counted

    def is_waiting(self):
        return now() < self.waits_until

    def let_one_expire(self, rng):
        """Nobody confirms and nobody takes back: the guard and all who come behind the deadline are to meet."""
        names = self.names(rng, 3)
        argv, request = self.change("enable", names, [f"--confirm-within={WINDOW_S}s", "--only", "--adopt=drift", "--reason=ours"],
                                    only=True, adopt=["drift"], within=WINDOW_S)
        with self.lock:
            self.waits_until = now() + 60_000_000_000
        while self.deciding > 0:
            time.sleep(0.01)
        for _ in range(10):
            raw = self.call(argv, request)
            document = raw["document"] or {}
            if document.get("changed") and (document.get("result") or {}).get("deadline_ms"):
                self.has_waited = True
                deadline = document["result"]["deadline_ms"] * 1_000_000
                self.waits_until = deadline + 200_000_000
                time.sleep(max(0, self.waits_until - now()) / 1e9)
                for name in names:
                    self.call(["release", name, "--reason=tried"], {"verb": "release", "profile": name})
                return
            self.call(["rollback"], {"verb": "rollback"})
        self.waits_until = 0

    def begin(self):
        """One of each, alone: so that no round is without them. The foreign writer is at it already."""
        self.call(["confirm", NO_TOKEN], {"verb": "confirm", "token": NO_TOKEN, "same_session": False})
        is_confirmed = False
        while not is_confirmed:
            self.call(["enable", "alpha", "--runtime"], {"verb": "enable", "profiles": ["alpha"], "runtime": True})
            token = self.open or NO_TOKEN
            self.call(["confirm", NO_TOKEN], {"verb": "confirm", "token": NO_TOKEN, "same_session": False})
            raw = self.call(["confirm", token, "--same-session"], {"verb": "confirm", "token": token, "same_session": True})
            is_confirmed = raw["exit"] == 0
            if not is_confirmed:
                self.call(["rollback"], {"verb": "rollback"})
        self.call(*self.change("enable", ["beta", "gamma"], ["--adopt=drift", "--reason=ours"], adopt=["drift"]))
        self.call(["status"], {"verb": "status"})
        self.call(*self.change("rollback", [], []))
        self.call(["verify"], {"verb": "verify"})

    def run(self):
        self.begin()
        threads = [threading.Thread(target=self.caller, args=(n,)) for n in range(self.n_callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        raw = self.call(["status"], {"verb": "status"})
        if raw["document"]["result"]["undecided"]:
            self.call(["rollback"], {"verb": "rollback"})


# --- around it -------------------------------------------------------------------------------------------------------


def child(work, *arguments):
    pid = os.fork()
    if pid == 0:
        try:
            work(*arguments)
        finally:
            os._exit(0)
    return pid


def stop(pid):
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


def run_round(cli, helper, seed, n_callers, n_calls, out):
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ.update(TWPROFILE_HELPER=helper, TWPROFILE_SANDBOX="1")
    initial = {key: read_sysctl(key) for key in [*MANAGED, *UNMANAGED]}
    pause = 0.03
    foreign_file = f"{out}.foreign"
    this = Round(cli, seed, n_callers, n_calls, pause)
    foreign = child(Foreign(seed, pause).run, foreign_file)
    keeper = child(keep_guard, helper)
    try:
        this.run()
    finally:
        stop(foreign)
        stop(keeper)
    with open(foreign_file, encoding="utf-8") as f:
        steps = json.load(f)
    os.unlink(foreign_file)
    history = {"seed": seed, "initial": initial, "calls": this.calls, "foreign": steps,
               "audit": remains.read_audit(), "final": remains.look()}
    with open(out, "w", encoding="utf-8") as f:
        json.dump(history, f)
    return 0


if __name__ == "__main__":
    CLI, HELPER, SEED, CALLERS, CALLS, OUT = sys.argv[1:]
    sys.exit(run_round(CLI, HELPER, SEED, int(CALLERS), int(CALLS), OUT))
