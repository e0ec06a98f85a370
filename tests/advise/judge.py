# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares what advise found with what the row of the situation says, both ways, and looks at each finding's parts.

    faults = judge(document, expect={"PORT-1": "critical"}, numbers={"PORT-1": (Near(960, 0.02), 1000)})

document: what `advise --json` printed. expect: every rule that has to be found, and its severity; {} is "normal".
numbers: by rule, what has to stand in its evidence, formula or subject. without: remedies that must not be
there. Returns sentences; none when all is as it should be.
"""

import re
from collections import namedtuple

Near = namedtuple("Near", "value tolerance")  # a share of the value
PARTS = ("evidence", "formula")  # each of them has a number
NUMBERS = (*PARTS, "subject", "numbers")  # where that of a row may stand
# against a lack of ports, in the order that never changes: a sysctl is never the first advice
ORDER = ("reuse-connections", "bind-late", "more-tuples", "port-range", "tw-reuse", "tw-reuse-delay")
ALWAYS_JUDGED = ("PORT", "SRV", "TWB", "FIN", "CW", "ACC")  # in a namespace with two samples; others need what may not be here
LACK_OF_PORTS = ("PORT-1", "PORT-2", "PORT-5", "PORT-6")


def texts(value):
    """All that stands in a JSON value, numbers too, as texts."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [] if value is None else [str(value)]


def numbers_of(value):
    """ "U = 0.96 of 1,000" -> 0.96, 1000. Digits that belong to a name or an address count as well: they do no harm."""
    return [float(digits.replace(",", "")) for text in texts(value)
            for digits in re.findall(r"\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?", text)]


def is_there(wanted, found):
    value, tolerance = wanted if isinstance(wanted, Near) else (wanted, 0)
    return any(abs(number - value) <= tolerance * abs(value) for number in found)


def look_at(finding):
    """What a finding has to have, whatever its rule is."""
    rule = finding.get("rule", "?")
    for part in PARTS:
        if not numbers_of(finding.get(part)):
            yield f"{rule}: its {part} has no number: {finding.get(part)!r}"
    if not texts(finding.get("remedies")):
        yield f"{rule}: no remedy"
    names = [remedy["remedy"] for remedy in finding.get("remedies") or []]
    places = [ORDER.index(name) for name in names if name in ORDER]
    if places != sorted(places):
        yield f"{rule}: remedies out of order: {names}"
    if rule in LACK_OF_PORTS and names[:1] != ["reuse-connections"]:
        yield f"{rule}: the first remedy is {names[:1]}"
    if not texts(finding.get("next")):
        yield f"{rule}: no command to run next"


def judge(document, expect, numbers, without=()):
    findings = document["result"]["findings"]
    found = {}
    faults = []
    for finding in findings:
        rule = finding["rule"]
        if rule not in found and rule not in expect:
            faults.append(f"surplus: {rule} ({finding.get('severity')}): {finding.get('evidence')!r}")
        found.setdefault(rule, []).append(finding)
    faults += [f"missing: {rule}" for rule in expect if rule not in found]
    for rule, severity in expect.items():
        if rule not in found:
            continue
        # a rule may speak of several subjects: one of them has what the row wants
        if severity not in [finding["severity"] for finding in found[rule]]:
            faults.append(f"{rule}: wanted {severity}, got {[finding['severity'] for finding in found[rule]]}")
        there = numbers_of([[finding.get(part) for part in NUMBERS] for finding in found[rule]])
        faults += [f"{rule}: no {wanted} in {[finding.get('evidence') for finding in found[rule]]}"
                   for wanted in numbers.get(rule, ()) if not is_there(wanted, there)]
    for finding in findings:
        faults.extend(look_at(finding))
        faults += [f"{finding['rule']}: {remedy['remedy']} does not help here" for remedy in finding.get("remedies") or []
                   if remedy["remedy"] in without]
    faults += [f"not evaluated: {row['rule']}: {row['why']}" for row in document["result"]["not_evaluated"]
               if row["rule"].split("-")[0] in ALWAYS_JUDGED]
    is_normal = all(finding["severity"] == "info" for finding in findings)
    if document["result"]["is_normal"] != is_normal:
        faults.append(f"is_normal is {not is_normal}: {document['result'].get('summary')}")
    return faults


def self_test():
    """Planted faults: each has to be seen. Yields (name, whether)."""
    good = {"rule": "PORT-2", "severity": "warning", "evidence": "600 of 1000 ports", "formula": "U = 600 / 1000 = 0.6",
            "remedies": [{"remedy": name} for name in ("reuse-connections", "port-range", "tw-reuse")],
            "next": "twprofile plan outbound-proxy"}
    expect, numbers = {"PORT-2": "warning"}, {"PORT-2": (600, Near(990, 0.02))}

    def result(*findings, is_normal=False, not_evaluated=()):
        return {"result": {"findings": list(findings), "is_normal": is_normal, "not_evaluated": list(not_evaluated)}}

    def verdict(*findings, **more):
        return judge(result(*findings, **more), expect, numbers, ("linger2",))

    yield "what is right is right", not verdict(good)
    yield "normal is right where nothing is expected", not judge(result(is_normal=True), {}, {})
    yield "a missing finding", any("missing: PORT-2" in fault for fault in verdict())
    yield "a surplus finding", any("surplus: TWB-3" in fault for fault in verdict(good, {**good, "rule": "TWB-3"}))
    yield "a surplus finding where all is normal", bool(judge(result(good), {}, {}))
    yield "another rule instead", len(verdict({**good, "rule": "PORT-1"})) >= 2
    yield "another severity", bool(verdict({**good, "severity": "critical"}))
    yield "a number outside of its tolerance", bool(verdict({**good, "evidence": "600 of 960 ports", "formula": "U = 0.6"}))
    yield "a number that is not there", bool(verdict({**good, "evidence": "6000 of 1000 ports", "formula": "U = 6"}))
    yield "normal, and yet a warning", bool(verdict(good, is_normal=True))
    yield "a rule that was not asked", bool(verdict(good, not_evaluated=[{"rule": "PORT-8", "why": "no rates"}]))
    yield "what cannot be asked here is no fault", not verdict(good, not_evaluated=[{"rule": "NIC-1", "why": "of the host"}])
    yield "a remedy that does not help", bool(verdict({**good, "remedies": [*good["remedies"], {"remedy": "linger2"}]}))
    yield "remedies in another order", bool(verdict({**good, "remedies": [good["remedies"][i] for i in (0, 2, 1)]}))
    yield "a sysctl as the first remedy", bool(verdict({**good, "remedies": good["remedies"][1:]}))
    for part in (*PARTS, "remedies", "next"):
        yield f"a finding without its {part}", bool(verdict({**good, part: None}))
        yield f"a finding with an empty {part}", bool(verdict({**good, part: []}))
