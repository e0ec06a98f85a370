# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rows of the bench that run in private namespaces. Each gives a list of results, one per line of the table."""

import importlib.machinery
import importlib.util
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
from typing import NamedTuple

import yaml
from measure import Runs, spread, stopwatch

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "src", "gen"))

from catalogue_reader import read_catalogue  # noqa: E402

SYSTEMD_SYSCTL = "/lib/systemd/systemd-sysctl"
PROFILES = "/run/twprofile/profiles"
STATE = "/var/lib/twprofile"
AUDIT = "/var/log/twprofile"
FRAGMENT = "/etc/sysctl.d/60-twprofile.conf"

# key: the two values that take turns, so that each run has something to write
EIGHT_KEYS = {
    "net.core.somaxconn": (8192, 16384),
    "net.ipv4.tcp_fin_timeout": (30, 40),
    "net.ipv4.tcp_keepalive_intvl": (30, 60),
    "net.ipv4.tcp_keepalive_probes": (5, 7),
    "net.ipv4.tcp_keepalive_time": (300, 600),
    "net.ipv4.tcp_max_syn_backlog": (4096, 8192),
    "net.ipv4.tcp_retries2": (10, 12),
    "net.ipv4.tcp_syn_retries": (4, 5),
}
# all others get the two lowest sane values; these would break a safety rule or each other
CHOSEN = {
    **EIGHT_KEYS,
    "net.ipv4.ip_local_port_range": ([32768, 60999], [20000, 60999]),
    "net.ipv4.ip_local_reserved_ports": (["61100-61110"], ["61120-61130"]),
    "net.ipv4.tcp_early_retrans": (0, 3),
    "net.ipv4.tcp_invalid_ratelimit": (500, 1000),  # kept in ticks: 10 ms would be read back as 12 at HZ=250
    "net.ipv4.tcp_rmem": ([4096, 131072, 6291456], [4096, 131072, 8388608]),
    "net.ipv4.tcp_timestamps": (1, 2),
    "net.ipv4.tcp_tw_reuse": (1, 2),
    "net.ipv4.tcp_wmem": ([4096, 16384, 4194304], [4096, 16384, 8388608]),
}


class Result(NamedTuple):
    what: str
    against: str
    ours: str  # absolute, for the reader; only the ratio is portable
    peer: str
    ratio: str
    target: str
    met: bool


def mount_private():
    """Empty places for all that twprofile and systemd-sysctl read or write; call it in a mount namespace of your own."""
    for path in ("/run", "/var/lib", "/var/log", "/etc/sysctl.d", "/etc/twprofile"):
        if os.path.isdir(path):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "bench", path], check=True)
    os.makedirs(PROFILES)


def sysctl_path(key):
    return "/proc/sys/" + key.replace(".", "/")


def all_keys():
    """Every settable key of the catalogue that this namespace has, with two values that a profile may give it."""
    with open(os.path.join(TOP, "schema", "sysctls.yaml"), encoding="utf-8") as file:
        catalogue, problems = read_catalogue(file.read())
    if problems:
        raise SystemExit("bench: the catalogue is not in order")
    keys = {}
    for row in catalogue:
        key = row["key"]
        if key == "net.ipv4.tcp_congestion_control":  # which there are is the host's choice, and one may be all
            continue
        if row["not_settable_because"] or row["scope"] != "netns" or not os.access(sysctl_path(key), os.W_OK):
            continue
        low = row["sane"][0] if row["sane"] else None
        keys[key] = CHOSEN.get(key, (low, low + 1 if low is not None else None))
    return keys


def acceptances():
    """Of every safety rule that may be accepted: the values of the bench take turns, they advise nothing."""
    with open(os.path.join(TOP, "schema", "diagnostics.yaml"), encoding="utf-8") as file:
        rules = [row["name"] for row in yaml.safe_load(file)["diagnostics"] if row["severity"] == "acceptance"]
    return "accept:\n" + "".join(f"  - {{rule: {name}, reason: a bench}}\n" for name in rules)


def yaml_value(value):
    return json.dumps(value)


def sysctl_text(value):
    if not isinstance(value, list):
        return str(value)
    return ",".join(value) if isinstance(value[0], str) else " ".join(map(str, value))


