# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the verbs do, one after the other: the sequential model that a history is replayed through.

Written from twprofile(8), docs/audit.md and docs/decisions, without any code of the engine. A State is everything that a
verb's answer depends on but live values: those are somebody else's as well, so what a verb read (`b` of its audit record) is
given to the model, and registers.py judges whether it could be read at that time.
"""

import glob
import os

import yaml


def words(value):
    """Values are compared by their words, whatever stands between them."""
    return " ".join(str(value).split())


def load_profiles(folder):
    """name -> (priority, {key: value})."""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.yaml"))):
        with open(path, encoding="utf-8") as f:
            profile = yaml.safe_load(f)
        values = {key: words(" ".join(map(str, v)) if isinstance(v, list) else v)
                  for key, v in profile["sysctl"].items()}
        found[profile["name"]] = (profile.get("priority", 50), values)
    return found


def action(request):
    """What a plan is of."""
    return request.get("as", request["verb"])


class Wrong(Exception):
    """The model does not do that."""


class Conflict(Exception):
    """Profiles of one priority ask for different values: exit code 3."""


class Content:
    """Of a generation. keys: key -> (value, profile, origin)."""

    def __init__(self, parent, profiles, keys):
        self.parent, self.profiles, self.keys = parent, frozenset(profiles), dict(keys)

    def same(self, other):
        return self.profiles == other.profiles and self.keys == other.keys


NOTHING = Content(0, (), {})


class Window:
    """A change that awaits confirmation."""

    def __init__(self, tx, seconds, number, content, written, brought, request):
        self.tx, self.seconds, self.number, self.content = tx, seconds, number, content
        self.written = written  # key -> (before, wanted)
        self.brought = frozenset(brought)  # profiles that a deadline would quarantine
        self.request = request  # the arguments that mean the same request
        self.token = None
        self.deadline_ms = None


class State:
    def __init__(self, number=0, content=NOTHING, generations=None, window=None, quarantine=frozenset()):
        self.number, self.content = number, content
        self.generations = generations or {}
        self.window, self.quarantine = window, frozenset(quarantine)

    def with_(self, **more):
        return State(**{**vars(self), **more})

    def commit(self, number, content):
        if number != self.number + 1:
            raise Wrong(f"generation {number} behind generation {self.number}")
        return self.with_(number=number, content=content, window=None,
                          generations={**self.generations, number: content})


class Plan:
    """actions: key -> set | kept | restore | restored | left; wanted: key -> value it would have."""

    def __init__(self, content):
        self.content, self.actions, self.wanted, self.drifted = content, {}, {}, set()
        self.moves = False

    def is_noop(self, state):
        return not self.moves and self.content.same(state.content) and \
            not set(self.actions.values()) & {"set", "restore"}

    def exit_code(self):
        return 7 if "left" in self.actions.values() else 0


class Model:
    def __init__(self, profiles):
        self.profiles = profiles

    def merge(self, names):
        """key -> (value, profile): the highest priority decides."""
        merged = {}
        for name in sorted(names):
            priority, values = self.profiles[name]
            for key, value in values.items():
                there = merged.get(key)
                if there and there[0] == priority and there[1] != value:
                    raise Conflict(key)
                if not there or priority > there[0]:
                    merged[key] = (priority, value, name)
        return {key: (value, name) for key, (_, value, name) in merged.items()}

    @staticmethod
    def rollback_number(state, request):
        """The generation that a rollback goes to, 0 for nothing of ours; KeyError where there is none behind."""
        to = request.get("to")
        if to is not None:
            return 0 if to == "origin" else int(to)
        if state.number == 0 or (state.content.parent == 0 and not state.content.profiles):
            raise KeyError("no parent")
        return state.content.parent

    def target(self, state, request):
        """The profiles and wanted values behind a request: (parent, names, {key: (value, profile)}); KeyError for a
        generation that is not there."""
        verb, current = action(request), state.content
        if verb == "enable":
            names = set(request["profiles"]) | (set() if request.get("only") else current.profiles)
            return state.number, names, self.merge(names)
        if verb == "disable":
            names = current.profiles - set(request["profiles"])
            return state.number, names, self.merge(names)
        number = self.rollback_number(state, request)
        content = state.generations[number] if number else NOTHING
        return content.parent, content.profiles, {k: (v, p) for k, (v, p, _) in content.keys.items()}

    def plan(self, state, request, read):
        """`read`: key -> the value that was found; what is missing is taken to be as it should be."""
        parent, names, wanted = self.target(state, request)
        old = state.content.keys
        plan = Plan(Content(parent, names, {}))
        # a rollback onto the same content still moves one step back in the history
        plan.moves = action(request) == "rollback" and state.number != 0 and parent != state.content.parent and \
            self.rollback_number(state, request) != 0
        for key in set(wanted) | set(old):
            value, profile = wanted.get(key, (None, None))
            previous, _, origin = old.get(key, (None, None, None))
            live = read.get(key, previous if previous is not None else value)
            target = value if value is not None else origin
            plan.wanted[key] = target
            foreign = previous is not None and live not in (previous, target)
            if live == target:
                plan.actions[key] = "kept" if value is not None else "restored"
            elif foreign and not (value is not None and "drift" in request.get("adopt", ())):
                plan.actions[key] = "left"
                if action(request) == "enable" and value is not None:
                    plan.drifted.add(key)
            else:
                plan.actions[key] = "set" if value is not None else "restore"
            if value is not None:
                plan.content.keys[key] = (value, profile, origin if previous is not None else live)
        return plan

    def quarantined(self, state, names):
        """What a change would bring in and may not."""
        return {n for n in names if n in state.quarantine and n not in state.content.profiles}


def same_request(request):
    """What makes a request for a window the same one: verb, names in their order, options."""
    return (request["verb"], tuple(request["profiles"]), bool(request.get("only")), tuple(sorted(request.get("adopt", ()))),
            request.get("within", 0), bool(request.get("runtime")))
