# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges a recorded round: is there one order of all calls that fits the clock, the audit log and the model?

    faults, counts = check(model, history)

replay.py has judged what changed state. Here is everything else: calls that were refused or had nothing to do hold the lock
too, and each reader has to have seen one state, of a time between its begin and its end; a later reader never an earlier
state. Then the values (registers.py), and the sums.
"""

import bisect
from collections import Counter

from history import CHANGES, LOCKED
from model import Conflict, action, same_request, words
from registers import explain
from replay import Replay
import registers

BUSY_NS = 19_000_000_000  # a call waits 20 s for the lock
CALL_NS = 60_000_000_000  # and none takes longer than this
# A comparing engine loses what falls into some microseconds, one that does not compare what falls into a change.
LOST_MOST, LOST_CALLS = 2, 300


class Views:
    """The states as they could be seen: which ones in an interval."""

    def __init__(self, replay):
        self.states = replay.states
        self.begun = [t.free for t in replay.transitions]
        self.settled = []  # seen by everybody from then on
        for n, transition in enumerate(replay.transitions):
            end = transition.call.end if transition.call else float("inf")
            after = replay.transitions[n + 1].free if n + 1 < len(replay.transitions) else float("inf")
            self.settled.append(min(end, after))
        for n in range(len(self.settled) - 2, -1, -1):
            self.settled[n] = min(self.settled[n], self.settled[n + 1])

    def range(self, begin, end):
        return bisect.bisect_left(self.settled, begin), bisect.bisect_right(self.begun, end)


class Judge:
    """One call against one state: None when it fits, else what does not."""

    def __init__(self, model, replay):
        self.model, self.replay = model, replay
        self.foreign = [s for s in replay.history.foreign if s["kind"] == "write"]

    def possible(self, key, call):
        return self.replay.timelines[key].possible(call.begin, call.end)

    def somebody_wrote(self, keys, call):
        return any(s["key"] in keys and s["begin"] <= call.end and s["end"] >= call.begin for s in self.foreign)

    def judge(self, call, state):
        if call.error == "busy" and call.verb in (*LOCKED, "dry run"):
            return None if call.end - call.begin >= BUSY_NS else "it was not kept waiting"
        return getattr(self, "see_" + call.verb.replace(" ", "_"))(call, state)

    @staticmethod
    def answer(call, exit_code, error=None, outcome=None):
        told = (call.exit, call.error, call.result.get("outcome") if call.exit in (0, 7) else None)
        wanted = (exit_code, error, outcome)
        return None if told == wanted else f"answered {told}, in the model {wanted}"

    # --- with the lock, and nothing changed

    def see_undecided(self, call, state):
        window, request = state.window, call.request
        if call.verb == "enable" and same_request(request) == window.request and (request.get("within") or request.get("runtime")):
            fault = self.answer(call, 0, None, "pending")
            told = call.result.get("token"), call.result.get("transaction"), call.result.get("deadline_ms"), call.document.get("changed")
            wanted = window.token, window.tx, window.deadline_ms, False
            return fault or (None if told == wanted else f"answered {told}, in the model {wanted}")
        if call.verb == "rollback" and request.get("to") is None:
            return "in the model it takes back what awaits confirmation"
        fault = self.answer(call, 4, "change-undecided")
        return fault or (None if window.tx in call.document["error"]["message"] else "it names another change")

    def see_change(self, call, state, outcome="unchanged"):
        if state.window is not None and outcome == "unchanged":
            return self.see_undecided(call, state)
        try:
            plan = self.model.plan(state, call.request, {})
        except Conflict:
            return self.answer(call, 3, "merge-conflict")
        except KeyError:
            name = "no-parent-generation" if call.request.get("to") is None else "unknown-generation"
            return self.answer(call, 5, name)
        old = state.content.keys
        if call.error == "drift":
            if action(call.request) != "enable" or "drift" in call.request.get("adopt", ()):
                return "in the model it is not refused for drift"
            for key in call.finding_keys("drift"):
                if key not in old or not self.possible(key, call) - {old[key][0], plan.wanted[key]}:
                    return f"{key} can have held nothing but {sorted(self.possible(key, call))}"
            return self.answer(call, 4, "drift")
        if call.error == "profile-quarantined":
            brought = self.model.quarantined(state, plan.content.profiles)
            return self.answer(call, 4, "profile-quarantined") if brought else "nothing that it brings in is quarantined"
        if call.error == "rehearsal-failed":
            keys = call.finding_keys("rehearsal-failed")
            return self.answer(call, 4, "rehearsal-failed") if self.somebody_wrote(keys, call) else f"nobody wrote {sorted(keys)}"
        return self.see_planned(call, state, outcome)

    def see_planned(self, call, state, outcome):
        rows = {c["key"]: c for c in call.result.get("changes", ())}
        read = {key: words(row["before"]) for key, row in rows.items()}
        plan = self.model.plan(state, call.request, read)
        if call.result.get("generation_before") != state.number or set(rows) != set(plan.actions):
            return f"answered {call.result.get('generation_before')} with {sorted(rows)}, in the model " \
                   f"{state.number} with {sorted(plan.actions)}"
        for key, row in rows.items():
            if words(row["wanted"]) != plan.wanted[key]:
                return f"{key} is to be {row['wanted']!r}, in the model {plan.wanted[key]!r}"
            if read[key] not in self.possible(key, call):
                return f"{key} cannot have been {read[key]!r}, but {sorted(self.possible(key, call))}"
        if plan.drifted:
            return f"{sorted(plan.drifted)} drifted, and it was not refused"
        noop = plan.is_noop(state)
        if outcome == "unchanged" and not noop:
            return "in the model something changes"
        if action(call.request) == "enable" and not noop and self.model.quarantined(state, plan.content.profiles):
            return "in the model it is refused, for what is quarantined"
        return self.answer(call, plan.exit_code(), call.error, "unchanged" if noop else outcome)

    see_enable = see_disable = see_rollback = see_change

    def see_confirm(self, call, state):
        window = state.window
        if window is None:
            return self.answer(call, 5, "nothing-undecided")
        if call.request["token"] != window.token:
            return self.answer(call, 4, "wrong-token")
        if not call.request.get("same_session"):
            return self.answer(call, 4, "session-not-new")
        drifted = [key for key, (_, wanted) in window.written.items() if self.possible(key, call) - {wanted}]
        return self.answer(call, 4, "confirm-drift") if drifted else "in the model it is confirmed"

    def see_release(self, call, state):
        if call.request["profile"] in state.quarantine:
            return "in the model it is released"
        return self.answer(call, 5, "not-quarantined")

    def see_recover(self, call, state):
        if state.window is None:
            return self.answer(call, 0, None, "unchanged")
        return self.answer(call, 0, None, "pending") or \
            (None if call.result["transaction"] == state.window.tx else "it names another change")

    # --- readers

    def see_dry_run(self, call, state):
        return self.see_change(call, state, "planned")

    see_plan = see_dry_run

    def see_keys(self, call, state, rows):
        wanted = {key: (value, profile) for key, (value, profile, _) in state.content.keys.items()}
        told = {row["key"]: (words(row["wanted"]), row["profile"]) for row in rows}
        if told != wanted:
            return f"it wants {told}, in the model {wanted}"
        for row in rows:
            live = words(row["live"])
            if live not in self.possible(row["key"], call):
                return f"{row['key']} cannot have been {live!r}, but {sorted(self.possible(row['key'], call))}"
            if (row["state"] == "ok") != (live == words(row["wanted"])):
                return f"{row['key']} is '{row['state']}' at {live!r}"
            if "origin" in row and words(row["origin"]) != state.content.keys[row["key"]][2]:
                return f"{row['key']} comes from {row['origin']!r}, in the model {state.content.keys[row['key']][2]!r}"
        return None

    def see_status(self, call, state):
        told, window = call.result, state.window
        if told.get("state") == "none":
            return None if state.number == 0 and window is None else "it knows of nothing"
        deadline = (told["window"] or {}).get("deadline_ms")
        fields = told["generation"], told["parent"], told["undecided"], deadline, told["attention"], \
            {p["name"] for p in told["profiles"]}, {q["name"] for q in told["quarantined"]}
        wanted = state.number, state.content.parent, window and window.tx, window and window.deadline_ms, False, \
            set(state.content.profiles), set(state.quarantine)
        if fields != wanted:
            return f"it tells {fields}, in the model {wanted}"
        return self.see_keys(call, state, told["keys"]) or self.answer(call, 0)

    def see_verify(self, call, state):
        told = call.result
        if told.get("state") == "none":
            return None if state.number == 0 else "it knows of nothing"
        if told["generation"] != state.number:
            return f"it tells of generation {told['generation']}, in the model {state.number}"
        if told["fragment"] != "ok" or told["boot_differs"]:
            return f"the fragment is '{told['fragment']}', though nobody touched it; boot differs: {told['boot_differs']}"
        return self.see_keys(call, state, told["keys"]) or self.answer(call, 1 if told["counts"]["differ"] else 0)

    def see_list(self, call, state):
        rows = call.result["profiles"]
        told = {r["name"] for r in rows if r["enabled"]}, {r["name"] for r in rows if r["quarantined"]}
        wanted = set(state.content.profiles), set(state.quarantine)
        return self.answer(call, 0) or (None if told == wanted else f"it tells {told}, in the model {wanted}")


def check_views(model, replay, faults):
    """Each call that made no record gets the earliest state that it fits; earlier ones were seen by nobody since."""
    views, judge = Views(replay), Judge(model, replay)
    calls = sorted((c for c in replay.history.calls if c.transition is None and not c.verb.startswith(("audit", "history"))),
                   key=lambda c: c.begin)
    ended = []  # (end, place) of those that have their place, by end
    for call in calls:
        low, high = views.range(call.begin, call.end)
        seen = max((place for end, place in ended if end < call.begin), default=0)
        why = []
        for place in range(max(low, seen), high + 1):
            fault = judge.judge(call, replay.states[place])
            if fault is None:
                ended.append((call.end, place))
                break
            why.append(f"behind {replay.transitions[place - 1] if place else 'the begin'}: {fault}")
        else:
            faults.append(f"{call} saw no state there was: " + ("; ".join(why[:4]) or "none later than what was seen"))


def check_log_readers(replay, faults):
    """`history` and `audit export` show the log as it was at some moment; `audit verify` finds it whole."""
    records = replay.history.audit
    begun = [r["bt"] for r in records]
    for call in replay.history.calls:
        if not call.verb.startswith(("audit", "history")):
            continue
        low = bisect.bisect_left(begun, call.begin) - 1  # the last of these may not have been written yet
        high = bisect.bisect_right(begun, call.end)
        if call.exit != 0:
            faults.append(f"{call}: {call.error}")
        elif call.verb == "audit verify":
            told = call.result["state"], call.result["tears"], call.result["torn_end"]
            if told not in (("whole", 0, False), ("empty", 0, False)) or not low <= call.result["last"] <= high:
                faults.append(f"{call}: {told} up to record {call.result['last']}, it had {low} to {high}")
        else:
            check_shown(call, records, low, high, faults)


def check_shown(call, records, low, high, faults):
    shown = call.result["records"]
    if call.result["broken"]:
        faults.append(f"{call}: broken lines {call.result['broken']}")
    if call.verb == "audit export":
        if shown != records[:len(shown)] or not low <= len(shown) <= high:
            faults.append(f"{call}: it shows {len(shown)} records, the log had {low} to {high} and they are others")
        return
    shown = [r for r in reversed(shown) if r["ev"] != "intent"]
    last = max((r["seq"] for r in shown), default=0)
    wanted = [r for r in records[:last] if r["ev"] in ("outcome", "confirm", "release", "denied")]
    certain = [r["seq"] for r in records[:max(low, 0)] if r["ev"] in ("outcome", "confirm", "release", "denied")]
    if shown != wanted[-len(shown):] or last > high or certain and certain[-1] > last:
        faults.append(f"{call}: it shows {len(shown)} records up to {last}, the log had {low} to {high} and they are others")


def check_values(replay, faults):
    lost = 0
    for key, groups in replay.steps.items():
        foreign = [getattr(registers, s["kind"])(words(s["value"]), s["begin"], s["end"], "the foreign writer")
                   for s in replay.history.foreign if s["key"] == key]
        fault, n = explain(replay.history.initial[key], groups, foreign)
        lost += n
        if fault:
            faults.append(f"{key}: {fault}")
    most = LOST_MOST + len(replay.history.calls) // LOST_CALLS
    if lost > most:
        faults.append(f"{lost} foreign values were written over between compare and write; by bad luck it is at most {most}")
    replay.lost = lost


def check_sums(replay, faults):
    calls, history = replay.history.calls, replay.history
    for call in calls:
        if call.end - call.begin > CALL_NS:
            faults.append(f"{call} took {(call.end - call.begin) / 1e9:.0f} s")
        if call.document.get("exit_code") != call.exit:
            faults.append(f"{call} ended without its document: {str(call.document)[:200]}")
    answered = [c for c in calls if c.verb in CHANGES + ("confirm",) and
                c.document.get("changed") and c.result.get("outcome") in ("applied", "partly")]
    committed = [t for t in replay.transitions if t.kind in ("change", "confirm")]
    answered = [c for c in answered if c.transition is None or c.transition.kind not in ("revert", "window")]
    if len(answered) != len(committed):
        faults.append(f"{len(answered)} commits were answered, {len(committed)} are in the audit log")
    for call in answered:
        if call.transition is None:
            faults.append(f"{call} is not in the audit log")
    windows = Counter(t.call.result.get("token") for t in replay.transitions if t.kind == "window" and t.call)
    faults += [f"the token {token} was given {n} times" for token, n in windows.items() if n > 1]
    numbers = Counter(t.last["gen"]["to"] for t in committed)
    faults += [f"generation {number} was committed {n} times" for number, n in numbers.items() if n > 1]
    denied = sum(r.get("count", 1) for r in history.audit if r["ev"] == "denied") + history.final["denied_waiting"]
    refused = sum(c.error == "wrong-token" for c in calls)
    if denied != refused:
        faults.append(f"{refused} wrong tokens were refused, {denied} are counted")


def check_end(replay, faults):
    state, final = replay.states[-1], replay.history.final
    faults += [f"left over: {what}" for what in final["left"]]
    if state.window is not None:
        faults.append(f"change {state.window.tx} still awaits confirmation")
    if final["generation"] != state.number:
        faults.append(f"the end is generation {final['generation']}, in the model {state.number}")
    wanted = {key: value for key, (value, _, _) in state.content.keys.items()}
    if {k: words(v) for k, v in final["fragment"].items()} != wanted:
        faults.append(f"the fragment says {final['fragment']}, in the model {wanted}")


def check(model, history):
    replay = Replay(model, history).run()
    faults = replay.faults
    check_views(model, replay, faults)
    check_log_readers(replay, faults)
    check_values(replay, faults)
    check_sums(replay, faults)
    check_end(replay, faults)
    counts = Counter(c.verb for c in history.calls)
    return faults, counts, replay