def write_profiles(stem, keys):
    """Two profiles and two sysctl.d files with the same values; returns their names."""
    names = []
    for turn, letter in enumerate("ab"):
        name = f"{stem}-{letter}"
        with open(f"{PROFILES}/{name}.yaml", "w", encoding="utf-8") as file:
            file.write(f"version: 1\nname: {name}\nsummary: values of the bench\nsysctl:\n")
            file.writelines(f"  {key}: {yaml_value(values[turn])}\n" for key, values in keys.items())
            file.write(acceptances())
        with open(f"/run/{name}.conf", "w", encoding="utf-8") as file:
            file.writelines(f"{key} = {sysctl_text(values[turn])}\n" for key, values in keys.items())
        names.append(name)
    return names


def helper_directives(bench, names):
    def request(name):
        call = {"method": "org.twprofile.Enable", "parameters": {"profiles": [name], "only": True, "netns": "@"}}
        return "send " + json.dumps(call, separators=(",", ":")).replace('"@"', "@NETNS@")

    return ["netns", f"run {bench.helper} serve", *map(request, names), 'expect "changed":true']


def new_state():
    """What an installed twprofile that was never used has."""
    for path in (STATE, AUDIT):
        shutil.rmtree(path, ignore_errors=True)
    if os.path.exists(FRAGMENT):
        os.unlink(FRAGMENT)


def measure_apply(bench, stem, keys):
    new_state()
    names = write_profiles(stem, keys)
    return bench.stopwatch(
        {
            "helper": helper_directives(bench, names),
            "systemd-sysctl": ["netns", *(f"run {SYSTEMD_SYSCTL} /run/{name}.conf" for name in names)],
        },
        bench.rounds(400),
    )


def apply_results(runs, n, target):
    ratio = runs.ratio("helper", "systemd-sysctl")
    memory = runs.highest("helper", "rss") / 1024
    return [
        Result(
            f"apply {n} keys, whole process",
            "systemd-sysctl FILE",
            f"{runs.median('helper'):.2f} ms",
            f"{runs.median('systemd-sysctl'):.2f} ms",
            ratio.text(),
            f"≤ {target:.2f}",
            ratio.middle <= target,
        ),
        Result(
            "  the same, processor time",
            "systemd-sysctl FILE",
            f"{runs.median('helper', 'cpu'):.2f} ms",
            f"{runs.median('systemd-sysctl', 'cpu'):.2f} ms",
            runs.ratio("helper", "systemd-sysctl", "cpu").text(),
            "",
            True,
        ),
        Result(
            f"memory of an apply of {n} keys, highest",
            "",
            f"{memory:.1f} MiB",
            f"{runs.highest('systemd-sysctl', 'rss') / 1024:.1f} MiB",
            "",
            "≤ 4 MB",
            memory * 1024 * 1024 <= 4e6,
        ),
    ]


def row_apply_8(bench):
    return apply_results(measure_apply(bench, "eight", EIGHT_KEYS), len(EIGHT_KEYS), 0.60)


def row_apply_all(bench):
    keys = all_keys()
    return apply_results(measure_apply(bench, "all", keys), len(keys), 0.75)


# --- from main on ---------------------------------------------------------------------------------------------


def journal_frames():
    """Sizes of the frames in the journal (record/journal-format.h), by type, the last of each."""
    with open(f"{STATE}/journal", "rb") as file:
        data = file.read()
    sizes, at = {}, 0
    while data[at : at + 5] == b"\x89TWPJ":
        kind = int.from_bytes(data[at + 12 : at + 16], "little")
        size = (128 + int.from_bytes(data[at + 24 : at + 32], "little") + 63) // 64 * 64
        sizes[kind] = size
        at += size
    return sizes


def file_sizes():
    """As many bytes as the helper has just written to each file."""
    frames = journal_frames()
    (audit,) = [name for name in os.listdir(AUDIT) if name.endswith(".ndjson")]
    with open(f"{AUDIT}/{audit}", "rb") as file:
        lines = file.read().splitlines(keepends=True)
    newest = max(os.listdir(f"{STATE}/generations"), key=lambda name: int(name.split(".")[0]))
    return {
        "prepared": frames[1],
        "commit": frames[3],
        "done": frames[5],
        "intent": len(lines[-2]),
        "outcome": len(lines[-1]),
        "fragment": os.path.getsize(FRAGMENT),
        "generation": os.path.getsize(f"{STATE}/generations/{newest}"),
        "status": os.path.getsize("/run/twprofile/status.json"),
        "head": os.path.getsize(f"{STATE}/audit-head"),
    }


