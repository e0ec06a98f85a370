/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A profile together with everything it includes: the unit that is enabled, stored and digested.
 *
 * Where the texts come from is the caller's business: profiles named in a request are fetched from the
 * directories (system/profile-dirs.h), all others from the bytes that the current generation holds. Both go
 * through bundle_load(), so a stored profile is checked again like a fresh one.
 *
 * bundle_load() refuses cycles, depth over 8, a missing include, and sibling includes that differ about a key
 * that the includer does not set itself. The including profile wins over what it includes; included settings
 * take the priority and the name of the root.
 */

#include "model/profile.h"

#define BUNDLE_MAX_DEPTH    8U
#define BUNDLE_MAX_PROFILES 64U

enum {
        BUNDLE_E_INVALID = 1, /* the reasons are in the list */
        BUNDLE_E_NOT_FOUND,   /* the root itself is not there; nothing was added to the list */
};

/* Gives the text of profile `name` as a new Source whose name is the path. 0, BUNDLE_E_NOT_FOUND,
 * BUNDLE_E_INVALID (with a finding added: unsafe file, masked), or <0. */
typedef int (*BundleFetch)(
                void *userdata, const char *name, DiagList *diags, Source **ret, Error *reterr);

/* One setting of the flattened bundle. */
typedef struct BundleSetting {
        const ProfileSetting *setting;
        const Profile *from; /* the file it stands in: the root or one of its includes */
} BundleSetting;

typedef struct Bundle {
        Arena *arena;
        Profile **profiles; /* owned; [0] is the root, then includes, each once, in the order first met */
        size_t n_profiles;
        const BundleSetting *settings; /* flattened, sorted by key, each key once */
        size_t n_settings;
        Sha256 digest; /* over name and bytes of every profile, in that order */
} Bundle;

NODISCARD int bundle_load(
                const char *name, BundleFetch fetch, void *userdata, DiagList *diags, Bundle **ret,
                Error *reterr);
Bundle *bundle_free(Bundle *bundle);
DEFINE_CLEANUP_PTR(Bundle, bundle_free)

static inline const Profile *bundle_root(const Bundle *bundle) {
        return bundle->profiles[0];
}

/* NULL when the bundle does not set the key. */
const BundleSetting *bundle_find_setting(const Bundle *bundle, const SysctlSpec *spec);

/* Whether the root or one of its includes accepts the rule; *ret_reason (may be NULL) borrows. */
bool bundle_accepts(const Bundle *bundle, const char *rule, const char **ret_reason);
