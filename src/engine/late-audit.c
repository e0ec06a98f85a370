/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/late-audit.h"

#include "engine/audit-trail.h"
#include "engine/generation-store.h"
#include "engine/report.h"
#include "engine/revert.h"

/* A transaction of the journal whose outcome is not in the log. */
typedef struct LateTx {
        const JournalFrame *done_frame, *prepared_frame, *decision;
        JournalDone done;
        JournalPrepared prepared; /* with prepared_frame */
        JournalRevert revert;     /* with a decision that is one */
        bool tells_intent;
} LateTx;

/* --- finding ---------------------------------------------------------------------------------------------------- */

static int late_read(Session *session, const JournalFrame *done_frame, LateTx *ret, Error *reterr) {
        const Journal *journal = &session->journal;
        const char *tx = done_frame->tx;
        LateTx late = {
                .done_frame = done_frame,
                .prepared_frame = journal_find_last(journal, JOURNAL_PREPARED, tx),
                .decision = journal_find_last(journal, JOURNAL_COMMIT, tx),
        };
        if (!late.decision)
                late.decision = journal_find_last(journal, JOURNAL_REVERT, tx);

        int r = journal_done_decode(done_frame, session->arena, &late.done, reterr);
        if (r >= 0 && late.prepared_frame)
                r = journal_prepared_decode(
                                late.prepared_frame, session->arena, &late.prepared, reterr);
        if (r >= 0 && late.decision && late.decision->type == JOURNAL_REVERT)
                r = journal_revert_decode(late.decision, session->arena, &late.revert, reterr);
        *ret = late;
        return r;
}

/* 1 when something of it has to be told, 0, <0. Without an intent and without a decision nothing was ever written: the
 * change was refused because the log could not be written. */
static int late_judge(Session *session, LateTx *late, Error *reterr) {
        AuditTrail trail;
        uint64_t from = late->prepared_frame ? late->prepared.audit_seq : 0;
        int r = audit_trail_find(&session->audit, late->done_frame->tx, from, &trail, reterr);
        if (r < 0)
                return r;
        late->tells_intent = !trail.has_intent;
        return !trail.has_outcome && (trail.has_intent || late->decision);
}

/* From the last DONE back to the first that the log knows of: whoever wrote that one has told what was missed before. */
static int late_collect(Session *session, LateTx **ret, size_t *ret_n, Error *reterr) {
        const JournalScan *scan = &session->journal.scan;
        size_t n = 0;
        LateTx *rows = arena_alloc_array(session->arena, scan->n_frames + 1, sizeof(LateTx));
        if (!rows)
                return error_set(reterr, -ENOMEM, "cannot write the audit log");

        for (size_t i = scan->n_frames; i > 0; i--) {
                const JournalFrame *frame = &scan->frames[i - 1];
                if (frame->type != JOURNAL_DONE)
                        continue;
                int r = late_read(session, frame, &rows[n], reterr);
                if (r < 0)
                        return r;
                if (rows[n].done.audit_seq != 0)
                        break;
                r = late_judge(session, &rows[n], reterr);
                if (r < 0)
                        return r;
                n += (size_t) r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

/* --- telling ---------------------------------------------------------------------------------------------------- */

/* The profiles that were enabled after it; none where that generation is not to be had any more. */
static int late_add_profiles(Session *session, uint64_t number, AuditRecord *record) {
        CLEANUP(generation_freep) Generation *loaded = NULL;
        const Generation *generation = session->current;
        if (number == 0)
                generation = NULL;
        else if (!generation || generation->number != number) {
                int r = generation_store_load(
                                session->engine->seam, session->state.fd, number, &loaded, NULL);
                if (r == -ENOMEM)
                        return r;
                generation = loaded;
        }
        return report_audit_profiles(session, generation, &record->profiles, &record->n_profiles);
}

static int late_add_keys(Session *session, const LateTx *late, AuditRecord *record) {
        const JournalPrepared *prepared = &late->prepared;
        AuditKey *keys = arena_alloc_array(session->arena, prepared->n_keys + 1, sizeof(AuditKey));
        if (!keys)
                return -ENOMEM;
        for (size_t i = 0; i < prepared->n_keys; i++)
                keys[i] = (AuditKey){
                        .key = prepared->keys[i].key,
                        .before = prepared->keys[i].before,
                        .wanted = prepared->keys[i].want,
                };
        record->keys = keys;
        record->n_keys = prepared->n_keys;
        return 0;
}

static int late_tell(
                Session *session, const LateTx *late, AuditEvent event, const JournalFrame *frame,
                Error *reterr) {
        bool ends = event == AUDIT_OUTCOME;
        bool prepared = late->prepared_frame;
        AuditRecord record = {
                .event = event,
                .late = true,
                .tx = late->done_frame->tx,
                .verb = prepared ? late->prepared.verb : NULL,
                .generation_from = prepared ? late->prepared.from : late->done.generation,
                .generation_to = ends ? late->done.generation : late->prepared.to,
                .has_window = !ends && late->prepared.has_window,
                .window_s = late->prepared.window_s,
                .outcome = ends ? late->done.outcome : NULL,
                .exit_code = endswith(late->done.outcome, "-with-conflicts") ? 7 : 0,
                .has_frame = frame != NULL,
        };
        if (frame)
                record.frame = frame->hash;
        if (ends && late->revert.cause && revert_is_automatic(late->revert.cause)) {
                record.cause = late->revert.cause;
                record.evidence = late->revert.evidence;
        }
        int r = late_add_profiles(session, record.generation_to, &record);
        if (r >= 0)
                r = late_add_keys(session, late, &record);
        if (r < 0)
                return error_set(reterr, r, "cannot write the audit log");
        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

static int late_tell_degraded(Session *session, bool ends, size_t lost, Error *reterr) {
        AuditRecord record = { .event = AUDIT_DEGRADED,
                               .degraded_ends = ends,
                               .degraded_lost = lost };
        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

static int late_tell_tx(Session *session, const LateTx *late, Error *reterr) {
        int r = late->tells_intent ? late_tell(session, late, AUDIT_INTENT, late->prepared_frame,
                                               reterr)
                                   : 0;
        const JournalFrame *frame = late->decision ? late->decision : late->prepared_frame;
        return r < 0 ? r : late_tell(session, late, AUDIT_OUTCOME, frame, reterr);
}

int late_audit_run(Session *session, Error *reterr) {
        LateTx *rows = NULL;
        size_t n = 0, lost = 0;
        bool is_open = session->audit.is_late;
        int r = late_collect(session, &rows, &n, reterr);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++)
                lost += 1 + rows[i].tells_intent;
        if (n == 0 && !is_open)
                return 0;
        r = n > 0 ? late_tell_degraded(session, false, lost, reterr) : 0;
        for (size_t i = n; i > 0 && r >= 0; i--)
                r = late_tell_tx(session, &rows[i - 1], reterr);
        return r < 0 ? r : late_tell_degraded(session, true, lost, reterr);
}
