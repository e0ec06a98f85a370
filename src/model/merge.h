/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What several enabled profiles say about one key, brought to one word. Only the profiles are compared here;
 * the kernel comes in with effective-set.c, which resolves the bounds that are left.
 *
 * Priorities are walked from the highest down. What a level says is cut by what the levels above have decided:
 *
 *   exact, inside the bounds from above     it is the value, lower levels have no say
 *   exact, outside the bounds from above    the bound it breaks is the value
 *   two exact values of one level           merge-conflict unless equal
 *   bound beyond an opposite one from above it has no effect
 *   other bounds                            the strictest counts
 *   exact or bound against bound, one level bounds-conflict when nothing satisfies both
 *
 * Whatever has no effect on the result and would have wanted another one gets the note `overridden`.
 */

#include "model/bundle.h"

typedef struct MergeCandidate {
        const Bundle *bundle;
        const BundleSetting *setting;
} MergeCandidate;

/* Pointers into the candidates. Either `exact` is set: its setting's value is the key's value, also when it is
 * a bound; or `low` and `high` are the bounds that are left, each may be NULL. */
typedef struct MergeResult {
        const MergeCandidate *exact;
        const MergeCandidate *low;
        const MergeCandidate *high;
} MergeResult;

enum {
        MERGE_E_CONFLICT = 1, /* the reason is in the list */
};

/* Sorts the candidates, which are all about one key and at least one. Never fails otherwise. */
NODISCARD int merge_candidates(
                MergeCandidate *candidates, size_t n, DiagList *findings, MergeResult *ret);
