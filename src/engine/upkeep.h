/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What recovery does beside settling a transaction, at boot and after a helper died: what a death or a power cut leaves
 * where the journal's last frame is DONE already.
 */

#include "engine/session.h"

/* Removes the temporary files of dead processes: fragment, state, generations, public view. All of them are written
 * under the engine's lock, which the session holds. */
void upkeep_sweep(Session *session);

/* Sweeps, makes lost generation files again from the journal, loads the current generation, and closes an intent of the
 * audit log that a power cut left without a journal frame. 0 or <0. */
NODISCARD int upkeep_run(Session *session, Error *reterr);
