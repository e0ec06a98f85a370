# SPDX-License-Identifier: LGPL-2.1-or-later
"""A proxy on the afternoon of 21 November 2026, for reports that are the same every time.

It opens a connection for each request, and from noon on its TIME_WAITs fill the port range to one destination; at 15:20:30 the
profile outbound-proxy is enabled, at 15:26:00 hygiene beside it. Twenty-one recordings, one each 40 s, tell of it; so does sysstat's archive,
with a restart of the host at 04:00. The tree below `root` is the host's: status, audit log, files of sysctl.d.

The lab's results in lab.json are real: `twprofile lab --json --ports=2000 profiles/outbound-proxy.yaml`, three scenarios of it,
curves thinned out.
"""

import datetime
import json
import math
import os
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CLI = os.path.join(TOP, "tests", "golden", "cli", "root")
DAY = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)
UTC = datetime.timezone.utc
NETNS = 4026531840
SAMPLES = 21
STEP_S = 40
FIRST = DAY + datetime.timedelta(hours=15, minutes=15)
ENABLED = DAY + datetime.timedelta(hours=15, minutes=20, seconds=30)
SECOND = DAY + datetime.timedelta(hours=15, minutes=26)

BOOT = "11111111-2222-4333-8444-555555555555"
REASON = "ticket 4711: connect() fails with EADDRNOTAVAIL & <nobody> knows \"why\""


def wave(second, length, height):
    return round(height * math.sin(second * 2 * math.pi / length))


def time_waits(when):
    """Of the whole host: they fill up over the day, and go when they are taken again."""
    second = (when - DAY).total_seconds()
    hour = second / 3600
    if hour < 4.01:
        n = 5200 + wave(second, 9000, 700)
    elif hour < 4.5:
        n = 200 + (hour - 4) * 9000
    elif hour < 12:
        n = 5000 + (hour - 4.5) * 900 + wave(second, 5400, 600)
    else:
        n = 12000 + (hour - 12) * 5200 + wave(second, 3000, 900)
    if when > ENABLED:
        gone = (when - ENABLED).total_seconds()
        n = 7600 + (min(n, 31000) - 7600) * math.exp(-gone / 45) + wave(second, 200, 180)
    return round(min(n, 31800))


def setting_values(when):
    after = when > ENABLED
    return {
        "net.core.somaxconn": "4096",
        "net.ipv4.ip_local_port_range": "20000\t65535" if after else "32768\t60999",
        "net.ipv4.ip_local_reserved_ports": "40000-40009",
        "net.ipv4.tcp_abort_on_overflow": "0",
        "net.ipv4.tcp_fin_timeout": "30" if after else "60",
        "net.ipv4.tcp_keepalive_time": "600" if when > SECOND else "7200",
        "net.ipv4.tcp_max_orphans": "131072",
        "net.ipv4.tcp_max_syn_backlog": "2048",
        "net.ipv4.tcp_max_tw_buckets": "131072",
        "net.ipv4.tcp_mem": "287901\t383869\t575802",
        "net.ipv4.tcp_rfc1337": "0",
        "net.ipv4.tcp_syncookies": "1",
        "net.ipv4.tcp_timestamps": "1",
        "net.ipv4.tcp_tw_recycle": None,
        "net.ipv4.tcp_tw_reuse": "1" if after else "2",
        "net.ipv4.tcp_tw_reuse_delay": "1000",
        "net.ipv4.tcp_tw_timeout": None,
    }


