/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-keepalive.h"

#define TIME   "net.ipv4.tcp_keepalive_time"
#define INTVL  "net.ipv4.tcp_keepalive_intvl"
#define PROBES "net.ipv4.tcp_keepalive_probes"

/* Shorter than a switch of a router or a migration of a virtual machine takes. */
#define OUTAGE_SECONDS 15

static bool keepalive_one_probe(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 1)
                return false;

        strbuf_add(&hit->message,
                   "1 lost probe ends a connection; RFC 9293 forbids to take a single one for death");
        strbuf_add(&hit->help, "use 3 or more");
        return true;
}

/* Said once: at the interval when that is set, else at the number of probes. */
static bool keepalive_short_outage(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t interval = 0, probes = 0;
        bool second = streq(key->spec->key, PROBES);
        if (second && effective_set_find(facts->set, INTVL))
                return false;
        if (!rule_integer(facts, INTVL, &interval) || !rule_integer(facts, PROBES, &probes) ||
            interval * probes >= OUTAGE_SECONDS)
                return false;

        hit->other = second ? NULL : effective_set_find(facts->set, PROBES);
        strbuf_addf(&hit->message,
                    "an outage of %lld x %lld = %lld s ends connections that were only idle; the "
                    "defaults give 9 x 75 = 675 s",
                    (long long) probes, (long long) interval, (long long) interval * probes);
        strbuf_addf(&hit->help, "let probes x interval be %d s or more", OUTAGE_SECONDS);
        return true;
}

/* A bound is a wish for the time alone. */
static bool keepalive_idle_time(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t time = key->value.ints[0], interval = 0, probes = 0;
        if (key->setting->setting->merge != SETTING_EXACT ||
            effective_set_find(facts->set, INTVL) || effective_set_find(facts->set, PROBES) ||
            !rule_integer(facts, INTVL, &interval) || !rule_integer(facts, PROBES, &probes))
                return false;

        strbuf_addf(&hit->message,
                    "tcp_keepalive_time is the wait before the first probe: a dead peer is found after "
                    "%lld + %lld x %lld = %lld s, and TIME_WAIT is not concerned",
                    (long long) time, (long long) probes, (long long) interval,
                    (long long) time + probes * interval);
        strbuf_add(&hit->help,
                   "set tcp_keepalive_intvl as well; only sockets with SO_KEEPALIVE send probes");
        return true;
}

static const Rule rules[] = {
        { DIAG_KEEPALIVE_ONE_PROBE, true, PROBES, keepalive_one_probe, {}, NULL },
        { DIAG_KEEPALIVE_SHORT_OUTAGE,
          false,
          INTVL,
          keepalive_short_outage,
          { INTVL, PROBES },
          PROBES },
        { DIAG_KEEPALIVE_IDLE_TIME, false, TIME, keepalive_idle_time, { INTVL, PROBES }, NULL },
};

const RuleTable rules_keepalive = { rules, ELEMENTSOF(rules) };
