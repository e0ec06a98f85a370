/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-conntrack.h"

#define CT            "net.netfilter.nf_conntrack_"
#define CT_MAX        CT "max"
#define CT_BUCKETS    CT "buckets"
#define CT_COUNT      CT "count"
#define CT_FIN_WAIT   CT "tcp_timeout_fin_wait"
#define CT_CLOSE_WAIT CT "tcp_timeout_close_wait"
#define VS_REUSE      "net.ipv4.vs.conn_reuse_mode"
#define VS_TRACK      "net.ipv4.vs.conntrack"
#define VS_NODEST     "net.ipv4.vs.expire_nodest_conn"
#define KEEP_TIME     "net.ipv4.tcp_keepalive_time"
#define KEEP_INTVL    "net.ipv4.tcp_keepalive_intvl"
#define KEEP_PROBES   "net.ipv4.tcp_keepalive_probes"

static bool max_below_count(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t max = key->value.ints[0], count = 0;
        if (!rule_integer(facts, CT_COUNT, &count) || count <= max)
                return false;

        strbuf_addf(&hit->message,
                    "%lld connections are tracked now, and an nf_conntrack_max of %lld drops every new one",
                    (long long) count, (long long) max);
        strbuf_addf(&hit->help, "use more than %lld", (long long) count);
        return true;
}

/* Each entry is in the table twice, once for each direction. */
static bool chains_long(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t max = 0, buckets = 0;
        if (!rule_is_place(facts, key, CT_MAX, CT_BUCKETS) || !rule_integer(facts, CT_MAX, &max) ||
            !rule_integer(facts, CT_BUCKETS, &buckets) || buckets <= 0 || max <= buckets * 8)
                return false;

        if (streq(key->spec->key, CT_MAX))
                hit->other = effective_set_find(facts->set, CT_BUCKETS);
        strbuf_addf(&hit->message,
                    "a full table of %lld connections in %lld buckets has chains of %lld entries",
                    (long long) max, (long long) buckets, (long long) (2 * max / buckets));
        strbuf_addf(&hit->help, "set " CT_BUCKETS " to %lld or more", (long long) (max / 4));
        return true;
}

/* sizeof(struct nf_conn) is 256 bytes on x86-64 from 5.10 to 6.18, without its extensions. */
static bool table_large(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t max = key->value.ints[0];
        if (!facts->machine || facts->machine->memory == 0 ||
            (uint64_t) max * 256 <= facts->machine->memory / 2)
                return false;

        strbuf_addf(&hit->message,
                    "%lld tracked connections take %lld MiB of the %llu MiB that this host has",
                    (long long) max, (long long) (max >> 12),
                    (unsigned long long) (facts->machine->memory >> 20));
        strbuf_addf(&hit->help, "use at most %llu",
                    (unsigned long long) (facts->machine->memory / 2 / 256));
        return true;
}

static bool time_wait_short(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        if (seconds >= 60)
                return false;

        strbuf_addf(&hit->message,
                    "connection tracking forgets after %lld s what the sockets keep for 60 s",
                    (long long) seconds);
        strbuf_add(&hit->help, "use 60 or more; this key does not change TIME_WAIT of sockets");
        return true;
}

static bool time_wait_long(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        if (seconds <= 120)
                return false;

        strbuf_addf(&hit->message,
                    "connections that ended take places in the tracking table for %lld s",
                    (long long) seconds);
        strbuf_add(&hit->help, "use at most the kernel's 120");
        return true;
}

static bool established_below_keepalive(
                const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t idle = 0, interval = 0, probes = 0;
        if (!rule_integer(facts, KEEP_TIME, &idle) || !rule_integer(facts, KEEP_INTVL, &interval) ||
            !rule_integer(facts, KEEP_PROBES, &probes))
                return false;
        int64_t seconds = key->value.ints[0], needed = idle + interval * probes;
        if (seconds >= needed)
                return false;

        hit->other = effective_set_find(facts->set, KEEP_TIME);
        strbuf_addf(&hit->message,
                    "tracking forgets an idle connection after %lld s; keepalive takes %lld + %lld x %lld = %lld s",
                    (long long) seconds, (long long) idle, (long long) interval, (long long) probes,
                    (long long) needed);
        strbuf_addf(&hit->help, "use %lld or more, or lower " KEEP_TIME, (long long) needed);
        return true;
}

static bool half_closed_short(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        int64_t least = streq(key->spec->key, CT_FIN_WAIT) ? 60 : 30;
        if (seconds >= least)
                return false;

        strbuf_addf(&hit->message,
                    "a connection that one side has closed is forgotten after %lld s, with data still to come",
                    (long long) seconds);
        strbuf_addf(&hit->help, "use %lld or more", (long long) least);
        return true;
}

