/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule.h"

const SysctlValue *rule_value(const RuleFacts *facts, const char *key) {
        const EffectiveKey *owned = effective_set_find(facts->set, key);
        if (owned)
                return &owned->value;
        const SysctlSpec *spec = catalogue_find(key);
        const LiveKey *live = spec && facts->live ? live_find(facts->live, spec) : NULL;
        return live && live->state == LIVE_PRESENT ? &live->value : NULL;
}

bool rule_integer(const RuleFacts *facts, const char *key, int64_t *ret) {
        const SysctlValue *value = rule_value(facts, key);
        if (!value || value->n_ints != 1)
                return false;
        *ret = value->ints[0];
        return true;
}

bool rule_origin(const RuleFacts *facts, const SysctlSpec *spec, SysctlValue *ret) {
        if (!facts->live)
                return false;
        const GenerationKey *owned = facts->current ? generation_find_key(facts->current, spec)
                                                    : NULL;
        return effective_find_origin(owned, live_find(facts->live, spec), ret);
}

const KernelVersion *rule_kernel(const RuleFacts *facts) {
        return facts->live ? &facts->live->kernel : NULL;
}

bool rule_concerns(const Rule *rule, const char *key) {
        if ((rule->key && streq(rule->key, key)) || (rule->or_key && streq(rule->or_key, key)))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(rule->also); i++)
                if (rule->also[i] && streq(rule->also[i], key))
                        return true;
        return false;
}

bool rule_kernel_since(const RuleFacts *facts, uint32_t major, uint32_t minor) {
        const KernelVersion first = { .major = major, .minor = minor };
        const KernelVersion *kernel = rule_kernel(facts);
        return kernel && kernel->major > 0 && kernel_version_compare(kernel, &first) >= 0;
}

bool rule_kernel_before(const RuleFacts *facts, uint32_t major, uint32_t minor) {
        const KernelVersion first = { .major = major, .minor = minor };
        const KernelVersion *kernel = rule_kernel(facts);
        return kernel && kernel->major > 0 && kernel_version_compare(kernel, &first) < 0;
}

bool rule_is_place(
                const RuleFacts *facts, const EffectiveKey *key, const char *first,
                const char *second) {
        if (streq(key->spec->key, first))
                return true;
        return streq(key->spec->key, second) && !effective_set_find(facts->set, first);
}
