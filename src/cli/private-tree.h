/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A directory of the host made private inside our own mount namespace: a memory file system in its place, full
 * of links to the original entries, which stay reachable read-only at TREE_HOME. Entries that a program changes
 * are real copies, or are left out.
 *
 * Call only in a mount namespace of our own whose mounts are private. /run must be private already.
 */

#include "base/error.h"

/* Where the originals stay: TREE_HOME/etc, TREE_HOME/var/lib, … */
#define TREE_HOME "/run/twprofile-sandbox"

typedef enum TreeEntryKind {
        TREE_ENTRY_ABSENT, /* not there at first */
        TREE_ENTRY_COPY,   /* directory or file, copied: regular files, directories, links */
} TreeEntryKind;

typedef struct TreeEntry {
        const char *name;
        TreeEntryKind kind;
} TreeEntry;

/* 0 or <0. `path` is absolute; it must exist. */
NODISCARD int private_tree_make(
                const char *path, const TreeEntry *entries, size_t n_entries, Error *reterr);

/* Copies the *.yaml files of a directory, as root's own and not writable by others. Files that are there
 * already are replaced. *ret_n (may be NULL) is how many. */
NODISCARD int private_tree_copy_profiles(
                const char *from, const char *to, size_t *ret_n, Error *reterr);
