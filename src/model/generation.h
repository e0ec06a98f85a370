/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A committed state, whole: which profiles (their bytes and those of their includes), which keys with which
 * value, where each key came from, and what it followed. Everything needed to boot into it, to go back to it
 * and to leave it again; nothing on disk outside is read for that.
 *
 * Numbers start at 1 and only grow. "Nothing enabled yet" is a NULL Generation, number 0. A generation with
 * no profiles is what `disable` of the last one, or `rollback --to=origin`, leaves.
 *
 * Everything lives in one arena that the Generation owns.
 */

#include "base/sha256.h"
#include "model/sysctl-value.h"

#define GENERATION_MAX_BYTES ((size_t) 1024 * 1024) /* of profile text */

typedef struct GenerationFile {
        const char *name; /* of the profile */
        const char *path; /* where it was read, for messages only */
        const char *bytes;
        size_t length;
} GenerationFile;

typedef struct GenerationProfile {
        const char *name;
        Sha256 digest;               /* Bundle.digest */
        const GenerationFile *files; /* [0] the profile itself, then its includes */
        size_t n_files;
} GenerationProfile;

typedef struct GenerationKey {
        const SysctlSpec *spec;
        SysctlValue value;
        const char *profile; /* the enabled profile that decided the value */
        bool pending;        /* the kernel has no such key yet: a module is missing */
        bool origin_known;   /* false: adopted from --root, or taken while pending */
        SysctlValue origin;  /* the value read when the key was taken */
        const char *adopted; /* whose value ours was told to win over ("/etc/sysctl.d/99-local.conf:3: 128"), or NULL */
} GenerationKey;

typedef struct Generation {
        Arena *arena;
        uint64_t number;
        uint64_t parent;                   /* 0: nothing of ours before it */
        const char *tx;                    /* the transaction that committed it, uuid text */
        int64_t created_us;                /* CLOCK_REALTIME, microseconds since the epoch */
        const GenerationProfile *profiles; /* sorted by name */
        size_t n_profiles;
        const GenerationKey *keys; /* sorted by key */
        size_t n_keys;
        bool has_fragment;   /* false: no profile, so no file */
        Sha256 fragment;     /* of the fragment's bytes */
        const char *encoded; /* its own text, kept by generation_keep_encoded(); NULL: not kept */
        size_t encoded_length;
} Generation;

Generation *generation_new(void); /* empty, with its arena; NULL when out of memory */
Generation *generation_free(Generation *generation);
DEFINE_CLEANUP_PTR(Generation, generation_free)

const GenerationKey *generation_find_key(const Generation *generation, const SysctlSpec *spec);
const GenerationProfile *generation_find_profile(const Generation *generation, const char *name);

/* Two generations that ask for the same: same profiles with the same digests, same keys with equal values,
 * profile and pending mark. Number, parent, time, origins do not count. Either may be NULL (nothing). */
bool generation_same_content(const Generation *a, const Generation *b);

/* The fragment's bytes for the generation: its keys in write order, each with the profile that asked. The
 * caller frees *ret. 0 or -ENOMEM. For a generation without profiles *ret is NULL and *ret_length 0. */
NODISCARD int generation_render_fragment(
                const Generation *generation, char **ret, size_t *ret_length);