static bool loose_off(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 0)
                return false;

        strbuf_add(&hit->message,
                   "with nf_conntrack_tcp_loose 0 connections from before a restart or failover are INVALID");
        strbuf_add(&hit->help, "set it to 1, unless this host runs SYNPROXY, which needs 0");
        return true;
}

static bool liberal(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] == 0)
                return false;

        strbuf_add(&hit->message,
                   "with nf_conntrack_tcp_be_liberal 1 segments outside of the window pass as ESTABLISHED");
        strbuf_add(&hit->help, "set it to 0 and look for what makes the tracker lose the window");
        return true;
}

/* Commit f0a5e4d7a594 (5.9); stable releases of older kernels took it over in August 2020. */
static bool reuse_delay(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t reuse = 0, track = 0;
        if (!rule_is_place(facts, key, VS_REUSE, VS_TRACK) || !rule_kernel_before(facts, 5, 9) ||
            !rule_integer(facts, VS_REUSE, &reuse) || !rule_integer(facts, VS_TRACK, &track) ||
            reuse == 0 || track == 0)
                return false;

        if (streq(key->spec->key, VS_REUSE))
                hit->other = effective_set_find(facts->set, VS_TRACK);
        strbuf_addf(&hit->message,
                    "on Linux %u.%u IPVS drops the first SYN of a client that reuses a port: a delay of 1 s",
                    rule_kernel(facts)->major, rule_kernel(facts)->minor);
        strbuf_add(&hit->help,
                   "use a kernel with commit f0a5e4d7a594 (5.9 and later), or set " VS_TRACK
                   " to 0 where no rule needs it");
        return true;
}

static bool removed_servers(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t reuse = 1, expire = 1;
        if (!rule_is_place(facts, key, VS_REUSE, VS_NODEST) ||
            !rule_integer(facts, VS_REUSE, &reuse) || !rule_integer(facts, VS_NODEST, &expire) ||
            reuse != 0 || expire != 0)
                return false;

        if (streq(key->spec->key, VS_REUSE))
                hit->other = effective_set_find(facts->set, VS_NODEST);
        strbuf_add(&hit->message,
                   "IPVS keeps sending clients that reuse their ports to real servers that were removed");
        strbuf_add(&hit->help,
                   "set " VS_REUSE " to 1 (Linux 5.9 and later), and " VS_NODEST " to 1");
        return true;
}

static const Rule rules[] = {
        { DIAG_CONNTRACK_MAX_BELOW_COUNT, false, .key = CT_MAX, .applies = max_below_count,
          .also = { CT_COUNT } },
        { DIAG_CONNTRACK_CHAINS_LONG, false, .key = CT_MAX, .or_key = CT_BUCKETS,
          .applies = chains_long, .also = { CT_MAX, CT_BUCKETS } },
        { DIAG_CONNTRACK_TABLE_LARGE, false, .key = CT_MAX, .applies = table_large },
        { DIAG_CONNTRACK_TIME_WAIT_SHORT, true, .key = CT "tcp_timeout_time_wait",
          .applies = time_wait_short },
        { DIAG_CONNTRACK_TIME_WAIT_LONG, true, .key = CT "tcp_timeout_time_wait",
          .applies = time_wait_long },
        { DIAG_CONNTRACK_BELOW_KEEPALIVE, false, .key = CT "tcp_timeout_established",
          .applies = established_below_keepalive, .also = { KEEP_TIME, KEEP_INTVL, KEEP_PROBES } },
        { DIAG_CONNTRACK_HALF_CLOSED_SHORT, true, .key = CT_FIN_WAIT, .or_key = CT_CLOSE_WAIT,
          .applies = half_closed_short },
        { DIAG_CONNTRACK_LOOSE_OFF, true, .key = CT "tcp_loose", .applies = loose_off },
        { DIAG_CONNTRACK_LIBERAL, true, .key = CT "tcp_be_liberal", .applies = liberal },
        { DIAG_IPVS_REUSE_DELAY, false, .key = VS_REUSE, .or_key = VS_TRACK, .applies = reuse_delay,
          .also = { VS_REUSE, VS_TRACK } },
        { DIAG_IPVS_REMOVED_SERVERS, false, .key = VS_REUSE, .or_key = VS_NODEST,
          .applies = removed_servers, .also = { VS_REUSE, VS_NODEST } },
};

const RuleTable rules_conntrack = { rules, ELEMENTSOF(rules) };
