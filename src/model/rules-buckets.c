/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-buckets.h"

#define BUCKETS "net.ipv4.tcp_max_tw_buckets"
/* A bucket with its share of the port tables: 0.25 to 0.5 KB measured. */
#define BUCKET_BYTES 512

static bool buckets_below_origin(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        SysctlValue origin = {};
        int64_t limit = key->value.ints[0];
        if (!rule_origin(facts, key->spec, &origin) || limit >= origin.ints[0])
                return false;

        strbuf_addf(&hit->message,
                    "the limit of sockets in TIME_WAIT would fall from %lld to %lld: above it sockets "
                    "vanish at once, and peers get RST instead of an answer",
                    (long long) origin.ints[0], (long long) limit);
        strbuf_addf(&hit->help, "write {at-least: %lld}, which never lowers it", (long long) limit);
        return true;
}

/* inet_hashtables' number of slots halved is what a namespace begins with: tcp_sk_init(). */
static bool buckets_below_computed(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        SysctlValue origin = {};
        int64_t limit = key->value.ints[0];
        if (!facts->machine || facts->machine->ehash_entries == 0)
                return false;
        uint64_t computed = facts->machine->ehash_entries / 2;
        bool lowers = rule_origin(facts, key->spec, &origin) && limit < origin.ints[0];
        if (lowers || (uint64_t) limit >= computed)
                return false;

        strbuf_addf(&hit->message,
                    "%lld sockets in TIME_WAIT are fewer than the %llu that the kernel computed for "
                    "this machine",
                    (long long) limit, (unsigned long long) computed);
        strbuf_addf(&hit->help, "use %llu or more", (unsigned long long) computed);
        return true;
}

static bool buckets_memory(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        if (!facts->machine || facts->machine->memory == 0)
                return false;
        uint64_t bytes = (uint64_t) key->value.ints[0] * BUCKET_BYTES;
        if (bytes <= facts->machine->memory / 100)
                return false;

        strbuf_addf(&hit->message,
                    "%lld sockets in TIME_WAIT take up to %llu MiB of the %llu MiB of memory",
                    (long long) key->value.ints[0], (unsigned long long) (bytes >> 20),
                    (unsigned long long) (facts->machine->memory >> 20));
        strbuf_add(&hit->help,
                   "only what is in use is taken; fewer come from keeping connections open, not from a lower limit");
        return true;
}

static const Rule rules[] = {
        { DIAG_BUCKETS_BELOW_ORIGIN, false, BUCKETS, buckets_below_origin, {}, NULL },
        { DIAG_BUCKETS_BELOW_COMPUTED, false, BUCKETS, buckets_below_computed, {}, NULL },
        { DIAG_BUCKETS_MEMORY, false, BUCKETS, buckets_memory, {}, NULL },
};

const RuleTable rules_buckets = { rules, ELEMENTSOF(rules) };
