# SPDX-License-Identifier: LGPL-2.1-or-later
"""Replays what the audit log says through the model: each record and each answer has to be what the model does there.

    replay = Replay(model, history); replay.run()
    replay.states[i]      before transition i; the last one is the end
    replay.steps[key]     what the engine read and wrote, for registers.explain
    replay.faults         what the model does not do
"""

from history import transitions
from model import Conflict, NOTHING, State, Window, Wrong, same_request, words
from registers import Timeline, read, write

OUTCOMES = {"set": "set", "kept": "kept", "restore": "restored", "restored": "restored", "left": "left"}
MS = 1_000_000


class Replay:
    def __init__(self, model, history):
        self.model, self.history = model, history
        self.faults = []
        self.transitions = transitions(history.audit, self.faults)
        self.states = [State()]
        self.steps = {key: [] for key in history.initial}
        self.timelines = {key: Timeline(value) for key, value in history.initial.items()}
        self.told_over = 0  # foreign values that were written over while it was told
        for step in history.foreign:
            if step["kind"] == "write":
                self.timelines[step["key"]].add(words(step["value"]), step["begin"], step["end"])

    def fault(self, transition, text):
        self.faults.append(f"{transition}: {text}")

    def want(self, transition, condition, text):
        if not condition:
            self.fault(transition, text)

    # --- who made it, and when

    def claim(self):
        by_pid = {}
        for call in self.history.calls:
            by_pid.setdefault(call.pid, []).append(call)
        for transition in self.transitions:
            record = transition.last if transition.kind != "failed" else transition.first
            pid = record.get("who", {}).get("pid")
            # process ids come again
            fitting = [c for c in by_pid.get(pid, ()) if c.begin <= record["bt"] <= c.end]
            is_guard = transition.kind == "revert" and transition.last.get("cause") == "deadline"
            if len(fitting) == 1 and not is_guard:
                self.take(transition, fitting[0])
            elif not is_guard:
                self.fault(transition, f"process {pid} made no such call at that time")

    def take(self, transition, call):
        transition.call = call
        if call.transition is not None:
            self.fault(transition, f"{call} has made {call.transition} already")
        call.transition = transition
        verb = "confirm" if transition.kind == "confirm" else transition.last.get("verb")
        self.want(transition, call.verb == verb, f"it was {call}")
        self.want(transition, call.begin <= transition.free and transition.over <= call.end,
                  f"it happened outside of {call}")

    def check_order(self):
        """What ended before another one began comes first: of each two records, in the order of the log."""
        begun, who = 0, None
        for transition in self.transitions:
            call = transition.call
            begin = call.begin if call else transition.free
            end = call.end if call else transition.over
            if end < begun:
                self.fault(transition, f"it had ended when {who} began, which stands before it")
            if begin > begun:
                begun, who = begin, transition
        times = [r["bt"] for r in self.history.audit]
        for n, (one, other) in enumerate(zip(times, times[1:])):
            if other < one:
                self.faults.append(f"audit: record {self.history.audit[n + 1]['seq']} is older than the one before it")

    # --- the engine's steps on values

    def since(self, index):
        """When a transition can have read its first value: the lock was another's before."""
        transition = self.transitions[index]
        before = self.transitions[index - 1].over if index else 0
        return max(before, transition.call.begin if transition.call else before)

    def until(self, index):
        """A window's values are written after its record."""
        transition = self.transitions[index]
        if transition.kind != "window":
            return transition.over
        after = self.transitions[index + 1].free if index + 1 < len(self.transitions) else float("inf")
        return min(after, transition.call.end if transition.call else after)

    def wrote(self, key, value, lo, hi, is_certain=True):
        self.timelines[key].add(value, lo, hi, is_certain)

    def step_change(self, index, key, before, wanted, writes):
        """Planned, rehearsed, compared, written, read back."""
        transition = self.transitions[index]
        since, at, until = self.since(index), transition.free, self.until(index)
        what = f"{transition}"
        group = [read(before, since, at, what)]
        if writes:
            group += [read(before, since, at, what), write(before, since, at, what), read(before, since, at, what),
                      read(before, at, until, what), write(wanted, at, until, what), read(wanted, at, until, what)]
            self.wrote(key, before, since, at)
            self.wrote(key, wanted, at, until)
        self.steps[key].append([group])

    def undo_steps(self, before, wanted, lo, hi, what):
        """Three-way: the value is back already, or ours and is taken back."""
        return [[read(before, lo, hi, what)],
                [read(wanted, lo, hi, what), write(before, lo, hi, what), read(before, lo, hi, what)]]

    def step_failed(self, index, key, row, culprit):
        transition = self.transitions[index]
        before, wanted, after, outcome = row
        since, at, until, what = self.since(index), transition.free, transition.over, f"{transition}"
        planned = [read(before, since, at, what)]
        if wanted != before and outcome not in ("kept", "left"):
            planned += [write(before, since, at, what), read(before, since, at, what)]
            self.wrote(key, before, since, at)
        if outcome in ("kept", "restored"):
            self.steps[key].append([planned])
        elif outcome == "untouched":
            self.steps[key].append([planned + ([read(after, at, until, what)] if after != before else [])])
        elif outcome == "left" and wanted is not None:
            written = planned + [read(before, at, until, what), write(wanted, at, until, what)]
            self.wrote(key, wanted, at, until, False)
            self.steps[key].append([planned, written + [read(after, at, until, what, )]])
        else:
            written = planned + [read(before, at, until, what), write(wanted, at, until, what)]
            self.wrote(key, wanted, at, until)
            self.wrote(key, before, at, until, False)
            ends = self.undo_steps(before, wanted, at, until, what)
            if culprit:
                # read back as another value: the message names the key, and its old value is put back
                self.told_over += 1
                ends.append([read(None, at, until, what, (wanted,)), write(before, at, until, what),
                             read(before, at, until, what)])
            self.steps[key].append([written + end for end in ends])
            self.want(transition, outcome == "undone" and after == before, f"{key} is '{outcome}' with {after!r}")

    # --- one kind each

    def plan(self, transition, state):
        rows = transition.keys()
        call = transition.call
        if state.window is not None:
            raise Wrong(f"change {state.window.tx} awaits confirmation")
        plan = self.model.plan(state, call.request, {k: row[0] for k, row in rows.items()})
        if set(rows) != set(plan.actions):
            raise Wrong(f"it tells of {sorted(rows)}, and the model of {sorted(plan.actions)}")
        for key, row in rows.items():
            if row[1] != plan.wanted[key]:
                raise Wrong(f"{key} was to be {row[1]!r}, in the model {plan.wanted[key]!r}")
        if plan.drifted:
            raise Wrong(f"{sorted(plan.drifted)} hold foreign values: it had to be refused")
        brought = self.model.quarantined(state, plan.content.profiles)
        if call.verb == "enable" and brought:
            raise Wrong(f"{sorted(brought)} are quarantined")
        if plan.is_noop(state):
            raise Wrong("nothing changes, so there is to be no record of it")
        return plan

    def check_numbers(self, transition, state, number):
        told = transition.first["gen"]
        self.want(transition, told == {"from": state.number, "to": number}, f"generations {told} at {state.number}")

    def change(self, index, transition, state):
        plan, call = self.plan(transition, state), transition.call
        number = state.number + 1
        self.check_numbers(transition, state, number)
        for key, (before, wanted, after, outcome) in transition.keys().items():
            action = plan.actions[key]
            self.want(transition, outcome == OUTCOMES[action], f"{key} is '{outcome}', in the model '{action}'")
            self.want(transition, after == (before if action in ("left", "kept") else wanted),
                      f"{key} was read back as {after!r}")
            self.step_change(index, key, before, wanted, action in ("set", "restore"))
        names = {p.partition("@")[0] for p in transition.last["prof"]}
        self.want(transition, names == plan.content.profiles, f"profiles {names}, in the model {set(plan.content.profiles)}")
        told = transition.last["gen"]["to"], transition.last["res"]["exit"], call.exit
        self.want(transition, told == (number, plan.exit_code(), plan.exit_code()),
                  f"generation, exit codes of record and call: {told}, in the model {number}, {plan.exit_code()}")
        if call.exit == 0:
            self.check_answer(transition, "applied", number, state.number)
        else:
            left = {k for k, action in plan.actions.items() if action == "left"}
            self.want(transition, left <= call.finding_keys("foreign-value-kept"), f"it does not tell of {sorted(left)}")
        return state.commit(number, plan.content)

    def check_answer(self, transition, outcome, number, before):
        result = transition.call.result
        told = result.get("outcome"), result.get("generation"), result.get("generation_before"), result.get("transaction")
        wanted = outcome, number, before, transition.tx
        self.want(transition, told == wanted, f"{transition.call} answered {told}, in the model {wanted}")

    def failed(self, index, transition, state):
        """Somebody wrote between: all is as before. The exit code says whether something had been written."""
        self.plan(self.planned(transition), state)
        outcome, call = transition.last["res"]["outcome"], transition.call
        culprits = call.finding_keys("apply-undone") | call.finding_keys("apply-failed")
        for key, row in transition.keys().items():
            self.step_failed(index, key, row, key in culprits)
        wanted = {"undone": 6, "failed": 2}[outcome]
        self.want(transition, call.exit == wanted, f"{call}, in the model exit code {wanted}")
        self.want(transition, culprits, f"{call} does not name the key")
        return state

    @staticmethod
    def planned(transition):
        """As it was planned: the intent alone."""
        again = type(transition)(transition.kind, transition.first, transition.first)
        again.call = transition.call
        return again

    def window(self, index, transition, state):
        plan, call, number = self.plan(transition, state), transition.call, state.number + 1
        self.check_numbers(transition, state, number)
        self.want(transition, transition.first["window"]["s"] == call.request.get("within", 0), f"its window is not of {call}")
        written = {}
        for key, (before, wanted, _, _) in transition.keys().items():
            writes = plan.actions[key] in ("set", "restore")
            self.step_change(index, key, before, wanted, writes)
            if writes:
                written[key] = (before, wanted)
        window = Window(transition.tx, call.request.get("within", 0), number, plan.content, written,
                        plan.content.profiles - state.content.profiles, same_request(call.request))
        window.token, window.deadline_ms = call.result.get("token"), call.result.get("deadline_ms")
        self.want(transition, call.exit == plan.exit_code(), f"{call}, in the model exit code {plan.exit_code()}")
        if call.exit == 0:
            self.check_answer(transition, "pending", number, state.number)
            self.want(transition, window.token, f"{call} gave no token")
        if window.seconds and window.deadline_ms:
            early = call.begin // MS + window.seconds * 1000 > window.deadline_ms
            late = call.end // MS + window.seconds * 1000 < window.deadline_ms
            self.want(transition, not early and not late, f"the deadline {window.deadline_ms} is not that of {call}")
        return state.with_(window=window)

    def need_window(self, transition, state):
        if state.window is None or state.window.tx != transition.tx:
            raise Wrong("it decides a change that does not await confirmation")
        return state.window

    def confirm(self, index, transition, state):
        window, call = self.need_window(transition, state), transition.call
        since, over = self.since(index), transition.over
        if call.request["token"] != window.token:
            raise Wrong(f"{call} had another token than {window.token}")
        self.want(transition, call.request.get("same_session"), "the session was not known to be another one")
        self.want(transition, not window.deadline_ms or call.begin < window.deadline_ms * MS, "it came after the deadline")
        for key, (before, wanted, _, outcome) in transition.keys().items():
            self.want(transition, outcome == "kept" and before == wanted == window.written[key][1],
                      f"{key} was {before!r}, to be {wanted!r}, and is '{outcome}'")
            self.steps[key].append([[read(before, since, over, f"{transition}")]])
        self.check_answer(transition, "applied", window.number, state.number)
        self.want(transition, call.exit == 0, f"{call}, in the model exit code 0")
        return state.commit(window.number, window.content)

    def revert(self, index, transition, state):
        window, call = self.need_window(transition, state), transition.call
        since, over, what = self.since(index), transition.over, f"{transition}"
        rows = transition.keys()
        self.want(transition, set(rows) == set(window.written), f"it takes back {sorted(rows)}, not {sorted(window.written)}")
        for key, (_, _, after, outcome) in rows.items():
            before, wanted = window.written.get(key, (None, None))
            if outcome == "undone":
                self.wrote(key, before, since, over, False)
                self.steps[key].append(self.undo_steps(before, wanted, since, over, what))
                self.want(transition, after == before, f"{key} was read back as {after!r}")
            else:
                self.want(transition, outcome == "left" and after not in (before, wanted), f"{key} is '{outcome}' at {after!r}")
                self.steps[key].append([[read(after, since, over, what)]])
        left = {key for key, row in rows.items() if row[3] == "left"}
        if transition.last.get("cause") == "deadline":
            self.want(transition, window.deadline_ms and transition.over >= window.deadline_ms * MS, "it was not yet time")
            return state.with_(window=None, quarantine=state.quarantine | window.brought)
        self.want(transition, call.exit == (7 if left else 0), f"{call} left {sorted(left)}")
        self.want(transition, left <= call.finding_keys("foreign-value-kept"), f"{call} does not tell of {sorted(left)}")
        self.want(transition, call.request.get("to") is None, f"{call} is not about what awaits confirmation")
        return state.with_(window=None)

    def release(self, _index, transition, state):
        names = {p.partition("@")[0] for p in transition.last["prof"]}
        if names != {transition.call.request["profile"]} or not names <= state.quarantine:
            raise Wrong(f"{sorted(names)} were released, {sorted(state.quarantine)} were quarantined")
        self.want(transition, transition.call.exit == 0, f"{transition.call}, in the model exit code 0")
        return state.with_(quarantine=state.quarantine - names)

    # --- all of them

    def run(self):
        self.claim()
        self.check_order()
        kinds = {"change": self.change, "failed": self.failed, "window": self.window, "confirm": self.confirm,
                 "revert": self.revert, "release": self.release}
        for index, transition in enumerate(self.transitions):
            state = self.states[-1]
            try:
                if transition.call is None and not (transition.kind == "revert" and transition.last.get("cause")):
                    raise Wrong("nobody asked for it")
                state = kinds[transition.kind](index, transition, state)
            except (Wrong, Conflict, KeyError) as e:
                self.fault(transition, f"{type(e).__name__ if not isinstance(e, Wrong) else 'the model'}: {e}")
                state = self.follow(transition, state)
            self.states.append(state)
        return self

    def follow(self, transition, state):
        """After a fault: on with what the log says, as far as that is known."""
        if transition.kind in ("confirm", "revert"):
            window = state.window
            if transition.kind == "confirm" and window:
                return state.with_(number=window.number, content=window.content, window=None)
            return state.with_(window=None)
        if transition.kind == "change":
            return state.with_(number=transition.last["gen"]["to"], content=state.content or NOTHING)
        return state
