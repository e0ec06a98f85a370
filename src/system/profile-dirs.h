/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The directories profiles come from, highest first: /etc/twprofile/profiles, /run/twprofile/profiles,
 * /usr/share/twprofile/profiles. A file of the same name in a higher one replaces the lower one whole; a link to
 * /dev/null masks it.
 *
 * What is read must be root's alone to write, or a profile would be a way to root's settings: each directory on the
 * way and the file itself must belong to root (or, below --root, to the caller) and be writable by nobody else; no
 * link is followed anywhere; the file is regular with one link, opened once, checked and read through that
 * descriptor. (sshd's safe_path, doas.)
 */

#include "model/bundle.h"
#include "system/seam-io.h"

typedef struct ProfileDirs {
        const Seam *seam;
        int root_fd; /* borrowed */
        uid_t owner; /* besides root, who may own files: the caller of --root; else 0 */
        bool trusting; /* for reading without consequence (list, show): unsafe files are read as well */
} ProfileDirs;

typedef struct ProfileEntry {
        const char *name;
        const char *path;      /* the winning one, absolute below the root */
        const char *directory; /* "etc", "run", "vendor" */
        bool masked;
        const char *overrides; /* the directory word of the next lower file of that name, or NULL */
} ProfileEntry;

/* Every name once, sorted. Directories that are missing are empty. Entries live in the arena. */
NODISCARD int profile_dirs_list(
                const ProfileDirs *dirs, Arena *arena, ProfileEntry **ret, size_t *ret_n,
                Error *reterr);

/* A BundleFetch; userdata is a ProfileDirs. Adds profile-masked, profile-file-unsafe, profile-file-unreadable. */
NODISCARD int profile_dirs_fetch(
                void *userdata, const char *name, DiagList *diags, Source **ret, Error *reterr);