def row_from_main(bench):
    new_state()
    names = write_profiles("eight", EIGHT_KEYS)
    helper = helper_directives(bench, names)
    bench.stopwatch({"helper": helper}, 2)
    sizes = file_sizes()
    new_state()

    # the first run of the floor writes what the second one takes back
    for turn, name in enumerate(names):
        with open(f"/run/{name}.values", "w", encoding="utf-8") as file:
            file.writelines(f"@{what} {size}\n" for what, size in sizes.items())
            for key, values in EIGHT_KEYS.items():
                file.write(f"{sysctl_path(key)} {values[1 - turn]} {values[turn]}\n")
    os.makedirs("/var/lib/floor", exist_ok=True)
    floor = [f"run {bench.tool('floor-apply')} {PROFILES}/{name}.yaml /run/{name}.values /var/lib/floor" for name in names]
    runs = bench.stopwatch(
        {"helper": helper, "floor": ["netns", *floor], "empty": [f"run {bench.tool('empty-linked')}"]},
        bench.rounds(400),
    )

    results = []
    for field, what in (("cpu", "processor time"), ("wall", "elapsed")):
        ours, bare = runs.beyond("helper", "empty", field), runs.beyond("floor", "empty", field)
        met = ours / bare <= 1.3
        results.append(
            Result(
                f"apply 8 keys from main on, {what}",
                "bare C program",
                f"{ours:.2f} ms",
                f"{bare:.2f} ms",
                f"{ours / bare:.2f}",
                "≤ 1.3" if field == "cpu" else "",
                met if field == "cpu" else True,
            )
        )
    return results


# --- validate --------------------------------------------------------------------------------------------------

PROFILE_1K = """\
version: 1
name: one-kilobyte
summary: a profile of about 1024 bytes for the bench
description: |
  For reverse proxies, API gateways and crawlers whose own connect() calls run out of ports.
  Reuse connections first (keep-alive, pools): no sysctl replaces that. Then more destinations
  or ports; then this profile. It is as long as the profiles that people write.
priority: 50
when:
  kernel: ">=5.10"
sysctl:
  net.ipv4.tcp_tw_reuse: 1
  net.ipv4.tcp_timestamps: 1
  # 45536 ports instead of 28232
  net.ipv4.ip_local_port_range: [20000, 65535]
  net.ipv4.ip_local_reserved_ports: ["30000-30010"]
  net.ipv4.tcp_keepalive_time: 20min
  net.ipv4.tcp_keepalive_intvl: 30
  net.ipv4.tcp_fin_timeout: {at-most: 30}
  net.core.somaxconn: {at-least: 4096}
  net.ipv4.tcp_max_syn_backlog: {at-least: 4096}
  net.ipv4.tcp_tw_reuse_delay:
    value: 1000
    when: present
    reason: the kernel's default, written down next to the reuse it belongs to
"""


def row_validate(bench):
    path = "/run/one-kilobyte.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(PROFILE_1K)
    schema = os.path.join(TOP, "schema", "profile-1.schema.json")
    python = os.path.join(TOP, "tests", "bench", "validate-python")
    ours = [f"run {bench.program} validate {path}"]
    # the slow peer in few rounds of its own, so that it does not cool the caches of the quick ones
    slow = bench.stopwatch({"twprofile": ours, "python": [f"run /usr/bin/python3 {python} {schema} {path}"]}, bench.rounds(60))
    quick = bench.stopwatch(
        {"twprofile": ours, "libyaml": [f"run {bench.tool('floor-yaml')} {path}"], "empty": [f"run {bench.tool('empty')}"]},
        bench.rounds(400),
    )
    times = slow.ratio("python", "twprofile")
    ratio = quick.ratio("twprofile", "libyaml")
    size = f"{len(PROFILE_1K)} bytes"
    return [
        Result(
            f"validate a profile of {size}, whole process",
            "python3-yaml (C) + jsonschema",
            f"{slow.median('twprofile'):.2f} ms",
            f"{slow.median('python'):.1f} ms",
            f"{times.text(0)} times as fast",
            "≥ 70 times",
            times.middle >= 70,
        ),
        Result(
            "  the same",
            "bare libyaml event program",
            f"{quick.median('twprofile'):.2f} ms",
            f"{quick.median('libyaml'):.2f} ms",
            ratio.text(),
            "≤ 1.5",
            ratio.middle <= 1.5,
        ),
        Result(
            "  for comparison",
            "empty C program",
            f"{quick.median('twprofile'):.2f} ms",
            f"{quick.median('empty'):.2f} ms",
            quick.ratio("twprofile", "empty").text(),
            "",
            True,
        ),
    ]


