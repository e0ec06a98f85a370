/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Makes fragment, generation file and marker those of the current generation, whatever is there: for a commit that was cut
 * off, and where recovery was told which generation stands. A fragment that is right is flushed all the same, because who
 * wrote it may have died before.
 */

#include "engine/session.h"

/* session->current is there. 0 or <0. */
NODISCARD int install_generation(Session *session, Error *reterr);
