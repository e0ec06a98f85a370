/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * All enabled bundles merged, judged against this kernel: which key gets which value, by whose word.
 *
 * Rules (DESIGN part 5): a setting whose `when` does not hold is dropped with a note; the higher priority
 * wins; equal priority with different exact values is merge-conflict naming both places; bounds combine to
 * the strictest; an exact value against a bound it breaks, or two bounds that leave nothing, go by priority,
 * equal priority is bounds-conflict; a bound is resolved against the set's exact value, else against the
 * key's origin (what the current generation recorded, else the live value), and one already satisfied leaves
 * the key unowned with a note.
 *
 * Absent keys: without `when` key-absent; key of a catalogue module that is not loaded, or that the current
 * generation owns already: pending (a kernel that lost a key must not keep the other profiles from being
 * changed); a profile whose own `when` (or whose include's `when`) does not hold: profile-condition, but
 * not where the current generation holds the very same profile: it was judged when it was enabled.
 */

#include "model/bundle.h"
#include "model/generation.h"
#include "model/live.h"

typedef struct EffectiveKey {
        const SysctlSpec *spec;
        SysctlValue value;
        bool pending;
        const Bundle *bundle;         /* who decided */
        const BundleSetting *setting; /* its place */
} EffectiveKey;

typedef struct EffectiveSet {
        const EffectiveKey *keys; /* sorted by key; owned keys only */
        size_t n_keys;
} EffectiveSet;

/* NULL when the set does not own the key. */
const EffectiveKey *effective_set_find(const EffectiveSet *set, const char *key);

enum {
        EFFECTIVE_E_REFUSED = 1, /* the reasons are in the list; its exit code says of which kind */
};

/* The value a key had before it was ours: what the current generation recorded, or the live value for a key
 * that is taken now. `key` (of the current generation) and `live` may be NULL. False when nobody knows: adopted
 * from --root, not there, or pending until now and holding our value already, because what loads the module
 * writes it. */
bool effective_find_origin(const GenerationKey *key, const LiveKey *live, SysctlValue *ret);

/* Whether the kernel keeps one value for the whole host, so that a child network namespace has no own one. */
bool effective_is_host_wide(const SysctlSpec *spec, const LiveSnapshot *live);

/* The union of the keys that the bundles mention, sorted, for reading the live values first. */
NODISCARD int effective_collect_specs(
                const Bundle *const *bundles, size_t n_bundles, Arena *arena,
                const SysctlSpec ***ret, size_t *ret_n);

typedef struct EffectiveInput {
        const Bundle *const *bundles;
        size_t n_bundles;
        const Generation *current; /* may be NULL */
        const LiveSnapshot *live;  /* every key of the bundles */
} EffectiveInput;

/* The set lives in `arena` and borrows bundles and snapshot. */
NODISCARD int effective_set_build(
                const EffectiveInput *input, Arena *arena, DiagList *findings, EffectiveSet *ret,
                Error *reterr);
