/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The keys that a committed change took out of the set, for the boot behind a power cut that came between its COMMIT and
 * its fragment: systemd-sysctl has just applied the fragment of the generation before it.
 *
 *         leaving_list()       one row for each: `before` is what the old fragment gives it, `want` what it goes back to
 *
 * `before` is the older generation's value, and not what the change found: somebody may have changed the key at run time,
 * and a change leaves such a key out altogether (found by the model). The older generation is taken from the journal, else
 * from its own file; where neither has it, the rows are what the change itself was to take back.
 *
 * Rows and strings live in the session's arena.
 */

#include "engine/session.h"

/* `prepared` of the change whose generation is session->current. 0 or <0. */
NODISCARD int leaving_list(
                Session *session, const JournalPrepared *prepared, const JournalKey **ret,
                size_t *ret_n, Error *reterr);