# --- observe ---------------------------------------------------------------------------------------------------

# what people run instead: the table of states, and the largest destinations
PEERS = {
    "netstat": """netstat -an | awk '/^tcp/ {++S[$NF]} END {for (a in S) print a, S[a]}'""",
    "ss": """ss -Htan state time-wait | awk '{++D[$4]} END {for (d in D) print D[d], d}' | sort -rn | head -10""",
}


def peer_script(name):
    path = f"/run/peer-{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{PEERS[name]}\n")
    os.chmod(path, 0o755)
    return f"run {path}"


def time_waits():
    with open("/proc/net/sockstat", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("TCP:")).split()[6])


def watch_share(bench, seconds):
    """Processor time of --watch, of all the time that it ran, in hundredths."""
    before = os.times()
    subprocess.run([bench.program, "observe", "--watch", f"--count={seconds}"], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return 100 * cpu / (after.elapsed - before.elapsed)


def row_observe(bench):
    wanted = 20_000 if bench.quick else 1_000_000
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for key, value in (("tcp_tw_reuse", 0), ("tcp_max_tw_buckets", 4_000_000)):
        with open(f"/proc/sys/net/ipv4/{key}", "w", encoding="ascii") as file:
            file.write(f"{value}\n")
    churn = subprocess.Popen([bench.tool("churn"), str(wanted)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if churn.stdout.readline() != b"ready\n":
        raise SystemExit("bench: no TIME_WAITs could be made")
    first = time_waits()
    ours = [f"run {bench.program} observe"]
    # as many rounds as fit into the minute that they last; the slow peers apart, so that they do not cool the caches
    quick = bench.stopwatch({"twprofile": ours, "raw": [f"run {bench.tool('floor-sockets')}"]}, bench.rounds(25))
    middle = time_waits()
    slow = bench.stopwatch({"twprofile": ours, "ss": [peer_script("ss")], "netstat": [peer_script("netstat")]}, bench.rounds(3))
    last = time_waits()
    share = watch_share(bench, 3 if bench.quick else 30)
    churn.stdin.close()
    churn.wait()

    def name(before, after):
        left = f" ({after:,} at the end)" if after != before else ""
        return f"states and destinations, {before:,} TIME_WAITs{left}"

    results = []
    for field, what in (("wall", name(first, middle)), ("cpu", "  the same, processor time")):
        ratio = quick.ratio("twprofile", "raw", field)
        results.append(
            Result(what, "bare sock_diag counter", f"{quick.median('twprofile', field):.1f} ms",
                   f"{quick.median('raw', field):.1f} ms", ratio.text(), "≤ 1.15", ratio.middle <= 1.15)
        )  # fmt: skip
    memory = quick.highest("twprofile", "rss") * 1024
    results.append(Result("  memory, highest", "", f"{memory / 1e6:.1f} MB", f"{quick.highest('raw', 'rss') * 1024 / 1e6:.1f} MB",
                          "", "≤ 4 MB", memory <= 4e6))  # fmt: skip
    what = name(middle, last)
    for peer, against, least in (("netstat", "netstat -an \\| awk", 11), ("ss", "ss -Htan \\| awk \\| sort", 4)):
        times = slow.ratio(peer, "twprofile")
        results.append(
            Result(what, against, f"{slow.median('twprofile'):.1f} ms", f"{slow.median(peer):.0f} ms",
                   f"{times.text(1)} times as fast", f"≥ {least} times", times.middle >= least)
        )  # fmt: skip
    results.append(Result("  `--watch`, share of one processor", "", f"{share:.2f} %", "", "", "≤ 1 %", share <= 1))
    return results


def row_observe_idle(bench):
    ours, theirs = f"run {bench.program} observe", "run /usr/bin/ss -s"
    idle = bench.stopwatch({"twprofile": ["netns", ours], "ss": ["netns", theirs]}, bench.rounds(200))
    results = []
    for field, what in (("wall", "`observe` on an idle host, without a TCP socket"), ("cpu", "  the same, processor time")):
        ratio = idle.ratio("twprofile", "ss", field)
        results.append(
            Result(what, "ss -s", f"{idle.median('twprofile', field):.2f} ms", f"{idle.median('ss', field):.2f} ms",
                   ratio.text(), "≤ 1.0", ratio.middle <= 1.0)
        )  # fmt: skip
    # one socket, and the kernel has to look through its whole table for others; ss -s lists none
    with socket.create_server(("127.0.0.1", 0)):
        listening = bench.stopwatch({"twprofile": [ours], "ss": [theirs]}, bench.rounds(200))
    results.append(
        Result("  the same with one listening socket", "ss -s", f"{listening.median('twprofile'):.2f} ms",
               f"{listening.median('ss'):.2f} ms", listening.ratio("twprofile", "ss").text(), "", True)
    )  # fmt: skip
    return results


def row_lab(bench):
    """Each run builds namespaces and churns for a second; what it prints is a rate, not its own time."""
    path = os.path.join(TOP, "tests", "lab", "rate")
    loader = importlib.machinery.SourceFileLoader("rate", path)
    rate = importlib.util.module_from_spec(importlib.util.spec_from_loader("rate", loader))
    loader.exec_module(rate)
    best, rates = rate.measure(bench.program, bench.tool("lab-floor"), bench.rounds(15))
    ratio = spread(ours / bare for ours, bare in rates)
    ours, bare = (statistics.median(column) for column in zip(*rates))
    return [
        Result("the lab's generator", f"bare C generator, {best} and {best} processes", f"{ours:.0f}/s", f"{bare:.0f}/s",
               ratio.text(), f"≥ {rate.WANTED}", ratio.middle >= rate.WANTED)
    ]  # fmt: skip


def booted_results(text):
    """From the output of tests/bench/booted: two plans, one behind the other, or why there are none."""
    if text.startswith("skip: "):
        print(text.strip(), file=sys.stderr)
        return []
    lines = text.splitlines()
    results = []
    for what, ours, peer, against in (
        ("`twprofile enable` on a booted systemd", "enable", "client", "bare client and empty program, same socket and sandbox"),
        ("  its request alone, to the answer", "request", "empty", "empty program, same socket and sandbox"),
        ("  and to the end of the connection", "request-end", "empty-end", "the same"),
    ):
        runs = Runs("\n".join(line for line in lines if line.split(" ")[1] in (ours, peer)))
        ratio = runs.ratio(ours, peer)
        results.append(
            Result(
                what,
                against,
                f"{runs.median(ours):.1f} ms",
                f"{runs.median(peer):.1f} ms",
                ratio.text(),
                "≤ 1.4" if ours == "enable" else "",
                ratio.middle <= 1.4,
            )
        )
    return results


ROWS = {
    "apply-8": row_apply_8,
    "apply-all": row_apply_all,
    "from-main": row_from_main,
    "validate": row_validate,
    "observe": row_observe,
    "observe-idle": row_observe_idle,
    "lab": row_lab,
}


class Bench:
    def __init__(self, build, quick, rounds):
        self.build = build
        self.quick = quick
        self.wanted_rounds = rounds
        self.helper = os.path.join(build, "src", "helper", "twprofile-helper")
        self.program = os.path.join(build, "src", "cli", "twprofile")
        self.rounds_run = []

    def tool(self, name):
        return os.path.join(self.build, "tools", name)

    def rounds(self, usual):
        return 2 if self.quick else self.wanted_rounds or usual

    def stopwatch(self, contestants, rounds):
        return stopwatch(self.tool("stopwatch"), "/run/plan", contestants, rounds)
