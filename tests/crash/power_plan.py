# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is asked of the machine whose power is cut, and what it must lead to.

A scenario is a situation in which the power goes: requests that lead there, the one that is in flight (none: nothing
is, a change awaits confirmation), and the profiles that are enabled when that one comes to its end. Whatever awaits
confirmation when the power goes is not there after it.
"""

from typing import NamedTuple, Optional

OUTBOUND, SERVER, GENERATOR = "outbound-proxy", "busy-web-server", "load-generator"
NOTHING, ONE, TWO, OTHER = frozenset(), frozenset({OUTBOUND}), frozenset({OUTBOUND, SERVER}), frozenset({GENERATOR})

# What the machine sets of its own: not the kernel's defaults, so that a return to defaults is not mistaken for undo.
MACHINE = {
    "net/ipv4/tcp_fin_timeout": "47",
    "net/ipv4/tcp_rfc1337": "1",
    "net/ipv4/tcp_abort_on_overflow": "1",
    "net/ipv4/tcp_retries2": "6",
    "net/ipv4/tcp_keepalive_time": "6000",
    "net/ipv4/tcp_tw_reuse": "0",
    "net/ipv4/tcp_timestamps": "2",
    "net/ipv4/ip_local_port_range": "32000 61000",
    "net/ipv4/tcp_max_tw_buckets": "20000",
    "net/core/somaxconn": "900",
}
# Some of what each state has to show; all of it is compared with the reference, which has to show this.
EXPECTED = {
    NOTHING: MACHINE,
    ONE: {"net/ipv4/tcp_tw_reuse": "1", "net/ipv4/ip_local_port_range": "20000 65535", "net/ipv4/tcp_fin_timeout": "30",
          "net/ipv4/tcp_keepalive_time": "300", "net/ipv4/tcp_timestamps": "1", "net/core/somaxconn": "4096"},
    TWO: {"net/ipv4/tcp_tw_reuse": "1", "net/core/somaxconn": "16384", "net/ipv4/tcp_keepalive_intvl": "30"},
    OTHER: {"net/ipv4/ip_local_port_range": "10000 65535", "net/ipv4/tcp_fin_timeout": "10",
            "net/ipv4/tcp_keepalive_time": "6000"},
}

PENDING = f"--json enable --confirm-within=600s {SERVER}"


class Request(NamedTuple):
    name: str
    arguments: str
    leads_to: Optional[frozenset]   # None: to nothing that lasts
    codes: str = "0"

    @property
    def line(self):
        return f"{self.codes} {self.word} {self.arguments}"

    @property
    def word(self):
        return self.name.replace(" ", "-")


class Scenario(NamedTuple):
    name: str
    start: frozenset
    before: list
    target: Optional[Request]


def reach(wanted):
    """From wherever it is; a machine that is there already stays as it is."""
    if not wanted:
        return Request("origin", "rollback --to=origin", wanted)
    return Request("start", "--only enable " + " ".join(sorted(wanted)), wanted)


# it is not quarantined when the power went before that was flushed
RELEASED = Request("release", f"release --reason=power-cut {SERVER}", None, "0|5")
AWAITED = Request("pending", PENDING, None)
SCENARIOS = [
    Scenario("enable", NOTHING, [], Request("target", f"enable {OUTBOUND}", ONE)),
    Scenario("enable another", ONE, [], Request("target", f"enable {SERVER}", TWO)),
    Scenario("replace", ONE, [], Request("target", f"--only enable {GENERATOR}", OTHER)),
    Scenario("disable", TWO, [], Request("target", f"disable {SERVER}", ONE)),
    Scenario("disable the last", ONE, [], Request("target", f"disable {OUTBOUND}", NOTHING)),
    Scenario("rollback", ONE, [Request("replace", f"--only enable {GENERATOR}", OTHER)], Request("target", "rollback", ONE)),
    Scenario("rollback to the origin", TWO, [], Request("target", "rollback --to=origin", NOTHING)),
    Scenario("enable with a window", ONE, [], Request("target", PENDING, None)),
    Scenario("a window is open", ONE, [AWAITED], None),
    Scenario("confirm", ONE, [AWAITED], Request("target", "confirm", TWO)),
    Scenario("rollback in a window", ONE, [AWAITED], Request("target", "rollback", None)),
]
BOOT = "boot"

# Every request once, unkilled: how long each takes, and what the states look like. (request, state of a snapshot)
REFERENCE = [
    (Request("enable", f"enable {OUTBOUND}", ONE), ONE),
    (Request("enable another", f"enable {SERVER}", TWO), TWO),
    (Request("disable", f"disable {SERVER}", ONE), None),
    (Request("replace", f"--only enable {GENERATOR}", OTHER), OTHER),
    (Request("rollback", "rollback", ONE), None),
    (Request("enable with a window", PENDING, None), None),
    (Request("rollback in a window", "rollback", None), None),
    (AWAITED, None),
    (Request("confirm", "confirm", TWO), None),
    (Request("rollback to the origin", "rollback --to=origin", NOTHING), None),
]
SAME_TIME = {"disable the last": "disable"}


def duration_of(durations, scenario):
    return durations.get(SAME_TIME.get(scenario.name, scenario.name), 1.0)


def plan_of(scenario, maybe_quarantined):
    requests = [RELEASED] if maybe_quarantined else []
    requests += [reach(scenario.start), *scenario.before]
    return requests + ([scenario.target] if scenario.target else [])
