/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/commit.h"

#include "engine/generation-store.h"

/* A COMMIT that could not be written or flushed gets one more try in a new file, because after a failed flush nobody
 * knows what the old one holds. 0, or <0: what is on disk decides at the next entry. */
static int commit_decide(Session *session, const Commit *commit, Sha256 *ret_hash, Error *reterr) {
        const JournalRecord *last = &commit->records[commit->n_records - 1];
        int r = journal_append(
                        &session->journal, last->type, commit->tx, last->payload, ret_hash, reterr);
        if (r >= 0)
                r = journal_flush(&session->journal, reterr);
        if (r >= 0)
                return 0;

        error_reset(reterr);
        return journal_rewrite(
                        &session->journal, commit->tx, commit->records, commit->n_records, ret_hash,
                        reterr);
}

static int commit_tell_unknown(
                Session *session, const Commit *commit, const char *what, const Error *error) {
        Diag *d = diag_add(
                        session->result->findings, DIAG_STATE_UNKNOWN, (Span){ 0 }, "%s: %s", what,
                        error->text);
        diag_set_help(session->result->findings, d,
                      "make room or mend the disk, then run 'twprofile recover'");
        session->result->outcome = "unknown";
        session_publish(session, "unknown", commit->tx);
        return COMMIT_E_UNKNOWN;
}

int commit_run(Session *session, const Commit *commit, Sha256 *ret_hash) {
        const Engine *engine = session->engine;
        Error error = { 0 };

        if (commit_decide(session, commit, ret_hash, &error) < 0)
                return commit_tell_unknown(
                                session, commit, "cannot say whether the change is committed",
                                &error);
        if (fragment_install(commit->fragment, &error) < 0)
                return commit_tell_unknown(
                                session, commit, "committed, but not yet for the next boot",
                                &error);

        (void) generation_free(session->current);
        session->current = TAKE_PTR(*commit->next);
        /* Derived from COMMIT: recovery makes them again when they are missing. */
        if (generation_store_save(engine->seam, session->state.fd, session->current, &error) < 0)
                session_add_error(session, DIAG_STATUS_UNWRITABLE, &error);
        return 0;
}