def use(total, in_use, orphans=0):
    recent = total // 6
    return {"time_wait": total, "orphans_fin_wait2": orphans, "other": in_use, "time_wait_recent": recent, "time_wait_reusable": total - recent // 3}


def add(uses):
    return {name: sum(one[name] for one in uses) for name in uses[0]}


def sockets(total):
    busiest = total * 78 // 100
    tuples = [
        ("192.0.2.10", "198.51.100.20", 8080, use(busiest, 310, 40)),
        ("192.0.2.10", "198.51.100.21", 8080, use(total * 12 // 100, 280)),
        ("192.0.2.10", "203.0.113.7", 443, use(total * 3 // 100, 95)),
        ("2001:db8::10", "2001:db8:0:1::53", 853, use(total * 2 // 100, 12)),
        ("127.0.0.1", "127.0.0.1", 6379, use(total // 100, 48)),
    ]
    outgoing = add([one[3] for one in tuples])
    listeners = [
        (443, 2, 3, 4096, 33, use(total - outgoing["time_wait"], 1890, 210)),
        (80, 1, 0, 511, 33, use(0, 120)),
        (22, 2, 0, 128, 0, use(0, 2)),
    ]
    incoming = add([one[5] for one in listeners])
    states = {name: 0 for name in "ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING".split()}
    ipv6 = dict(states, TIME_WAIT=tuples[3][3]["time_wait"], ESTABLISHED=12, LISTEN=2)
    in_use = outgoing["other"] + incoming["other"]
    ipv4 = dict(states, TIME_WAIT=total - ipv6["TIME_WAIT"], ESTABLISHED=in_use - 12 - 125 - 31, FIN_WAIT2=250, FIN_WAIT1=17, SYN_SENT=9, CLOSE_WAIT=125, LAST_ACK=5, LISTEN=3)
    return {
        "states": {"ipv4": ipv4, "ipv6": ipv6},
        "sides": {"outgoing": outgoing, "incoming": incoming, "stray": use(0, 0)},
        "buckets": total + 250,
        "pool_ports_taken": busiest,
        "all_tuples": 14,
        "all_listeners": 3,
        "tuples_error": 0,
        "holders_error": 0,
        "tuples": [dict(one[3], local=one[0], remote=one[1], port=one[2], use_per_mille=0) for one in tuples],
        "listeners": [dict(one[5], port=one[0], sockets=one[1], queue=one[2], queue_limit=one[3], uid=one[4]) for one in listeners],
        "holders": [{"uid": 33, "side": "incoming", "port": 443, "close_wait": 120}, {"uid": 1000, "side": "outgoing", "port": 8080, "close_wait": 5}],
    }


def counters(when):
    second = round((when - FIRST).total_seconds())
    before = min(second, round((ENABLED - FIRST).total_seconds()))
    return {
        "Tcp.ActiveOpens": 1204000 + second * 496,
        "Tcp.PassiveOpens": 3300000 + second * 118,
        "Tcp.AttemptFails": 40 + before * 3,
        "Tcp.EstabResets": 900 + second // 4,
        "Tcp.InSegs": 90000000 + second * 6400,
        "Tcp.OutSegs": 91000000 + second * 6900,
        "Tcp.RetransSegs": 41000 + second * 2,
        "Tcp.OutRsts": 3300 + second // 3,
        "TcpExt.TW": 4400000 + second * 520,
        "TcpExt.TWRecycled": max(0, second - before) * 301,
        "TcpExt.TCPTimeWaitOverflow": 12,
        "TcpExt.PAWSEstab": 0,
        "TcpExt.TCPACKSkippedTimeWait": 0,
        "TcpExt.TCPAbortOnData": 31,
        "TcpExt.TCPAbortOnMemory": 0,
        "TcpExt.SyncookiesSent": 0,
        "TcpExt.ListenOverflows": 0,
        "TcpExt.ListenDrops": 0,
    }


def sample(when, is_last):
    total = time_waits(when)
    found = sockets(total)
    return {
        "v": 1,
        "time_us": round(when.timestamp() * 1000000),
        "monotonic_us": round((when - DAY - datetime.timedelta(hours=4)).total_seconds() * 1000000),
        "netns": NETNS,
        "initial_netns": True,
        "kernel": "6.18.44",
        "page_size": 4096,
        "memory": 25000000000,
        "settings": setting_values(when),
        "sockstat": {"in_use_ipv4": 2650, "in_use_ipv6": 14, "time_wait": total + 250, "orphans": 31, "allocated": 2893, "memory_pages": 5120},
        "counters": {name: str(value) for name, value in counters(when).items()},
        "sockets": found if is_last or when == FIRST else None,
        "cost": {"sockets": total + 2700, "wall_us": 9421, "cpu_us": 8903},
    }


def archive():
    """As `sadf -j sa21 -- -n SOCK` of sysstat 12.6 prints it."""
    statistics = []
    for i in range(6 * 24):
        when = DAY + datetime.timedelta(minutes=10 * i, seconds=1)
        if when > FIRST + datetime.timedelta(seconds=STEP_S * SAMPLES):
            break
        n = time_waits(when)
        statistics.append({
            "timestamp": {"date": f"{when:%Y-%m-%d}", "time": f"{when:%H:%M:%S}", "utc": 1, "interval": 600},
            "network": {"net-sock": {"totsck": 3100, "tcpsck": 2660, "udpsck": 9, "rawsck": 0, "ip-frag": 0, "tcp-tw": n}},
        })
    return {"sysstat": {"hosts": [{
        "nodename": "proxy1", "sysname": "Linux", "release": "6.18.44", "machine": "x86_64", "number-of-cpus": 8,
        "file-date": "2026-11-21", "file-utc-time": "00:00:01", "timezone": "UTC",
        "statistics": statistics,
        "restarts": [{"boot": {"date": "2026-11-21", "time": "04:00:13", "utc": 1, "cpu_count": 8}}],
    }]}}


def record(seq, when, verb, profiles, keys, reason=None):
    line = {
        "boot": BOOT, "bt": 40000000000000, "ev": "outcome", "gen": {"from": seq, "to": seq + 1},
        "keys": [{"k": key, "b": before, "a": after, "w": after, "o": "set" if before != after else "kept"} for key, before, after in keys],
        "mirror": 1, "ns": {"cookie": "460", "ino": str(NETNS)}, "prev": "0" * 64, "prof": [name + "@" + "0" * 64 for name in profiles],
        "res": {"exit": 0, "outcome": "applied"}, "seq": seq, "t": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "tq": 1,
        "tx": "7c28af18-8a43-4a22-ab8f-6fbf30029af0", "txh": "0" * 64, "v": 1, "verb": verb, "via": "socket",
        "who": {"auid": 0, "comm": "twprofile", "gid": 0, "pid": 5396, "ses": 3, "src": "pidfd", "start": 344226, "uid": 0, "unit": ""},
    }
    if reason:
        line["why"] = reason
    return json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n"


def audit():
    hours = datetime.timedelta
    return (
        record(3, DAY + hours(hours=9, minutes=12), "enable", ["hygiene"], [("net.ipv4.tcp_syncookies", "0", "1")])
        + record(7, ENABLED, "enable", ["outbound-proxy"], [
            ("net.ipv4.ip_local_port_range", "32768\t60999", "20000\t65535"),
            ("net.ipv4.tcp_fin_timeout", "60", "30"),
            ("net.ipv4.tcp_timestamps", "1", "1"),
            ("net.ipv4.tcp_tw_reuse", "2", "1"),
        ], REASON)
        + record(9, SECOND, "enable", ["hygiene", "outbound-proxy"], [("net.ipv4.tcp_keepalive_time", "7200", "600")], "with the other one")
    )


def status():
    with open(os.path.join(CLI, "run", "twprofile", "status.json"), encoding="utf-8") as file:
        value = json.load(file)
    rows = [("net.ipv4.ip_local_port_range", "32768\t60999", "20000\t65535", "outbound-proxy"),
            ("net.ipv4.tcp_fin_timeout", "60", "20", "outbound-proxy"),
            ("net.ipv4.tcp_keepalive_time", "7200", "600", "hygiene"),
            ("net.ipv4.tcp_tw_reuse", "2", "1", "outbound-proxy")]
    value["generation"]["keys"] = [{"key": k, "origin": o, "pending": False, "profile": p, "value": v} for k, o, v, p in rows]
    profile = value["generation"]["profiles"][0]
    value["generation"]["profiles"] = [
        dict(profile, name=name, files=[dict(profile["files"][0], name=name)]) for name in ("hygiene", "outbound-proxy")
    ]
    return value


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content) + "\n")


def make(folder):
    """Writes everything below the folder; returns the words for `twprofile report`."""
    root = os.path.join(folder, "root")
    shutil.copytree(CLI, root, symlinks=True)
    write(root + "/run/twprofile/status.json", status())
    write(root + "/var/log/twprofile/audit-1.ndjson", audit())
    write(root + "/etc/sysctl.d/60-twprofile.conf", "net.ipv4.ip_local_port_range = 20000\t65535\nnet.ipv4.tcp_fin_timeout = 20\nnet.ipv4.tcp_keepalive_time = 600\nnet.ipv4.tcp_tw_reuse = 1\n")
    write(root + "/etc/sysctl.d/50-admin.conf", "net.ipv4.tcp_max_syn_backlog = 2048\nnet.ipv4.ip_local_reserved_ports = 40000-40009\n")
    write(root + "/etc/sysctl.d/99-local.conf", "# from the wiki\nnet.ipv4.tcp_tw_reuse = 2\n")
    write(root + "/etc/sysctl.conf", "net.ipv4.tcp_rfc1337 = 1\n")
    recordings = []
    for i in range(SAMPLES):
        recordings.append(os.path.join(folder, f"sample-{i:02}.json"))
        write(recordings[-1], sample(FIRST + datetime.timedelta(seconds=STEP_S * i), i + 1 == SAMPLES))
    write(os.path.join(folder, "archive.json"), archive())
    shutil.copy(os.path.join(HERE, "lab.json"), folder)
    return ["--root", root, "--lab", os.path.join(folder, "lab.json"), "--archive", os.path.join(folder, "archive.json"), "--from", *recordings]
