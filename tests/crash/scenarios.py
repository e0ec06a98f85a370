# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is killed, from which start, and what must have become of it.

    scenario = Scenario(tools, PLANS["confirm"])
    verdict, faults = scenario.try_point((17, "after"), repeat=False)
"""

import subprocess
from dataclasses import dataclass, field

import evidence
import judge
from landmarks import Landmarks, changing
from world import UNUSUAL, Broken, Start, reboot, set_values

OUTBOUND = {"net/ipv4/tcp_tw_reuse": "1", "net/ipv4/ip_local_port_range": "20000\t65535",
            "net/ipv4/tcp_fin_timeout": "30", "net/ipv4/tcp_keepalive_time": "300", "net/ipv4/tcp_timestamps": "1",
            "net/ipv4/tcp_max_tw_buckets": "65536", "net/core/somaxconn": "4096"}
BOTH = dict(OUTBOUND, **{"net/core/somaxconn": "16384", "net/ipv4/tcp_max_tw_buckets": "131072",
                         "net/ipv4/tcp_keepalive_intvl": "30"})
GENERATOR = {"net/ipv4/tcp_tw_reuse": "1", "net/ipv4/ip_local_port_range": "10000\t65535",
             "net/ipv4/tcp_fin_timeout": "10", "net/ipv4/tcp_keepalive_time": "6000",
             "net/ipv4/tcp_max_tw_buckets": "262144"}

CHANGE = ("prepared", "commit", "done")
OPENED = ("prepared", "applied")
CONFIRMED = ("commit", "done")
REVERTED = ("revert", "done")

ENABLE = ["enable", "outbound-proxy"]
WINDOW = ["--confirm-within=600", "enable", "outbound-proxy"]
# made so long ago that its deadline has passed
OLD_WINDOW = ["--early=1000", *WINDOW]
FOREIGN = {"net/ipv4/tcp_fin_timeout": "51"}  # a key that both ways would write
ROTATING = ["--audit-bytes=2000", "--audit-files=2"]  # and the oldest file goes
CONFIRM = ["--same-session", "--token=TOKEN", "confirm"]

KEPT = 7  # exit code: somebody else's value was left
ANSWER = (1 << 30, "after")  # behind all calls
UNCONFIRMED = ("old", "an unconfirmed change has survived a reboot")
OVERDUE = ("new", "a change is still there past its deadline")


# --- starts that take more than requests ------------------------------------------------------------------------


def full_journal(tools):
    """Changes until the next one makes a new journal file."""
    for _ in range(200):
        before = Start()
        if any("rename" in c and c.endswith("/journal") for c in tools.trace(ENABLE)[1:]) and \
                f"{evidence.STATE_DIR}/journal" in before.machine.files:
            before.set()
            return
        tools.request(["disable", "outbound-proxy"])
    raise Broken("the journal never gets full")


def silent_log(tools):
    """A change is taken back while the log cannot be written: the next entry has to tell it late."""
    tools.request(WINDOW)
    mount = ["mount", "--bind", evidence.LOG_DIR, evidence.LOG_DIR]
    subprocess.run(mount, check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", evidence.LOG_DIR], check=True)
        p = tools.killer("rollback")
        if "answered reverted" not in p.stdout:
            raise Broken(f"without a log nothing is taken back: {p.stdout}{p.stderr[-1000:]}")
    finally:
        subprocess.run(["umount", evidence.LOG_DIR], check=True)


# --- the table ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    name: str
    request: list  # what is killed
    frames: tuple  # of the journal, that it writes
    values: dict  # that the new state has
    setup: list = field(default_factory=list)  # requests; or a function
    reboots: bool = False  # before recovery, which is the boot unit then
    whole: list = None  # requests that lead to the new state, where the killed one alone does not
    promise: tuple = None  # whatever was answered: see judge.judge()
    fragment: bool = True  # differs between old and new
    foreign: dict = field(default_factory=dict)  # what somebody else writes between the kill and recovery,
    interferes: bool = False  # or instead of a kill, at the same points


PLANS = {plan.name: plan for plan in [
    Plan("enable", ENABLE, CHANGE, OUTBOUND),
    Plan("enable another", ["enable", "busy-web-server"], CHANGE, BOTH, [ENABLE]),
    Plan("replace", ["--only", "enable", "load-generator"], CHANGE, GENERATOR, [ENABLE]),
    Plan("disable", ["disable", "outbound-proxy"], CHANGE, UNUSUAL, [ENABLE]),
    Plan("rollback", ["rollback"], CHANGE, OUTBOUND, [ENABLE, ["enable", "load-generator"]]),
    Plan("rollback to origin", ["--to=origin", "rollback"], CHANGE, UNUSUAL,
         [ENABLE, ["--only", "enable", "busy-web-server"]]),
    Plan("enable, new journal file", ENABLE, CHANGE, OUTBOUND, full_journal),
    Plan("enable, new audit file", [*ROTATING, *ENABLE], CHANGE, OUTBOUND,
         [[*ROTATING, *ENABLE], [*ROTATING, "disable", "outbound-proxy"], [*ROTATING, *ENABLE],
          ["disable", "outbound-proxy"]]),
    Plan("enable, late audit records", ENABLE, CHANGE, OUTBOUND, silent_log),
    Plan("open a window", WINDOW, OPENED, OUTBOUND, fragment=False),
    Plan("open a window, another", ["--confirm-within=600", "--only", "enable", "load-generator"], OPENED,
         GENERATOR, [ENABLE], fragment=False),
    Plan("confirm", CONFIRM, CONFIRMED, OUTBOUND, [WINDOW]),
    Plan("rollback in a window", ["rollback"], REVERTED, UNUSUAL, [WINDOW], fragment=False),
    Plan("guard at the deadline", ["--cause=deadline", "revert"], REVERTED, UNUSUAL, [OLD_WINDOW], promise=OVERDUE,
         fragment=False),
    Plan("guard by the gate", ["--cause=gate", "revert"], REVERTED, UNUSUAL, [WINDOW], fragment=False),
    Plan("enable, then a foreign write", ENABLE, CHANGE, OUTBOUND, foreign=FOREIGN),
    Plan("enable, a foreign write meanwhile", ENABLE, CHANGE, OUTBOUND, foreign=FOREIGN, interferes=True),
    Plan("guard at the deadline, then a foreign write", ["--cause=deadline", "revert"], REVERTED, UNUSUAL, [OLD_WINDOW],
         promise=OVERDUE, fragment=False, foreign=FOREIGN),
    Plan("enable, then reboot", ENABLE, CHANGE, OUTBOUND, reboots=True),
    Plan("replace, then reboot", ["--only", "enable", "load-generator"], CHANGE, GENERATOR, [ENABLE], reboots=True),
    Plan("open a window, then reboot", WINDOW, OPENED, OUTBOUND, reboots=True, whole=[WINDOW, CONFIRM],
         promise=UNCONFIRMED),
    Plan("confirm, then reboot", CONFIRM, CONFIRMED, OUTBOUND, [WINDOW], reboots=True),
    Plan("guard at the deadline, then reboot", ["--late=1000", "--cause=deadline", "revert"], REVERTED,
         OUTBOUND, [WINDOW], reboots=True, whole=[CONFIRM], promise=UNCONFIRMED),
]}


# --- one of them ----------------------------------------------------------------------------------------------------


class Scenario:
    def __init__(self, tools, plan):
        self.tools, self.plan, self.name = tools, plan, plan.name
        self.token = None
        set_values(UNUSUAL)
        if callable(plan.setup):
            plan.setup(tools)
        else:
            self._request(plan.setup)
        self.start = Start()
        self.request = self._with_token(plan.request)
        self.calls = tools.trace(self.request)
        self.landmarks = Landmarks(self.calls, plan.frames)
        self.old, self.new = self._state([]), self._state(plan.whole or [plan.request])
        self._check_worth()

    def _with_token(self, arguments):
        return [a.replace("TOKEN", self.token or "") for a in arguments]

    def _request(self, requests):
        for arguments in requests:
            self.token = self.tools.request(self._with_token(arguments)) or self.token

    def _state(self, requests):
        """The start, unkilled requests from there, and what recovery or a boot makes of it."""
        token = self.token
        self.start.set()
        self._request(requests)
        self.token = token
        if self.plan.reboots:
            self.recover()
        return evidence.read_machine()

    def _check_worth(self):
        """A start and an end that are not what the scenario says would make every verdict worthless."""
        for path, value in self.plan.values.items():
            if self.new.values[path] != value:
                raise Broken(f"{self.name}: an unkilled run leaves {path} at {self.new.values[path]!r}, not {value!r}")
        old, new = judge.known_parts(self.old), judge.known_parts(self.new)
        if sum(old[part] != new[part] for part in old) < 3 or \
                (self.new.fragment == self.old.fragment) == self.plan.fragment:
            raise Broken(f"{self.name}: old and new state hardly differ")
        for state, name in ((self.old, "old"), (self.new, "new")):
            verdict, faults = judge.judge(self.old, self.new, state, start=self.start.machine)
            overdue = name == "old" and self.plan.promise == OVERDUE
            if verdict != name or bool(faults) != overdue:
                raise Broken(f"{self.name}: the judge says of the {name} state itself: {verdict} {faults}")
            state.values.update(self.plan.foreign)

    def verdicts(self):
        """All that must be seen, or the scenario shows nothing."""
        return [self.plan.promise[0]] if self.plan.promise else ["old", "new"]

    def points(self, whens, only_changing=False):
        """(call, "before" or "after"), or (call, "foreign"). Between a look at a key and its write, and between the write
        and reading it back, nobody can tell whose value it is."""
        if self.plan.interferes:
            race = [f"pwrite proc/sys/{path}" for path in self.plan.foreign]
            behind = [n + 1 for n in self.landmarks.writes if self.calls[n - 1] in race]
            return [(n, "foreign") for n, call in enumerate(self.calls, 1) if call not in race and n not in behind]
        numbers = changing(self.calls) if only_changing else range(1, len(self.calls) + 1)
        return [(n, when) for n in numbers for when in whens] + [ANSWER]

    def describe(self, point):
        if point == ANSWER:
            return "behind the answer"
        how = "foreign write before" if point[1] == "foreign" else point[1]
        return f"{how} call {point[0]} ({self.calls[point[0] - 1]})"

    def promise(self, point, answered):
        """What the state has to be: the frame that decides is in the journal, or it is not."""
        if self.plan.promise or answered:
            return self.plan.promise or judge.TOLD
        name = "applied" if self.plan.frames == OPENED else self.plan.frames[-2]
        frame = getattr(self.landmarks, name)
        if not self.calls[frame - 1].endswith("/journal"):
            return None  # it stands in a new file, which is none before it is renamed
        is_new = point[0] > frame or point == (frame, "after")
        return "new" if is_new else "old", f"the kill came {'behind' if is_new else 'before'} {name.upper()}"

    def judge(self, promise):
        return judge.judge(self.old, self.new, evidence.read_machine(), promise, self.start.machine, self.plan.foreign)

    def before_recovery(self):
        """Behind a kill: the state in which recovery begins."""
        self._meanwhile()
        return Start()

    def _meanwhile(self):
        if self.plan.reboots:
            reboot()
        set_values(self.plan.foreign)

    def entry(self):
        """The verb of killer and helper that has to settle it."""
        return "boot" if self.plan.reboots else "recover"

    def recover(self):
        self._meanwhile()
        return self.tools.helper(self.entry())

    def settle(self, promise, again=False):
        """The real recovery, and the verdict. `again`: the reboot was before."""
        p = self.tools.helper(self.entry()) if again else self.recover()
        verdict, faults = self.judge(promise)
        if p.returncode not in ((0, KEPT) if self.plan.foreign else (0,)):
            faults = [f"{self.entry()} ended with {p.returncode}: {p.stderr.strip()[-500:]}"] + faults
        return verdict, faults

    def again(self):
        """After a return to the old state the same request leads to the new one."""
        self.tools.request(self.request)
        if self.plan.reboots:
            self.recover()
        verdict, faults = self.judge(judge.TOLD)
        return faults if verdict == "new" else faults + [f"the same request again led to the {verdict} state"]

    def can_repeat(self):
        """After a reboot nothing is left of what awaited confirmation, and what was dropped is quarantined."""
        was_lost = self.plan.reboots and self.plan.frames == CONFIRMED
        return not self.plan.promise and not self.plan.foreign and not was_lost

    def interfere(self, point, *options):
        """The whole request, and somebody else's write before one of its calls; whether it says that it is done."""
        self.start.set()
        write = [f"--foreign={point[0]}:{path}:{value}" for path, value in self.plan.foreign.items()]
        p = self.tools.killer(*write, *options, *self.request)
        if not p.stdout.startswith("answered "):
            raise Broken(f"no answer with {write}: {p.returncode} {p.stderr[-1000:]}")
        return p.stdout.startswith("answered applied ")

    def try_foreign(self, point, *options):
        """Either it was seen before the change, and stands in the journal as what was there; or it stays."""
        answered = self.interfere(point, *options)
        now, lost = evidence.read_machine(), []
        for path, value in self.plan.foreign.items():
            if now.values[path] != value and not judge.seen_before(now, path, value):
                lost.append(f"values: somebody else's write to {path} is lost")
        set_values(self.plan.foreign)
        verdict, faults = self.settle(judge.TOLD if answered else None, again=True)
        return verdict, lost + faults

    def kill(self, point):
        self.start.set()
        return self.tools.kill(None if point == ANSWER else point, self.request)

    def try_point(self, point, repeat):
        if self.plan.interferes:
            return self.try_foreign(point)
        answered = self.kill(point)
        verdict, faults = self.settle(self.promise(point, answered))
        if verdict == "old" and not faults and repeat and self.can_repeat():
            faults = self.again()
        return verdict, faults

    def first_points(self, is_long):
        """Behind which calls recovery is killed as well."""
        return [(n, "after") for n in (self.landmarks.deciding() if is_long else self.landmarks.decisive())]
