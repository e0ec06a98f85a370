/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/revert.h"

#include "engine/pending-file.h"
#include "engine/quarantine.h"
#include "engine/report.h"
#include "engine/restore.h"
#include "engine/token.h"

bool revert_is_automatic(const char *cause) {
        return streq(cause, "deadline") || streq(cause, "gate");
}

/* --- journal and audit ------------------------------------------------------------------------------------------ */

static void revert_note(Session *session, const Revert *why, Sha256 *frame) {
        const Undecided *undecided = session->undecided;
        const JournalRevert revert = { .cause = why->cause, .evidence = why->evidence };
        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        Error ignored = { 0 };

        *frame = undecided->applied_frame->hash;
        /* Recovery would come to the same without the frame; the cause would be lost. */
        if (journal_revert_encode(&revert, &payload) >= 0 &&
            journal_append(&session->journal, JOURNAL_REVERT, undecided->tx, &payload, frame,
                           &ignored) >= 0)
                (void) !journal_flush(&session->journal, &ignored);
}

static int revert_audit(
                Session *session, const Restore *restore, const Revert *why, const Sha256 *frame,
                Error *reterr) {
        const Undecided *undecided = session->undecided;
        uint64_t number = session->current ? session->current->number : 0;
        AuditRecord record = {
                .event = AUDIT_OUTCOME,
                .tx = undecided->tx,
                .verb = streq(why->cause, "user") ? "rollback" : "revert",
                .cause = revert_is_automatic(why->cause) ? why->cause : NULL,
                .evidence = why->evidence,
                .keys = restore->keys,
                .n_keys = restore->n_keys,
                .generation_from = undecided->prepared.to,
                .generation_to = number,
                .outcome = session->result->outcome,
                .exit_code = diag_list_exit_code(session->result->findings),
                .has_frame = true,
                .frame = *frame,
        };
        int r = report_audit_profiles(
                        session, session->current, &record.profiles, &record.n_profiles);
        if (r < 0)
                return error_set(reterr, r, "cannot write the audit log");
        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

static void revert_close(
                Session *session, const Restore *restore, const Revert *why, const Sha256 *frame) {
        Error error = { 0 };
        JournalDone done = {
                .outcome = restore->n_kept > 0 ? "reverted-with-conflicts" : "reverted",
                .generation = session->current ? session->current->number : 0,
        };
        if (revert_audit(session, restore, why, frame, &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        else {
                done.audit_seq = session->audit.head.seq;
                done.audit_hash = session->audit.head.hash;
        }

        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        Sha256 hash;
        error_reset(&error);
        if (journal_done_encode(&done, &payload) < 0 ||
            journal_append(&session->journal, JOURNAL_DONE, session->undecided->tx, &payload, &hash,
                           &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
}

/* --- the act ---------------------------------------------------------------------------------------------------- */

static int revert_tell(Session *session, const Restore *restore, Error *reterr) {
        EngineResult *result = session->result;
        uint64_t number = session->current ? session->current->number : 0;

        result->tx = arena_copy(session->arena, session->undecided->tx);
        if (!result->tx || restore_report(restore) < 0)
                return error_set(reterr, -ENOMEM, "cannot report what was taken back");
        result->generation_before = number;
        result->generation = number;
        result->changed = true;
        result->outcome = restore->n_stuck > 0 ? "unknown" : "reverted";
        return 0;
}

int revert_run(Session *session, const Revert *why, Error *reterr) {
        const Engine *engine = session->engine;
        const Undecided *undecided = session->undecided;
        CLEANUP(restore_close) Restore restore = { 0 };
        Sha256 frame;

        revert_note(session, why, &frame);
        int r = restore_undo(
                        session, undecided->prepared.keys, undecided->prepared.n_keys, &restore,
                        reterr);
        if (r < 0)
                return r;

        if (revert_is_automatic(why->cause))
                quarantine_add(session, undecided->prepared.profiles,
                               undecided->prepared.n_profiles,
                               &(JournalRevert){ .cause = why->cause, .evidence = why->evidence },
                               undecided->tx);
        r = revert_tell(session, &restore, reterr);
        if (r < 0)
                return r;

        /* With a value that is stuck it stays open, for recovery to try again. */
        if (restore.n_stuck == 0)
                revert_close(session, &restore, why, &frame);
        pending_file_remove(engine->seam, engine->root_fd);
        session->undecided = undecided_release(session->undecided);
        session_publish(session, session->result->outcome, session->result->tx);
        return 0;
}

int revert_by_user(Session *session, Error *reterr) {
        return revert_run(session, &(Revert){ .cause = "user" }, reterr);
}

static void revert_add_cause(Session *session, const Revert *why) {
        DiagList *findings = session->result->findings;
        if (streq(why->cause, "gate"))
                (void) diag_add(findings, DIAG_REVERTED_BY_GATE, (Span){ 0 },
                                "the health gate took the change back: %s",
                                why->evidence ? why->evidence : "no numbers were given");
        else
                (void) diag_add(findings, DIAG_REVERTED_AT_DEADLINE, (Span){ 0 },
                                "the change was not confirmed in time and was taken back");
}

static Revert revert_cause_of(const EngineRequest *request) {
        bool gate = request->cause && streq(request->cause, "gate");
        return (Revert){ .cause = gate ? "gate" : "deadline", .evidence = request->evidence };
}

/* Only the gate comes before the deadline. What the guard went by is untrue then: whoever calls writes it anew. */
static bool revert_is_early(const Session *session, const Revert *why, int64_t deadline_ms) {
        return !streq(why->cause, "gate") &&
               (deadline_ms == 0 || session_now_ms(session) < deadline_ms);
}

static int revert_refuse_early(Session *session, int64_t deadline_ms) {
        DiagList *findings = session->result->findings;
        if (deadline_ms == 0)
                (void) diag_add(findings, DIAG_DEADLINE_NOT_PASSED, (Span){ 0 },
                                "the change has no deadline");
        else
                (void) diag_add(findings, DIAG_DEADLINE_NOT_PASSED, (Span){ 0 },
                                "the deadline of the change is %lld s from now",
                                (long long) (deadline_ms - session_now_ms(session) + 999) / 1000);
        session->result->deadline_ms = deadline_ms;
        session->result->outcome = "refused";
        return 0;
}

/* --- without the state directory -------------------------------------------------------------------------------- */

static int revert_refuse_pending(Session *session, const Error *broken, const char *what) {
        DiagList *findings = session->result->findings;
        Diag *d = diag_add(findings, DIAG_STATE_UNKNOWN, (Span){ 0 }, "%s", what);
        diag_add_note(findings, d, "%s", broken->text);
        diag_set_help(findings, d, "mend the disk, then run 'twprofile recover', or reboot");
        session->result->outcome = "unknown";
        return 0;
}

int revert_without_state(Session *session, const Error *broken, Error *reterr) {
        const Engine *engine = session->engine;
        EngineResult *result = session->result;
        Pending pending;
        Error error = { 0 };

        int r = pending_file_read(engine->seam, engine->root_fd, session->arena, &pending, &error);
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot take the change back");
        if (r < 0)
                return revert_refuse_pending(session, broken, error.text);
        if (!instance_equal(&pending.instance, &engine->instance))
                return revert_refuse_pending(
                                session, broken,
                                "what awaits confirmation is of another boot or namespace");

        Revert why = revert_cause_of(session->request);
        if (revert_is_early(session, &why, pending.deadline_ms))
                return revert_refuse_early(session, pending.deadline_ms);

        CLEANUP(restore_close) Restore restore = { 0 };
        r = restore_undo(session, pending.keys, pending.n_keys, &restore, reterr);
        if (r < 0)
                return r;

        revert_add_cause(session, &why);
        (void) diag_add(result->findings, DIAG_REVERTED_WITHOUT_STATE, (Span){ 0 },
                        "the change was taken back from the copy in /run: %s", broken->text);
        result->tx = arena_copy(session->arena, pending.tx);
        if (!result->tx || restore_report(&restore) < 0)
                return error_set(reterr, -ENOMEM, "cannot report what was taken back");
        result->changed = true;
        result->outcome = restore.n_stuck > 0 ? "unknown" : "reverted";
        /* Else the guard would be started again at once. The journal still has the change; it is past its deadline. */
        pending_file_remove(engine->seam, engine->root_fd);
        return 0;
}

/* --- the guard -------------------------------------------------------------------------------------------------- */

/* Decided meanwhile, by whoever had the lock before: then there is nothing to watch any more. */
static int revert_refuse_decided(Session *session) {
        (void) diag_add(session->result->findings, DIAG_NOTHING_UNDECIDED, (Span){ 0 },
                        "no change awaits confirmation");
        session->result->outcome = "not-found";
        return 0;
}

/* A change that /run knows of and the journal does not was lost with its frames, which nobody had to flush. */
static bool revert_is_lost(Session *session) {
        const Engine *engine = session->engine;
        const JournalScan *scan = &session->journal.scan;
        Pending pending;
        Error ignored = { 0 };
        if (pending_file_read(engine->seam, engine->root_fd, session->arena, &pending, &ignored) <
            0)
                return false;

        bool known = !instance_equal(&pending.instance, &engine->instance);
        for (size_t i = 0; i < scan->n_frames && !known; i++)
                known = streq(scan->frames[i].tx, pending.tx);
        return !known;
}

int revert_by_guard(Session *session, Error *reterr) {
        const EngineRequest *request = session->request;
        const Engine *engine = session->engine;
        const Undecided *undecided = session->undecided;

        if (!undecided && revert_is_lost(session)) {
                Error lost = { 0 };
                (void) snprintf(lost.text, sizeof(lost.text), "the journal does not know of it");
                return revert_without_state(session, &lost, reterr);
        }
        if (!undecided) {
                pending_file_remove(engine->seam, engine->root_fd);
                return revert_refuse_decided(session);
        }
        if (request->token && !token_is_of(request->token, undecided->tx))
                return revert_refuse_decided(session);

        Revert why = revert_cause_of(request);
        if (revert_is_early(session, &why, undecided->applied.deadline_ms)) {
                int r = undecided_write_pending(session, reterr);
                return r < 0 ? r : revert_refuse_early(session, undecided->applied.deadline_ms);
        }
        revert_add_cause(session, &why);
        return revert_run(session, &why, reterr);
}
