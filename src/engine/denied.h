/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Denied calls in the audit log: a record each, up to DENIED_BURST within DENIED_WINDOW_MS; what comes beyond is counted in
 * /run, and the first record after the window says how many it stands for (`count`). So whoever may call but not change
 * fills no disk: at most 14,400 records a day, 10 MiB, of a log that is bounded itself.
 *
 * The count is not flushed and ends with the boot. Where it cannot be kept there is no record either.
 */

#include "engine/session.h"

#define DENIED_BURST     10U
#define DENIED_WINDOW_MS INT64_C(60000)

/* `why` is a word. 0, also when the call was only counted; <0 with a sentence. */
NODISCARD int denied_record(Session *session, const char *why, Error *reterr);
