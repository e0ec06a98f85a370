/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seam for tests whose files below proc/sys behave as the kernel's do, in a scratch directory:
 *
 *   - a write at offset 0 replaces the value; one at another offset is ignored, as with sysctl_writes_strict=1;
 *   - what is read back has one tab between words and one newline at the end, however it was written;
 *   - an empty write succeeds and changes nothing;
 *   - opening a file without the owner's write bit for writing is refused, for root as well (EACCES).
 *
 * `takes` is the rest of the kernel: it sees each value before it is stored and may refuse it (a negative errno) or
 * change it (clamping). Every other file is the inner seam's, except that files of the test's own user are shown as
 * root's, so that a test of what only root's files may do needs no root.
 *
 * The object must not move after init and owns nothing. Not for threads.
 */

#include "system/seam.h"

#define SEAM_SYSCTL_FDS      1024
#define SEAM_SYSCTL_TEXT_MAX 4096U

/* `path` is below proc/sys ("net/core/somaxconn"); `text`, without newline, has room for SEAM_SYSCTL_TEXT_MAX
 * bytes. 0, or a negative errno to refuse. */
typedef int (*SeamSysctlTakes)(void *userdata, const char *path, char *text);

typedef struct SeamSysctl {
        Seam seam; /* what the code under test is given */
        const Seam *inner;
        SeamSysctlTakes takes; /* NULL: everything is taken */
        void *userdata;
        uint64_t n_writes;            /* values stored or refused */
        char *paths[SEAM_SYSCTL_FDS]; /* of open files below proc/sys, else NULL; freed at close */
} SeamSysctl;

void seam_sysctl_init(SeamSysctl *sysctl, const Seam *inner);
void seam_sysctl_deinit(SeamSysctl *sysctl);
