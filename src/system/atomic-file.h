/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A file that is there whole or not at all: written under a temporary name in the same directory, flushed,
 * renamed, and the directory flushed.
 *
 *         atomic_file_begin()    the temporary file, flushed: whatever can fail for lack of room or right, fails here
 *         atomic_file_commit()   rename over `name` and flush the directory
 *         atomic_file_remove()   instead of commit: `name` goes away, the directory is flushed
 *         atomic_file_abandon()  the temporary file goes away, `name` stands; also after a failed commit
 *
 * The temporary name is `.STEM.XXXXXXXX`; it never ends in ".conf", because procps reads hidden files. All return
 * 0 or a negative errno.
 */

#include "system/seam-io.h"

#define ATOMIC_FILE_NAME_MAX 128U

typedef struct AtomicFile {
        const Seam *seam;
        int dir_fd; /* borrowed */
        char name[ATOMIC_FILE_NAME_MAX];
        char temporary[ATOMIC_FILE_NAME_MAX]; /* "" once it is renamed or removed */
} AtomicFile;

typedef struct AtomicContent {
        const void *bytes;
        size_t length;
        mode_t mode;
        bool flush;
} AtomicContent;

NODISCARD int atomic_file_begin(
                const Seam *seam, int dir_fd, const char *name, const AtomicContent *content,
                AtomicFile *ret);
NODISCARD int atomic_file_commit(AtomicFile *file, bool flush);
NODISCARD int atomic_file_remove(AtomicFile *file);
void atomic_file_abandon(AtomicFile *file);

/* Begin and commit without a flush, for files that can be derived again. */
NODISCARD int atomic_file_replace(
                const Seam *seam, int dir_fd, const char *name, const void *bytes, size_t n,
                mode_t mode);

/* Removes the temporary files that dead processes left of names that begin with `stem`; nobody may be writing such
 * files now. "" for all. Failures do not matter: nothing reads them. */
void atomic_file_sweep(const Seam *seam, int dir_fd, const char *stem);
