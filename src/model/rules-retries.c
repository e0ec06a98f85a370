/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-retries.h"

#define ORPHAN  "net.ipv4.tcp_orphan_retries"
#define RETRY1  "net.ipv4.tcp_retries1"
#define RETRY2  "net.ipv4.tcp_retries2"
#define RTO_MIN "net.ipv4.tcp_rto_min_us"

/* With the least timeout of 200 ms, doubled at each try: (2^(n+1) - 1) x 200 ms. */
static bool orphan_retries_few(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t n = key->value.ints[0];
        if (n < 1 || n > 3)
                return false;

        unsigned ms = ((1U << (unsigned) (n + 1)) - 1) * 200;
        strbuf_addf(&hit->message,
                    "a closed connection whose peer is silent for %u.%u s loses the data that was not "
                    "acknowledged: %lld tr%s, where 0 stands for 8",
                    ms / 1000, ms % 1000 / 100, (long long) n, n == 1 ? "y" : "ies");
        strbuf_add(&hit->help, "use 0, or 4 to 7 where vanished clients fill tcp_max_orphans");
        return true;
}

static bool retries1_few(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t n = key->value.ints[0];
        if (n >= 3)
                return false;

        strbuf_addf(&hit->message,
                    "after %lld lost segment%s the route is already doubted; RFC 9293 wants 3 or more",
                    (long long) n, n == 1 ? "" : "s");
        strbuf_add(&hit->help, "use 3, the default");
        return true;
}

/* 924.6 s for 15 with the least timeout; each further try waits TCP_RTO_MAX, 120 s. */
static bool retries2_long(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t n = key->value.ints[0];
        if (n <= 15)
                return false;

        strbuf_addf(&hit->message,
                    "a dead connection is given up after %lld s at the earliest, instead of 924 s",
                    924 + ((long long) n - 15) * 120);
        strbuf_add(&hit->help, "use 8 to 15");
        return true;
}

static bool rto_below_delayed_ack(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t us = key->value.ints[0];
        if (us >= 40000)
                return false;

        strbuf_addf(&hit->message,
                    "data is sent again after %lld us, while Linux peers may hold their ACK for 40 ms "
                    "and more",
                    (long long) us);
        strbuf_add(&hit->help,
                   "use 40000 or more, or set rto_min on the routes where it is safe: ip-route(8)");
        return true;
}

static const Rule rules[] = {
        { DIAG_ORPHAN_RETRIES_FEW, true, ORPHAN, orphan_retries_few, {}, NULL },
        { DIAG_RETRIES1_FEW, true, RETRY1, retries1_few, {}, NULL },
        { DIAG_RETRIES2_LONG, true, RETRY2, retries2_long, {}, NULL },
        { DIAG_RTO_BELOW_DELAYED_ACK, true, RTO_MIN, rto_below_delayed_ack, {}, NULL },
};

const RuleTable rules_retries = { rules, ELEMENTSOF(rules) };
