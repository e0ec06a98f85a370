# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wrong histories: a right one, as it was recorded, with one thing changed. The checker has to find each.

    for name, wanted, plant in PLANTS: plant(raw, replay)      changes `raw`; `wanted` has to be in a fault that is new
"""

import copy

from model import words

SECOND = 1_000_000_000


class Nothing(Exception):
    """The history has no place for it."""


def first(items, what):
    for item in items:
        return item
    raise Nothing(what)


def raw_call(raw, call):
    return raw["calls"][call.number]


def records_of(raw, transition):
    return [r for r in raw["audit"] if r.get("tx") == transition.tx]


def of_kind(replay, kind, **members):
    return [t for t in replay.transitions if t.kind == kind and all(t.last.get(k) == v for k, v in members.items())]


def calls_of(replay, verb, wanted=lambda call: True):
    return [c for c in replay.history.calls if c.verb == verb and wanted(c)]


def same_generation(raw, replay):
    changes = of_kind(replay, "change")
    if len(changes) < 2:
        raise Nothing("two changes")
    number = changes[0].last["gen"]["to"]
    for record in records_of(raw, changes[1]):
        record["gen"]["to"] = number
    raw_call(raw, changes[1].call)["document"]["result"]["generation"] = number


def missing_commit(raw, replay):
    change = first(of_kind(replay, "change", verb="enable"), "an enable")
    raw["audit"] = [r for r in raw["audit"] if r.get("tx") != change.tx]


def unasked_commit(raw, replay):
    change = first(of_kind(replay, "change"), "a change")
    del raw["calls"][change.call.number]


def lost_answer(raw, replay):
    """Answered as refused, though it was done."""
    change = first(of_kind(replay, "change", verb="enable"), "an enable")
    call = raw_call(raw, change.call)
    call["exit"] = call["document"]["exit_code"] = 4
    call["document"].update(ok=False, changed=False, result=None, error={"name": "drift", "message": "?"})


def mixed_reader(raw, replay):
    """The generation of one state, the keys of another."""
    call = first(calls_of(replay, "status", lambda c: c.result.get("keys")), "a status with keys")
    key = raw_call(raw, call)["document"]["result"]["keys"][0]
    key["wanted"] = str(int(words(key["wanted"]).split()[0]) + 1)


def mixed_fragment(raw, replay):
    call = first(calls_of(replay, "verify", lambda c: c.result.get("keys")), "a verify with keys")
    raw_call(raw, call)["document"]["result"]["fragment"] = "edited"


def reader_back_in_time(raw, replay):
    """What the first one saw is shown to the last one again."""
    seen = calls_of(replay, "status", lambda c: c.result.get("state") == "current")
    if len(seen) < 2 or seen[0].result["generation"] == seen[-1].result["generation"]:
        raise Nothing("two states that were seen")
    raw_call(raw, seen[-1])["document"] = copy.deepcopy(seen[0].document)


def impossible_value(raw, replay):
    call = first(calls_of(replay, "status", lambda c: c.result.get("keys")), "a status with keys")
    key = raw_call(raw, call)["document"]["result"]["keys"][0]
    key["live"], key["state"] = "12345", "drift"


def against_time(raw, replay):
    """A call that had ended before another began stands behind it in the log."""
    transitions = replay.transitions
    for n, transition in enumerate(transitions[1:], 1):
        call, before = transition.call, transitions[n - 1].call
        if not call or not before or call is before or transition.kind != "change":
            continue
        moved = raw_call(raw, call)
        back = moved["end"] - before.begin + SECOND
        for record in records_of(raw, transition):
            record["bt"] -= back
        moved["begin"] -= back
        moved["end"] -= back
        return
    raise Nothing("two calls behind each other")


def written(replay, verb, outcome):
    """(transition, key) of what a verb wrote."""
    for change in of_kind(replay, "change", verb=verb):
        for key in change.last["keys"]:
            if key["o"] == outcome and words(key["b"]) != words(key["w"]):
                yield change, key["k"]


def stood_before(raw, replay, verb, outcome):
    """Somebody else's value stood there from before the call on, and it was written over without a word."""
    change, key = first(written(replay, verb, outcome), f"a {verb} with a value that is {outcome}")
    # clearly behind the one before: it may have written the same value in its last nanosecond
    at = max(t.over for t in replay.transitions if t.over < change.free) + 10
    at = max(at, change.call.begin)
    raw["foreign"] = [s for s in raw["foreign"] if s["key"] != key or s["end"] < at or s["begin"] > change.over]
    raw["foreign"].append({"kind": "write", "key": key, "value": "31", "begin": at - 3, "end": at - 2})
    raw["foreign"].append({"kind": "read", "key": key, "value": "31", "begin": at - 1, "end": change.free})


