/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ENGINE_CONFIRM: commits the change that awaits it, when all of this holds:
 *
 *         the token is the one that enable gave                       else refused, and recorded as denied
 *         same boot, same namespace, before the deadline              recovery has seen to that
 *         every live value is what was read back after the change     or --adopt=drift: ours is written again
 *         the fragment on disk is as it was found then                or --adopt=fragment
 *         the caller's login session is another than the applier's    or --same-session
 *
 * What follows is the commit of a plain change: fragment prepared, COMMIT flushed, fragment in place, audit record
 * `confirm`, DONE.
 */

#include "engine/session.h"

/* session->undecided may be NULL. Fills the result. */
NODISCARD int confirm_run(Session *session, Error *reterr);
