# SPDX-License-Identifier: LGPL-2.1-or-later
"""From rows of the catalogue to what tests/kernels/probe writes: the plan.

    puts_of(row)                 the texts to be written, in their order
    plan_of(rows, may_write)     the whole file; may_write(row) says whether a key is written or only looked at
"""

# For keys that hold no numbers: two values, so that one of them is a change, whatever stands there.
CANDIDATES = {
    "net.core.default_qdisc": "pfifo|pfifo_fast",
    "net.ipv4.ip_local_reserved_ports": "4000-4010|5000-5010",
    "net.ipv4.tcp_allowed_congestion_control": "cubic|reno",
    "net.ipv4.tcp_congestion_control": "reno|cubic",
    "net.ipv4.tcp_fastopen_key": "00010203-04050607-08090a0b-0c0d0e0f|0c0d0e0f-04050607-08090a0b-00010203",
}

# Texts for keys that hold no numbers: the first ones are to be taken, the last one is to be refused.
TEXTS = {
    "net.core.default_qdisc": ["pfifo_fast", "pfifo", "no_such_qdisc"],
    "net.ipv4.tcp_allowed_congestion_control": ["reno", "reno cubic", "no_such_control"],
    "net.ipv4.tcp_congestion_control": ["reno", "cubic", "no_such_control"],
}

# Where a value is only taken together with another key's: that key, by file, and its value.
TOGETHER = {
    ("net.ipv4.ip_unprivileged_port_start", "65535"): "net/ipv4/ip_local_port_range=65535 65535",
    ("net.ipv4.ip_local_port_range", "1 65535"): "net/ipv4/ip_unprivileged_port_start=0",
    ("net.ipv4.ip_local_port_range", "1 1"): "net/ipv4/ip_unprivileged_port_start=0",
}

# Numbers that are not written: (key, number) and why. Whole keys are not left out: no write harms a virtual machine
# that is thrown away, the first value is restored after each, and on the running kernel only a namespace is written.
LEFT_OUT = {
    ("net.netfilter.nf_conntrack_buckets", 2147483647): "the table would take 16 GiB",
}

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
NUMERIC = ("bool", "enum", "int", "bitmask", "vector")


def path_of(key):
    return key.replace(".", "/")


def ranges_of(row):
    """What the kernel takes, by version."""
    return [row["kernel"]] + [tuple(entry["was"]) for entry in row["older"] if entry["field"] == "kernel"]


def limits_of(row):
    """The numbers that are tried: at and beside both ends of what any kernel takes, and the ends of the sane range.
    Beyond 64 bits there is nothing that the catalogue could say."""
    numbers = set(row["sane"])
    for low, high in ranges_of(row):
        numbers |= {low - 1, low, high, high + 1}
    return sorted(n for n in numbers if INT64_MIN <= n <= INT64_MAX and (row["key"], n) not in LEFT_OUT)


def puts_of(row):
    if row["type"] in NUMERIC:
        return [" ".join([str(number)] * row["values"]) for number in limits_of(row)]
    if row["type"] == "range":
        return range_puts(row)
    if row["type"] == "ports":
        return ["0", "1", "65535", "1-65535", "65536", "-1", ""]
    return TEXTS.get(row["key"], [])


def range_puts(row):
    low, high = row["kernel"]
    pairs = [(low, high), (low, low), (high, high), (low - 1, high), (low, high + 1), (high, low), tuple(row["sane"])]
    return [f"{a} {b}" for a, b in pairs]


def plan_of(rows, may_write):
    lines = []
    for row in rows:
        columns = [row["key"], path_of(row["key"]), str(int(may_write(row))), CANDIDATES.get(row["key"], "-")]
        for text in puts_of(row):
            together = TOGETHER.get((row["key"], text))
            columns.append(f"{together}>{text}" if together else text)
        lines.append("\t".join(columns))
    return "\n".join(lines) + "\n"
