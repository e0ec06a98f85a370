/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * All bundles that shall be enabled after a request: what it names comes from the directories, everything else that
 * is enabled comes from the bytes which the current generation stored. `plan` and the helper both call this.
 */

#include "model/generation.h"
#include "system/profile-dirs.h"

typedef enum WantedVerb {
        WANTED_ENABLE,  /* add the named, or take a fresh look at them */
        WANTED_ONLY,    /* the named and nothing else */
        WANTED_DISABLE, /* all but the named */
} WantedVerb;

typedef struct WantedRequest {
        const ProfileDirs *dirs;
        const Generation *current; /* may be NULL */
        WantedVerb verb;
        const char *const *names;
        size_t n_names;
} WantedRequest;

typedef struct WantedBundles {
        Bundle **bundles; /* sorted by name */
        size_t n_bundles;
} WantedBundles;

enum {
        WANTED_E_REFUSED = 1, /* the reasons are in the list; its exit code says of which kind */
};

/* Adds unknown-profile for a name that is nowhere, not-enabled (a note) for one that is there but not enabled. */
NODISCARD int wanted_bundles_load(
                const WantedRequest *request, DiagList *findings, WantedBundles *ret,
                Error *reterr);
void wanted_bundles_deinit(WantedBundles *wanted);
