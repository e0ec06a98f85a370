/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a safety rule is made of; rules.h asks them. The rules stand in tables by subject (rules-ports.c, …).
 *
 * A rule's question is about one value that would be set, and what else would be set, is live or is known of the
 * machine. What is not known is no reason to find something.
 */

#include "base/strbuf.h"
#include "model/effective-set.h"
#include "model/machine.h"

/* Keys beside its own that a rule asks about; their live values are read for it. */
#define RULE_ALSO_MAX 6U

typedef struct RuleFacts {
        const EffectiveSet *set;
        const LiveSnapshot *live;    /* NULL: no host is judged, only the value */
        const MachineFacts *machine; /* NULL: likewise */
        const Generation *current;   /* NULL: nothing of ours yet, or no host is judged */
} RuleFacts;

/* The answer of a rule that applies. */
typedef struct RuleHit {
        const EffectiveKey *other; /* the second key of a finding about two, or NULL */
        StrBuf message;
        StrBuf help;
} RuleHit;

typedef struct Rule {
        DiagId id;
        bool of_the_value; /* the value alone answers it: asked of every profile, wherever it is read */
        const char *key; /* the question is asked only when the set owns it; NULL: of each key of the set */
        /* True when it applies; message and help are filled then. */
        bool (*applies)(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit);
        const char *also[RULE_ALSO_MAX];
        const char *or_key; /* likewise asked when the set owns this one; NULL: none */
} Rule;

typedef struct RuleTable {
        const Rule *rules;
        size_t n_rules;
} RuleTable;

/* The value that `key` will have: of the set, else the live one; NULL when nobody knows. It lives as long as the facts. */
const SysctlValue *rule_value(const RuleFacts *facts, const char *key);
/* Of a key that holds one integer. False when nobody knows. */
bool rule_integer(const RuleFacts *facts, const char *key, int64_t *ret);
/* What a key had before it was ours. False when nobody knows. */
bool rule_origin(const RuleFacts *facts, const SysctlSpec *spec, SysctlValue *ret);
/* The kernel that is judged for, or NULL. */
const KernelVersion *rule_kernel(const RuleFacts *facts);
/* Whether the rule is about the key, or asks about it too. A rule about every key is about none in particular. */
bool rule_concerns(const Rule *rule, const char *key);
/* Whether the kernel is known to be of this version or later, or to be older. Both are false when nobody knows. */
bool rule_kernel_since(const RuleFacts *facts, uint32_t major, uint32_t minor);
bool rule_kernel_before(const RuleFacts *facts, uint32_t major, uint32_t minor);
/* What is wrong with two keys together is said once: at `first` where the set owns it, else at `second`. Whether `key`
 * is that place. */
bool rule_is_place(
                const RuleFacts *facts, const EffectiveKey *key, const char *first,
                const char *second);
