/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Profiles that were taken back by themselves, by digest: one file for each (record/quarantine-format.h). They are
 * written before the DONE of the change that was taken back, so recovery, which comes to the same when DONE is missing,
 * writes them again.
 *
 * A file that cannot be understood still counts: its name is the digest.
 */

#include "engine/session.h"

enum {
        QUARANTINE_E_REFUSED = 1, /* result->findings say why */
};

/* What is quarantined now, read once for each session. A directory that cannot be read is an error: nothing may be
 * applied that may be quarantined. 0 or <0. */
NODISCARD int quarantine_load(Session *session, Error *reterr);

/* Refuses profiles that the change would bring in. */
NODISCARD int quarantine_check(Session *session, const Generation *next, Error *reterr);

/* `why` with its cause and, of the gate, its evidence. Failures are a warning in the findings: taking back never waits
 * for this. */
void quarantine_add(
                Session *session, const JournalProfile *profiles, size_t n,
                const JournalRevert *why, const char *tx);

/* ENGINE_RELEASE: the profile of that name, or of that digest. */
NODISCARD int quarantine_release(Session *session, Error *reterr);
