# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes one after the other, with an image of the disk at a random instant of each.

    history = History(tools, disk, random, seen)
    history.step()                 one request and one image
    history.shots, history.states

`states[n]` is the world when n requests were acknowledged; a shot was taken when `acked` were, and `begun` had begun.
`seen` counts the verbs, over several histories. `lie`: (library to preload, its order, part of the name of the call
that images are aimed at, or None).

Acknowledgements are in this process alone, which the disk does not hold.
"""

import os
import re
import select
import subprocess
import time
from dataclasses import dataclass

from scenarios import BOTH, ENABLE, GENERATOR, OUTBOUND
from world import UNUSUAL, Broken, Start

A, B, C = "outbound-proxy", "busy-web-server", "load-generator"
VALUES = {(): UNUSUAL, (A,): OUTBOUND, (A, B): BOTH, (C,): GENERATOR}
WINDOW = "--confirm-within=600"
AT_REST = "at rest"
AIMED = 0.75  # of the images are aimed at one of the engine's calls, the others at a time
DURABLE = re.compile(rb"\d+ (?:fsync|fdatasync|rename|unlink|pwrite) (?:etc|var)/")  # two thirds of the aimed at these
assert ENABLE[-1] == A


@dataclass(frozen=True)
class Generation:
    """What we know ourselves of what was committed: the profiles, and what a rollback leads to."""
    profiles: tuple
    parent: object = None


@dataclass
class Shot:
    verb: str
    image: str
    acked: int
    begun: int
    where: str


def choices(current, window):
    """(verb, weight, arguments, generation, generation that waits) of every request that may come next."""
    if window:
        yield "confirm", 2, ["--same-session", "--token=TOKEN", "confirm"], window, None
        yield "rollback in the window", 1, ["rollback"], current, None
        return
    changes = {
        (): [("enable", [A], (A,), []), ("enable", [C], (C,), ["--only"])],
        (A,): [("enable another", [B], (A, B), []), ("replace", [C], (C,), ["--only"])],
        (A, B): [("replace", [C], (C,), ["--only"]), ("replace", [A], (A,), ["--only"])],
        (C,): [("replace", [A], (A,), ["--only"])],
    }
    for verb, names, after, options in changes[current.profiles]:
        generation = Generation(after, current)
        yield verb, 2, [*options, "enable", *names], generation, None
        yield "open a window", 2, [WINDOW, *options, "enable", *names], current, generation
    if current.profiles:
        last, rest = current.profiles[-1], current.profiles[:-1]
        yield "disable", 2, ["disable", last], Generation(rest, current), None
        yield "rollback to origin", 1, ["--to=origin", "rollback"], Generation(()), None
    if current.parent:
        yield "rollback", 3, ["rollback"], current.parent, None


class History:
    def __init__(self, tools, disk, random, seen, lie=None):
        self.tools, self.disk, self.random, self.seen = tools, disk, random, seen
        self.environment = dict(os.environ, LD_PRELOAD=lie[0], TW_IMAGES_LIE=lie[1]) if lie else None
        self.target = lie[2].encode() if lie and lie[2] else None
        self.current, self.window, self.token = Generation(()), None, None
        self.states, self.values = [Start()], [VALUES[()]]
        self.shots = []
        self.calls, self.seconds = {}, {}  # of each verb's last run

    def _choose(self):
        """The rarest verbs rather than the others, so that few images show all."""
        offered = list(choices(self.current, self.window))
        weights = [weight / (1 + 3 * self.seen.get(verb, 0) ** 2) for verb, weight, *_ in offered]
        return self.random.choices(offered, weights)[0]

    def step(self):
        verb, _, arguments, generation, window = self._choose()
        self.seen[verb] = self.seen.get(verb, 0) + 1
        self._run(verb, [a.replace("TOKEN", self.token or "") for a in arguments])
        self.current, self.window = generation, window
        self.states.append(Start())
        self.values.append(VALUES[generation.profiles])

    def rest(self):
        """An image when nothing runs."""
        time.sleep(self.random.uniform(0, 0.02))
        self._shoot(AT_REST, begun=len(self.states) - 1, where="nothing runs")

    def _shoot(self, verb, begun, where):
        self.shots.append(Shot(verb, self.disk.snapshot(), len(self.states) - 1, begun, where))

    # --- one request -----------------------------------------------------------------------------------------

    def _run(self, verb, arguments):
        began = time.monotonic()
        with subprocess.Popen([self.tools.killer_path, "--trace", *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment) as process:
            if self.target or self.random.random() < AIMED:
                number = self._aim(verb)
                read = self._read_until(process, lambda data: data.count(b"\n") >= number if not self.target
                                        else self.target in data)
                if self.target:
                    time.sleep(self.random.uniform(0, 0.2))  # the lie takes its time
                where = f"{verb}, at call {read.splitlines()[-1].decode() if read else 'none'}"
            else:
                after = self.random.uniform(0, self.seconds.get(verb, 0.05))
                read, where = b"", f"{verb}, after {after * 1000:.1f} ms"
                time.sleep(after)
            # Nothing was read of its answer yet: it counts as not acknowledged, and has to be new or old
            answered = bool(select.select([process.stdout], [], [], 0)[0])
            self._image_of(process, verb, where, answered)
            out, err = process.communicate()
        self._check_answer(arguments, process.returncode, out.decode(), err.decode(errors="replace"))
        self.calls[verb] = (read + err).splitlines()
        self.seconds[verb] = time.monotonic() - began
        if answered:
            self.shots[-1].acked = self.shots[-1].begun

    def _aim(self, verb):
        """The number of a call."""
        calls = self.calls.get(verb) or next(iter(self.calls.values()), [])
        durable = [n for n, line in enumerate(calls, 1) if DURABLE.match(line)]
        if durable and self.random.random() < 2 / 3:
            return self.random.choice(durable)
        return self.random.randint(1, len(calls) or 100)

    def _image_of(self, process, verb, where, answered):
        over = " behind the answer" if answered or process.poll() is not None else ""
        self._shoot(verb, begun=len(self.states), where=where + over)

    @staticmethod
    def _read_until(process, is_enough):
        """What it says of its calls, each before it is made."""
        data = b""
        while not is_enough(data):
            more = os.read(process.stderr.fileno(), 4096)
            if not more:
                break
            data += more
        return data

    def _check_answer(self, arguments, code, out, err):
        words = out.split()
        if code != 0 or len(words) != 5 or words[0] != "answered" or words[1] == "refused":
            raise Broken(f"{' '.join(arguments)} ended with {code}: {out}{err[-500:]}")
        self.token = words[4] if words[4] != "-" else self.token

