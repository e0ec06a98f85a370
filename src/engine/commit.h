/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The commit point and what follows it, for a change at once and for one that is confirmed: COMMIT flushed, the
 * prepared fragment put in place, the derived files.
 */

#include "engine/fragment.h"
#include "engine/session.h"

enum {
        COMMIT_E_UNKNOWN =
                        1, /* state-unknown is in the findings and published: what is on disk decides at the next entry */
};

typedef struct Commit {
        const char *tx;
        const JournalRecord *records; /* all frames of the transaction up to COMMIT, the last */
        size_t n_records;
        Fragment *fragment; /* prepared */
        Generation **next;  /* taken on success: the session's current one */
} Commit;

/* 0 or COMMIT_E_UNKNOWN. */
NODISCARD int commit_run(Session *session, const Commit *commit, Sha256 *ret_hash);
