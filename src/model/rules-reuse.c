/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-reuse.h"

#define REUSE      "net.ipv4.tcp_tw_reuse"
#define DELAY      "net.ipv4.tcp_tw_reuse_delay"
#define TIMESTAMPS "net.ipv4.tcp_timestamps"
#define RANGE      "net.ipv4.ip_local_port_range"

/* A profile that sets the ports or the delay as well is meant for the side that connects. */
static bool is_for_connecting(const Bundle *bundle) {
        return bundle_find_setting(bundle, catalogue_find(RANGE)) ||
               bundle_find_setting(bundle, catalogue_find(DELAY));
}

static bool reuse_outgoing_only(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 1 || is_for_connecting(key->bundle))
                return false;

        strbuf_add(&hit->message,
                   "tcp_tw_reuse 1 acts when this host connects; connections that it accepts leave as "
                   "many sockets in TIME_WAIT as before");
        strbuf_add(&hit->help,
                   "set it on the hosts that open the connections; a server needs no cure for TIME_WAIT");
        return true;
}

/* Set with 0 in the same breath it is reuse-without-timestamps. */
static bool reuse_inert_here(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t timestamps = 1;
        if (key->value.ints[0] == 0 || effective_set_find(facts->set, TIMESTAMPS) ||
            !rule_integer(facts, TIMESTAMPS, &timestamps) || timestamps != 0)
                return false;

        strbuf_addf(&hit->message,
                    "tcp_tw_reuse %lld does nothing here: tcp_timestamps is 0 on this host and no "
                    "profile sets it",
                    (long long) key->value.ints[0]);
        strbuf_add(&hit->help, "set net.ipv4.tcp_timestamps: 1 beside it");
        return true;
}

static bool reuse_delay_short(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t delay = key->value.ints[0];
        if (delay >= 10)
                return false;

        strbuf_addf(&hit->message,
                    "after %lld ms the timestamp clock of the peer may not have ticked, and the new "
                    "connection looks like the old one",
                    (long long) delay);
        strbuf_add(&hit->help,
                   "use 10 or more between hosts whose clocks tick each 1 to 4 ms; 1000 is the default");
        return true;
}

static bool reuse_delay_idle(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t reuse = 0;
        if (!rule_integer(facts, REUSE, &reuse) || reuse != 0)
                return false;

        hit->other = effective_set_find(facts->set, REUSE);
        strbuf_addf(&hit->message, "a delay of %lld ms has no effect while tcp_tw_reuse is 0",
                    (long long) key->value.ints[0]);
        strbuf_add(&hit->help, "set net.ipv4.tcp_tw_reuse to 1 or 2, or leave the delay out");
        return true;
}

static const Rule rules[] = {
        { DIAG_REUSE_OUTGOING_ONLY, true, REUSE, reuse_outgoing_only, {}, NULL },
        { DIAG_REUSE_INERT_HERE, false, REUSE, reuse_inert_here, { TIMESTAMPS }, NULL },
        { DIAG_REUSE_DELAY_SHORT, true, DELAY, reuse_delay_short, {}, NULL },
        { DIAG_REUSE_DELAY_IDLE, false, DELAY, reuse_delay_idle, { REUSE }, NULL },
};

const RuleTable rules_reuse = { rules, ELEMENTSOF(rules) };
