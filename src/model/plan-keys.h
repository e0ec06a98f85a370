/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The keys that have to be read before a plan can be made. The helper and the command line both ask here, so that
 * both judge by the same.
 */

#include "model/bundle.h"
#include "model/generation.h"

/* Every key of the bundles, of the generations (each may be NULL), and what the rules ask beside them. Sorted by
 * key, once each, in `arena`. 0 or -ENOMEM. */
NODISCARD int plan_keys_collect(
                const Bundle *const *bundles, size_t n_bundles,
                const Generation *const generations[2], Arena *arena, const SysctlSpec ***ret,
                size_t *ret_n);
