/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The fragment in /etc/sysctl.d: one file for all enabled profiles, replaced by one rename.
 *
 *         fragment_prepare()   temporary file written and flushed: whatever can fail, fails here, before the first
 *                              live write
 *         fragment_install()   after COMMIT: rename (or unlink, when nothing of ours is left) and flush the directory
 *
 * Recovery does both in a row with the bytes of a generation.
 */

#include "model/plan.h"
#include "system/atomic-file.h"

#define FRAGMENT_MAX_BYTES ((size_t) 1024 * 1024)

typedef struct Fragment {
        SeamFd dir;
        AtomicFile file;
        bool remove;
} Fragment;

/* What is on disk now. */
NODISCARD int fragment_read(const Seam *seam, int root_fd, PlanFragment *ret, Error *reterr);

/* `bytes` NULL: the file shall be removed; then only an empty temporary file is tried. */
NODISCARD int fragment_prepare(
                const Seam *seam, int root_fd, const char *bytes, size_t n, Fragment *ret,
                Error *reterr);
NODISCARD int fragment_install(Fragment *fragment, Error *reterr);
/* Closes, and removes the temporary file if it is still there. */
void fragment_deinit(Fragment *fragment);

/* Puts on disk what the directory shows: another process may have died between its rename and its flush. */
NODISCARD int fragment_flush(const Seam *seam, int root_fd, Error *reterr);

/* Removes temporary files that dead processes left. Failures do not matter: no tool reads such names. */
void fragment_sweep(const Seam *seam, int root_fd);
