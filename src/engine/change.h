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
 * A failure before the commit point undoes the writes in reverse order and ends with REVERT, DONE; a death anywhere
 * is settled by engine/recovery.h. Five flushes in all.
 */

#include "engine/session.h"

/* The session is open, recovered and loaded (or a reading one, for a dry run). Fills session->result; <0 only for
 * what cannot be answered at all. */
NODISCARD int change_run(Session *session, Error *reterr);
