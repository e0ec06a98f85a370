/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The safety rules: what is wrong with values that are each allowed, judged over the effective set and what is
 * known of this machine. One row for each rule (rule.h), in tables by subject: the finding it makes, the key it is about,
 * and a question with the answer in words.
 *
 * The finding's severity (schema/diagnostics.yaml) decides what it means: `acceptance`
 * refuses until a profile accepts the rule; the others cannot be accepted: `refuse` refuses, `warning` and
 * `note` are said. A rule that is accepted becomes the note `accepted` with the reason. Accepting is up to the profile that decided one of the keys of
 * the finding, with its includes; other enabled profiles have no say.
 */

#include "model/rule.h"

enum {
        RULES_E_REFUSED = 1, /* the reasons are in the list */
};

/* All rules, over what would be set on the host that `facts` tell of. 0, RULES_E_REFUSED, or -ENOMEM. */
NODISCARD int rules_check(const RuleFacts *facts, DiagList *findings, Error *reterr);

/* The rules that a value answers by itself, over all exact settings that do not decide in the set: those skipped
 * here by their `when`, and those overruled. What a profile asks for is judged the same on every host. `set` may be
 * empty. 0, RULES_E_REFUSED, or -ENOMEM. */
NODISCARD int rules_check_bundles(
                const Bundle *const *bundles, size_t n_bundles, const EffectiveSet *set,
                DiagList *findings, Error *reterr);

/* The keys whose live values are read so that the rules about `specs` can be asked: specs and what the rules want
 * beside them. Sorted by key, once each. 0 or -ENOMEM. */
NODISCARD int rules_collect_also(
                const SysctlSpec *const *specs, size_t n_specs, Arena *arena,
                const SysctlSpec ***ret, size_t *ret_n);

/* Whether a rule about what is planned asks who listens (MachineFacts), which costs something to find out. */
bool rules_ask_listeners(const LiveSnapshot *live);

/* The rows of all tables. */
size_t rules_count(void);
const Rule *rules_get(size_t i);
