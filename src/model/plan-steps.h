/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The part of planning that looks at one key after the other: what it takes to get from what the current
 * generation owns to what is wanted, and what the next generation has to remember of each key.
 *
 * A key that stays or comes           live is the target: keep; absent: pending; changed by somebody else since:
 *                                     refused (enable) or left (disable, rollback) unless --adopt=drift; else set
 * A key that leaves                   absent: gone; live is its origin: restored; live is what we set: restore;
 *                                     changed by somebody else since, or nowhere known to go back to: left
 *
 * Below --root no value is known (LIVE_ASSUMED): keep and restored where nothing changes, else set.
 *
 * Where the origin of a leaving key is not known, the catalogue's default takes its place when it is a constant.
 */

#include "model/plan.h"

/* What shall be owned afterwards, from the effective set or from the generation that is gone back to. */
typedef struct PlanWanted {
        const SysctlSpec *spec;
        const SysctlValue *value;
        const char *profile;
} PlanWanted;

typedef struct PlanSteps {
        PlanStep *steps; /* in the order of the plan */
        size_t n_steps;
        GenerationKey *keys; /* of the next generation, sorted by key */
        size_t n_keys;
        bool refused; /* the reasons are in the list */
} PlanSteps;

/* `wanted` is sorted by key. The result lives in `arena` and borrows nothing but the catalogue. 0 or -ENOMEM. */
NODISCARD int plan_steps_build(
                const PlanInput *input, const PlanWanted *wanted, size_t n_wanted, Arena *arena,
                DiagList *findings, PlanSteps *ret);
