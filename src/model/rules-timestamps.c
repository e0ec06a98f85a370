/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-timestamps.h"

#define REUSE      "net.ipv4.tcp_tw_reuse"
#define TIMESTAMPS "net.ipv4.tcp_timestamps"
#define RFC1337    "net.ipv4.tcp_rfc1337"

static bool timestamps_off(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 0)
                return false;

        strbuf_add(&hit->message,
                   "without TCP timestamps there is no PAWS: sequence numbers wrap after 4 GiB, which "
                   "are 3.4 s at 10 Gbit/s, and old data passes for new");
        strbuf_add(&hit->help,
                   "leave it at 1; clients behind one address were only a problem of tcp_tw_recycle, which is gone");
        return true;
}

static bool timestamps_off_under_reuse(
                const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t reuse = 0;
        if (key->value.ints[0] != 0 || effective_set_find(facts->set, REUSE) ||
            !rule_integer(facts, REUSE, &reuse) || reuse == 0)
                return false;

        strbuf_addf(&hit->message,
                    "this host has tcp_tw_reuse %lld, which stops working: ports stay in TIME_WAIT for "
                    "the whole 60 s%s",
                    (long long) reuse, reuse == 2 ? ", on loopback" : "");
        strbuf_add(&hit->help, "leave net.ipv4.tcp_timestamps at 1");
        return true;
}

/* Before 4.10 every value but 0 meant 1. */
static bool timestamps_plain(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 2)
                return false;

        strbuf_add(&hit->message,
                   "with tcp_timestamps 2 each connection shows the same clock, which tells strangers "
                   "since when the host is up");
        strbuf_add(&hit->help, "use 1: an offset for each pair of addresses");
        return true;
}

static bool rfc1337_on(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 1)
                return false;

        strbuf_add(&hit->message,
                   "with tcp_rfc1337 1 a client that shares its address and has an older timestamp cannot "
                   "connect until TIME_WAIT ends, and each of its SYNs restarts the 60 s");
        strbuf_add(&hit->help, "use 0 where clients come through NAT and this host closes first");
        return true;
}

static const Rule rules[] = {
        { DIAG_TIMESTAMPS_OFF, true, TIMESTAMPS, timestamps_off, {}, NULL },
        { DIAG_TIMESTAMPS_OFF_UNDER_REUSE,
          false,
          TIMESTAMPS,
          timestamps_off_under_reuse,
          { REUSE },
          NULL },
        { DIAG_TIMESTAMPS_PLAIN, true, TIMESTAMPS, timestamps_plain, {}, NULL },
        { DIAG_RFC1337_ON, true, RFC1337, rfc1337_on, {}, NULL },
};

const RuleTable rules_timestamps = { rules, ELEMENTSOF(rules) };
