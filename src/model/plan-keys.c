/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/plan-keys.h"

#include "model/effective-set.h"
#include "model/rules.h"

int plan_keys_collect(
                const Bundle *const *bundles, size_t n_bundles,
                const Generation *const generations[2], Arena *arena, const SysctlSpec ***ret,
                size_t *ret_n) {
        const SysctlSpec **wanted = NULL;
        size_t n_wanted = 0;
        int r = effective_collect_specs(bundles, n_bundles, arena, &wanted, &n_wanted);
        if (r < 0)
                return r;

        size_t most = n_wanted, n = 0;
        for (size_t i = 0; i < 2; i++)
                most += generations[i] ? generations[i]->n_keys : 0;
        const SysctlSpec **all = arena_alloc_array(arena, most + 1, sizeof(const SysctlSpec *));
        if (!all)
                return -ENOMEM;
        for (size_t i = 0; i < n_wanted; i++)
                all[n++] = wanted[i];
        for (size_t i = 0; i < 2; i++)
                for (size_t k = 0; generations[i] && k < generations[i]->n_keys; k++)
                        all[n++] = generations[i]->keys[k].spec;
        return rules_collect_also(all, n, arena, ret, ret_n);
}