def blind_enable(raw, replay):
    stood_before(raw, replay, "enable", "set")


def blind_rollback(raw, replay):
    stood_before(raw, replay, "rollback", "restored")


def never_compares(raw, replay):
    """What falls into a change is written over each time."""
    n = 0
    for change, key in written(replay, "enable", "set"):
        if not any(s["key"] == key and s["end"] > change.free and s["begin"] < change.over for s in raw["foreign"]):
            middle = (change.free + change.over) // 2
            raw["foreign"].append({"kind": "write", "key": key, "value": "31", "begin": middle, "end": middle + 1})
            n += 1
        if n == 20:
            return
    if n < 8:
        raise Nothing("changes to write into")


def untold_foreign_value(raw, replay):
    """Kept by a rollback, and exit code 0."""
    kept = [t for t in of_kind(replay, "change") if t.call.exit == 7]
    change = first(kept, "a value that was left")
    call = raw_call(raw, change.call)
    call["exit"] = call["document"]["exit_code"] = 0
    call["document"]["findings"] = []


def same_token(raw, replay):
    windows = of_kind(replay, "window")
    if len(windows) < 2:
        raise Nothing("two windows")
    raw_call(raw, windows[1].call)["document"]["result"]["token"] = windows[0].call.result["token"]


def wrong_token(raw, replay):
    confirm = first(of_kind(replay, "confirm"), "a confirm")
    raw_call(raw, confirm.call)["request"]["token"] = "00000000-0"


def early_revert(raw, replay):
    """The guard came before the deadline."""
    revert = first(of_kind(replay, "revert", cause="deadline"), "a window that ran out")
    window = first((t for t in of_kind(replay, "window") if t.tx == revert.tx), "its window")
    raw_call(raw, window.call)["document"]["result"]["deadline_ms"] += 1_000_000


def second_outcome(raw, replay):
    change = first(of_kind(replay, "change"), "a change")
    raw["audit"].append({**copy.deepcopy(change.last), "seq": len(raw["audit"]) + 1, "bt": raw["audit"][-1]["bt"]})


def change_in_a_window(raw, replay):
    """A window that was never decided: what came behind it had to be refused."""
    confirm = first(of_kind(replay, "confirm"), "a confirm")
    raw["audit"] = [r for r in raw["audit"] if not (r.get("tx") == confirm.tx and r["ev"] == "confirm")]
    raw["calls"][confirm.call.number]["document"]["changed"] = False


def uncounted_token(raw, replay):
    first(calls_of(replay, "confirm", lambda c: c.error == "wrong-token"), "a wrong token")
    raw["final"]["denied_waiting"] += 1


def cut_log(raw, replay):
    """A log reader that does not see what was there when it began."""
    call = calls_of(replay, "audit export") + calls_of(replay, "history")
    call = first((c for c in reversed(call) if len(c.result["records"]) > 4), "a reader of the log")
    records = raw_call(raw, call)["document"]["result"]["records"]
    raw_call(raw, call)["document"]["result"]["records"] = records[:2] if call.verb == "audit export" else records[-2:]


def left_over(raw, _replay):
    raw["final"]["left"].append("/run/twprofile/pending")


def other_end(raw, _replay):
    raw["final"]["generation"] += 1


PLANTS = [
    ("two commits of the same generation", "generation", same_generation),
    ("an answered enable is not in the audit log", "audit log", missing_commit),
    ("a commit that nobody asked for", "made no such call", unasked_commit),
    ("answered as refused, and done", "in the model", lost_answer),
    ("a reader that saw a mix of two generations", "saw no state", mixed_reader),
    ("a reader that saw the fragment of another generation", "saw no state", mixed_fragment),
    ("a reader that saw an older state than one before it", "saw no state", reader_back_in_time),
    ("a reader that saw a value nobody wrote", "cannot have been", impossible_value),
    ("an order against the clock", "it had ended when", against_time),
    ("an enable that wrote over a foreign value", "is possible", blind_enable),
    ("a rollback that wrote over a foreign value", "is possible", blind_rollback),
    ("an engine that does not compare before it writes", "between compare and write", never_compares),
    ("a foreign value that was kept and not told", "exit codes", untold_foreign_value),
    ("a token that was given twice", "token", same_token),
    ("a confirm with another token", "had another token", wrong_token),
    ("a revert before the deadline", "not yet time", early_revert),
    ("a second outcome", "decides", second_outcome),
    ("a change while another one awaits confirmation", "awaits confirmation", change_in_a_window),
    ("a wrong token that is not counted", "wrong tokens", uncounted_token),
    ("a reader of the log that misses records", "the log had", cut_log),
    ("a file that is left over", "left over", left_over),
    ("another generation at the end", "the end is generation", other_end),
]
