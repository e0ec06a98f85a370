/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What every entry does first: settle what a dead process left in the journal.
 *
 *         last frame of the journal   | same boot                          | another boot
 *         ----------------------------+------------------------------------+-----------------------------------
 *         none, DONE                  | nothing                            | nothing
 *         PREPARED, REVERT            | three-way undo, DONE(reverted)     | DONE(dropped-by-reboot)
 *         APPLIED, before its         | stays; /run/twprofile/pending is   | DONE(dropped-by-reboot)
 *           deadline or without one   | made again when it is missing      |
 *         APPLIED, past its deadline  | REVERT, three-way undo,            | DONE(dropped-by-reboot)
 *                                     | DONE(reverted)                     |
 *         COMMIT                      | fragment, derived files; live      | fragment, derived files; live
 *                                     | values are verified, never written | values are written, also of keys that
 *                                     |                                    | left the set; DONE(redone)
 *         torn behind any of these    | the torn frame is ignored          | the same
 *         corrupt                     | touch nothing: attention (8)       | the same
 *
 * A change that awaited confirmation with a deadline and ended here, by the deadline, by the gate or by a reboot, is
 * quarantined before DONE. Live values of another boot are never written: a reboot is a revert by itself. What stays is
 * in session->undecided, and nothing but its confirmation or its end may follow.
 *
 * Where the kernel does not take an old value back, the transaction stays open: nothing else is done before it is
 * settled, by a later try or by a reboot.
 *
 * The journal is flushed before anything it says is acted on: a frame may be visible and not yet durable, and acting on
 * it before a power cut could boot a change that was never decided (found by the model).
 */

#include "engine/session.h"

enum {
        RECOVERY_E_REFUSED = 1, /* the findings say why: nothing else may be done now */
        RECOVERY_E_CHOSEN, /* ENGINE_RECOVER: the caller's choice settled it (engine/choice.h) */
};

/* `at_boot` also removes the temporary files that dead processes left, looks whether every committed
 * generation of the journal has its file, and closes an intent of the audit log that a power cut left without a journal
 * frame. Adds notes (recovered, redone, dropped-by-reboot). */
NODISCARD int recovery_run(Session *session, bool at_boot, Error *reterr);
