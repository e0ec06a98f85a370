/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The kernel files of all keys of one request, opened once and read once, and kept open: what is planned by, written
 * and read back is one and the same object. A file that cannot be opened for writing is kept for reading; writing it
 * is then refused where it would be needed.
 *
 * Below --root nothing is opened: keys are assumed or absent by the catalogue alone (live_set_assume()).
 */

#include "system/sysctl-live.h"

typedef struct LiveSet {
        LiveFile *files; /* one for each key, in the same order; not open when the key could not be */
        LiveSnapshot snapshot;
        Arena *arena; /* borrowed */
} LiveSet;

/* `root` is borrowed. `specs` sorted by key, no duplicates. 0; <0 for out of memory and for no more descriptors. */
NODISCARD int live_set_open(
                const SeamFd *root, const SysctlSpec *const *specs, size_t n, Arena *arena,
                LiveSet *ret, Error *reterr);
NODISCARD int live_set_assume(
                const SysctlSpec *const *specs, size_t n, Arena *arena, LiveSet *ret,
                Error *reterr);
void live_set_close(LiveSet *set);

/* The open file of a key, or NULL. */
LiveFile *live_set_find(LiveSet *set, const SysctlSpec *spec);
