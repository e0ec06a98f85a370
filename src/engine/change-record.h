/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a change leaves in journal and audit log: PREPARED, the intent, the outcome, DONE. */

#include "engine/change.h"

/* Into change->prepared. 0 or -ENOMEM. */
NODISCARD int change_encode_prepared(Change *change);

/* `outcome` NULL for an intent; `frame` is the hash of the journal's frame it belongs to. */
NODISCARD int change_audit(
                Change *change, AuditEvent event, const char *outcome, const Sha256 *frame,
                Error *reterr);

/* The outcome record, then DONE. An audit that cannot be written does not undo what is committed, and never blocks
 * taking back: DONE says so with sequence number 0. */
void change_close(
                Change *change, const char *outcome, const char *done_outcome, const Sha256 *frame);
