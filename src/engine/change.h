/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One change from request to answer: plan, rehearse, journal, write, commit, make lasting (DESIGN part 5).
 *
 *              | journal         | audit           | kernel            | /etc/sysctl.d
 *         -----+-----------------+-----------------+-------------------+---------------------------
 *         plan |                 |                 | read              | read
 *              |                 |                 | rehearsal         | temporary file, flushed
 *              | PREPARED        | intent, flushed |                   |
 *              |                 |                 | ordered writes    |
 *              | COMMIT, flushed |                 |                   |        ← the commit point
 *              |                 |                 |                   | rename, directory flushed
 *              |                 | outcome, flushed|                   |
 *              | DONE            |                 |                   |
 *
 * A change with a window ends before COMMIT, and leaves the rest to whoever confirms it: engine/window.h.
 *
 * A failure before the commit point undoes the writes in reverse order and ends with REVERT, DONE; a death anywhere
 * is settled by engine/recovery.h. Five flushes in all.
 */

#include "engine/apply.h"
#include "engine/fragment.h"
#include "engine/planning.h"
#include "engine/session.h"

/* One change at work, from its plan on; engine/window.h adds its steps to it. */
typedef struct Change {
        Session *session;
        Planning *planning;
        Plan *plan;
        Apply apply;
        Fragment fragment;
        StrBuf prepared; /* payloads, encoded before anything is written */
        StrBuf commit;
        Sha256 prepared_hash; /* of the frame */
        char tx[TX_ID_SIZE];
        uint64_t to; /* number of the next generation */
        bool has_window;
        JournalPrepared window; /* what PREPARED says, of a change with a window */
        int64_t deadline_ms;    /* of the window; 0: none */
} Change;

/* The session is open, recovered and loaded (or a reading one, for a dry run). Fills session->result; <0 only for
 * what cannot be answered at all. */
NODISCARD int change_run(Session *session, Error *reterr);
