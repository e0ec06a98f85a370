/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A change that has to be confirmed: what is done beside and instead of change.h's steps.
 *
 *              | journal          | audit           | kernel          | /run/twprofile
 *         -----+------------------+-----------------+-----------------+------------------------------
 *         plan |                  |                 | read, rehearsal |
 *              | PREPARED, window | intent, flushed |                 |
 *              |                  |                 |                 | pending; guard armed
 *              |                  |                 | ordered writes  |
 *              | APPLIED          |                 |                 | status.json
 *
 * Nothing of it lasts: no frame is flushed, no fragment is written, and a reboot is a revert. From here the change is
 * confirmed (engine/confirm.h) or taken back (engine/revert.h), by whoever comes first with the lock.
 */

#include "engine/change.h"

enum {
        WINDOW_E_REFUSED = 1, /* result->findings and outcome are set */
};

bool window_is_asked(const EngineRequest *request);

/* Whether this place can have one. */
NODISCARD int window_check(Session *session);

/* The members of PREPARED that tell of it. 0, -ENOMEM, or -EMSGSIZE for a baseline over JOURNAL_GATE_MAX. */
NODISCARD int window_describe(const Change *change, JournalPrepared *prepared);

/* How many bytes of journal APPLIED takes at most. */
size_t window_reserve(const Change *change);

/* Tells the guard and waits until it is armed; without a deadline nothing. 0, WINDOW_E_REFUSED, or <0. */
NODISCARD int window_arm(Change *change, Error *reterr);

/* After the writes: APPLIED, and the token into the result. <0 with a sentence: the values have to be taken back. */
NODISCARD int window_apply(Change *change, Error *reterr);
