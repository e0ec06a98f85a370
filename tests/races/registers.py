# SPDX-License-Identifier: LGPL-2.1-or-later
"""Is what was read from and written to one sysctl possible? Two writers, each in its own order, and the clock.

The engine's steps on a key come from the audit log, one after the other, for it holds a lock; the foreign writer's from its
own record. Every step happened at one moment of its interval. `explain` looks for one merged order in which each read
finds the last write. A foreign value that stood there when the engine compared, and was written over all the same, has no
such order: the engine's read says another value, and the foreign write had ended before.
"""

import heapq


class Step:
    """kind: "read" or "write"; value: what was read (None: anything but `other_than`) or written; lo, hi: nanoseconds."""

    def __init__(self, kind, value, lo, hi, other_than=(), what=""):
        self.kind, self.value, self.lo, self.hi = kind, value, lo, hi
        self.other_than, self.what = other_than, what

    def __repr__(self):
        return f"{self.kind} {self.value!r} in {self.lo / 1e9:.6f}..{self.hi / 1e9:.6f} ({self.what})"

    def allows(self, now):
        return self.kind == "write" or (now == self.value if self.value is not None else now not in self.other_than)


def read(value, lo, hi, what="", other_than=()):
    return Step("read", value, lo, hi, other_than, what)


def write(value, lo, hi, what=""):
    return Step("write", value, lo, hi, (), what)


class Search:
    """Places: (groups done, alternative, steps of it done, foreign steps done, value, whether a foreign write came behind the
    engine's last step); the alternative is -1 between groups. The cheapest first: what costs is a lost foreign write."""

    def __init__(self, initial, engine, foreign):
        self.engine, self.foreign = engine, sorted(foreign, key=lambda s: s.lo)
        self.start = (0, -1, 0, 0, initial, False)

    def engines(self, place):
        """The sequences of the engine that can go on here: (sequence, alternative, steps done)."""
        group, alternative, done = place[:3]
        if alternative >= 0:
            return [(self.engine[group][alternative], alternative, done)]
        return [(sequence, n, 0) for n, sequence in enumerate(self.engine[group])] if group < len(self.engine) else []

    def after(self, place):
        group, alternative, done, n_foreign, value, is_behind = place
        other = self.foreign[n_foreign] if n_foreign < len(self.foreign) else None
        ours = float("inf")
        for sequence, n, at in self.engines(place):
            if at == len(sequence):
                yield 0, (group + 1, -1, 0, n_foreign, value, is_behind)
                ours = float("inf")
                break
            step = sequence[at]
            ours = min(ours, step.hi)
            # what ended before this began comes first
            if step.allows(value) and not (other and other.hi < step.lo):
                is_lost = step.kind == "write" and at > 0 and is_behind
                yield int(is_lost), (group, n, at + 1, n_foreign, step.value if step.kind == "write" else value, False)
        if other and other.allows(value) and not ours < other.lo:
            yield 0, (group, alternative, done, n_foreign + 1, other.value if other.kind == "write" else value,
                      is_behind or other.kind == "write")

    def stuck_at(self, place):
        steps = [sequence[at] for sequence, _, at in self.engines(place) if at < len(sequence)]
        other = self.foreign[place[3]] if place[3] < len(self.foreign) else "nothing more"
        return f"'{place[4]}' stood there, and then neither {steps or 'nothing more'} nor, of the foreign writer, {other!r} is possible"

    def run(self):
        places, seen, best = [(0, self.start)], set(), self.start
        while places:
            cost, place = heapq.heappop(places)
            if place in seen:
                continue
            seen.add(place)
            best = max(best, place, key=lambda p: (p[0], p[2], p[3]))
            if place[0] == len(self.engine) and place[1] < 0 and place[3] == len(self.foreign):
                return None, cost
            for more, following in self.after(place):
                if following not in seen:
                    heapq.heappush(places, (cost + more, following))
        return self.stuck_at(best), 0


def explain(initial, engine, foreign):
    """(None, foreign writes that were lost) when there is an order, else (what could not be explained, 0).

    `engine` is a list of groups: each a list of sequences of steps, one of which happened. Lost is a foreign write that fell
    between the engine's comparing and its writing: Linux cannot do both at once, so a few of them are bad luck."""
    return Search(initial, engine, foreign).run()


class Timeline:
    """Which values a key can have held at a time: for those who read without the lock."""

    def __init__(self, initial):
        self.writes = [(float("-inf"), float("-inf"), initial, True)]

    def add(self, value, lo, hi, is_certain=True):
        self.writes.append((lo, hi, value, is_certain))

    def possible(self, lo, hi):
        begun = [w for w in self.writes if w[0] <= hi]
        # the newest write that was over before `lo` hides what was over before it began
        newest = max((w[0] for w in begun if w[1] < lo and w[3]), default=float("-inf"))
        return {value for _, end, value, _ in begun if end >= newest}
