/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * generations/<number>.json: every committed state, for going back to it. They are derived from the journal's
 * COMMIT frames and not flushed on their own; generation_store_checkpoint() flushes them all before a journal
 * file that holds their COMMITs is given up.
 *
 * Beside them `enabled`, a marker that exists while the current generation has profiles: the boot unit's
 * condition.
 */

#include "model/generation.h"
#include "system/seam-io.h"

#define GENERATION_STORE_MAX 500U /* older ones are pruned */

/* 0; -ENOENT; -EBADMSG with a sentence; <0. */
NODISCARD int generation_store_load(
                const Seam *seam, int state_fd, uint64_t number, Generation **ret, Error *reterr);
/* Also writes or removes the marker, and prunes. */
NODISCARD int generation_store_save(
                const Seam *seam, int state_fd, const Generation *generation, Error *reterr);
/* The marker of a state that has to be made live at boot, alone. `generation` NULL: nothing enabled. */
NODISCARD int generation_store_mark(
                const Seam *seam, int state_fd, const Generation *generation, Error *reterr);
bool generation_store_is_marked(const Seam *seam, int state_fd);
/* The highest number there is, 0 for none. */
NODISCARD int generation_store_find_highest(
                const Seam *seam, int state_fd, uint64_t *ret, Error *reterr);
NODISCARD int generation_store_checkpoint(const Seam *seam, int state_fd, Error *reterr);
bool generation_store_has(const Seam *seam, int state_fd, uint64_t number);
