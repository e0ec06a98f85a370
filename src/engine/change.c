/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/change.h"

#include <time.h>

#include "engine/change-record.h"
#include "engine/commit.h"
#include "engine/generation-store.h"
#include "engine/pending-file.h"
#include "engine/quarantine.h"
#include "engine/report.h"
#include "engine/tx-id.h"
#include "engine/window.h"
#include "record/generation-format.h"

/* Room for REVERT and DONE, whatever they say. */
#define CHANGE_CLOSING_FRAMES ((size_t) 8 * 1024)

typedef enum ChangeProgress {
        CHANGE_REHEARSE,
        CHANGE_WRITE,
        CHANGE_COMMIT,
} ChangeProgress;

static void change_deinit(Change *change) {
        fragment_deinit(&change->fragment);
        strbuf_deinit(&change->prepared);
        strbuf_deinit(&change->commit);
}

static void change_report(Change *change, ChangeProgress progress) {
        static const char *const steps[] = {
                [CHANGE_REHEARSE] = "rehearse",
                [CHANGE_WRITE] = "write",
                [CHANGE_COMMIT] = "commit",
        };
        const Engine *engine = change->session->engine;
        if (engine->progress)
                engine->progress(
                                engine->progress_userdata, steps[progress], (size_t) progress + 1,
                                ELEMENTSOF(steps), change->tx);
}

static int change_checkpoint(void *userdata, Error *reterr) {
        const Session *session = userdata;
        return generation_store_checkpoint(session->engine->seam, session->state.fd, reterr);
}

/* --- failing ------------------------------------------------------------------------------------------------ */

static void change_add_fault(Change *change, DiagId id) {
        static const char *const whats[] = {
                [APPLY_FAULT_NONE] = "is as it was",
                [APPLY_FAULT_READ_ONLY] = "cannot be opened for writing",
                [APPLY_FAULT_REHEARSAL] = "does not take its own present value back",
                [APPLY_FAULT_FOREIGN_WRITE] = "was changed by somebody else just now",
                [APPLY_FAULT_WRITE] = "does not take the value",
                [APPLY_FAULT_READ_BACK] = "shows another value than the one written",
        };
        Session *session = change->session;
        DiagList *findings = session->result->findings;
        const Apply *apply = &change->apply;
        const ApplyItem *item = apply->culprit;

        const char *target = session_text(session, item->spec, &item->target);
        Diag *d = diag_add(
                        findings, id, (Span){ 0 }, "'%s' %s", item->spec->key, whats[apply->fault]);
        diag_set_key(findings, d, item->spec->key);
        if (apply->error)
                diag_add_note(findings, d, "the kernel said: %s", strerror(apply->error));
        diag_add_note(findings, d, "the value was to be '%s'", target ? target : "?");
}

/* Nothing live was changed: the old state stands. */
static int change_refuse(Change *change, DiagId id, const Error *error) {
        EngineResult *result = change->session->result;
        session_add_error(change->session, id, error);
        result->outcome = "failed";
        return 0;
}

/* Keys that have neither their old value nor, for sure, the new one. */
static void change_tell_stuck(Change *change) {
        Session *session = change->session;
        EngineResult *result = session->result;
        const Apply *apply = &change->apply;

        for (size_t i = 0; i < apply->n_items; i++) {
                const ApplyItem *item = &apply->items[i];
                if (item->state != APPLY_STUCK)
                        continue;
                const char *before = session_text(session, item->spec, &item->before);
                Diag *d = diag_add(
                                result->findings, DIAG_STATE_UNKNOWN, (Span){ 0 },
                                "'%s' could not be put back to '%s'", item->spec->key,
                                before ? before : "?");
                diag_set_key(result->findings, d, item->spec->key);
                result->outcome = "unknown";
        }
}

static void change_tell_undone(Change *change) {
        EngineResult *result = change->session->result;
        bool wrote = change->apply.n_written > 0;

        change_add_fault(change, wrote ? DIAG_APPLY_UNDONE : DIAG_APPLY_FAILED);
        result->outcome = wrote ? "undone" : "failed";
}

/* After PREPARED: takes the writes back and closes the transaction. */
static int change_undo(Change *change, const char *cause, Error *reterr) {
        Session *session = change->session;
        Apply *apply = &change->apply;

        JournalRevert revert = {
                .cause = cause,
                .key = apply->culprit ? apply->culprit->spec->key : NULL,
                .error = apply->error,
        };
        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        Sha256 hash = change->prepared_hash;
        Error ignored = { 0 };
        /* Reverting never waits for a record of it: recovery would come to the same without the frame. */
        if (journal_revert_encode(&revert, &payload) >= 0)
                (void) !journal_append(
                                &session->journal, JOURNAL_REVERT, change->tx, &payload, &hash,
                                &ignored);

        int r = apply_undo(apply);
        if (r < 0)
                return error_set(reterr, r, "cannot take the values back");

        if (apply->culprit)
                change_tell_undone(change);
        change_tell_stuck(change);
        r = report_changes(session, change->plan, apply);
        if (r < 0)
                return error_set(reterr, r, "cannot report the values");

        bool conflicts = apply_count(apply, APPLY_FOREIGN) > 0;
        session->result->exit_code = diag_list_exit_code(session->result->findings);
        /* With a value that is stuck it stays open, for recovery to try again. */
        if (apply_count(apply, APPLY_STUCK) == 0)
                change_close(change, session->result->outcome,
                             conflicts ? "reverted-with-conflicts" : "reverted", &hash);
        if (change->has_window)
                pending_file_remove(session->engine->seam, session->engine->root_fd);
        session_publish(session, session->result->outcome, change->tx);
        return 0;
}

/* --- the steps ------------------------------------------------------------------------------------------------ */

/* Everything that can fail for lack of room or right, before the first live write. */
static int change_prepare(Change *change, Error *reterr) {
        Session *session = change->session;
        Plan *plan = change->plan;

        struct timespec now;
        (void) clock_gettime(CLOCK_REALTIME, &now);
        tx_id_new(change->tx);
        plan->next->tx = arena_copy(plan->next->arena, change->tx);
        plan->next->created_us = (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
        session->result->tx = arena_copy(session->arena, change->tx);
        if (!plan->next->tx || !session->result->tx)
                return error_set(reterr, -ENOMEM, "cannot start a transaction");

        int r = apply_init(plan, &change->planning->live, session->arena, &change->apply);
        if (r >= 0)
                r = generation_keep_encoded(plan->next);
        if (r >= 0)
                r = journal_commit_encode(
                                &(JournalCommit){ .generation = plan->next }, &change->commit);
        if (r >= 0)
                r = change_encode_prepared(change);
        if (r < 0 || change->commit.failed || change->prepared.failed)
                return error_set(reterr, r < 0 ? r : -ENOMEM, "cannot start a transaction");

        size_t need = journal_frame_size(change->commit.length) +
                      journal_frame_size(change->prepared.length) + CHANGE_CLOSING_FRAMES +
                      (change->has_window ? window_reserve(change) : 0);
        return journal_reserve(&session->journal, need, change_checkpoint, session, reterr);
}

static int change_finish(Change *change, Error *reterr) {
        Session *session = change->session;
        EngineResult *result = session->result;
        Sha256 hash;

        change_report(change, CHANGE_COMMIT);
        const JournalRecord records[] = {
                { JOURNAL_PREPARED, &change->prepared },
                { JOURNAL_COMMIT, &change->commit },
        };
        const Commit commit = {
                .tx = change->tx,
                .records = records,
                .n_records = ELEMENTSOF(records),
                .fragment = &change->fragment,
                .next = &change->plan->next,
        };
        if (commit_run(session, &commit, &hash) == COMMIT_E_UNKNOWN)
                return 0;

        int r = report_changes(session, change->plan, &change->apply);
        if (r < 0)
                return error_set(reterr, r, "cannot report the values");
        result->changed = true;
        result->generation = session->current->number;
        result->exit_code = diag_list_exit_code(result->findings);
        result->outcome = result->exit_code == 0 ? "applied" : "partly";
        change_close(change, result->outcome, "applied", &hash);
        session_publish(session, result->outcome, change->tx);
        return 0;
}

/* Live, and not decided. */
static int change_await(Change *change, Error *reterr) {
        Session *session = change->session;
        EngineResult *result = session->result;
        Error error = { 0 };

        int r = window_apply(change, &error);
        if (r < 0) {
                session_add_error(session, DIAG_STATE_UNWRITABLE, &error);
                result->outcome = "failed";
                return change_undo(change, "state-unwritable", reterr);
        }

        r = report_changes(session, change->plan, &change->apply);
        if (r < 0)
                return error_set(reterr, r, "cannot report the values");
        result->changed = true;
        result->generation = change->to;
        result->outcome = "pending";
        session_publish(session, "pending", change->tx);
        return 0;
}

/* Nothing that lasts has happened when this fails. */
static int change_rehearse(Change *change, Error *reterr) {
        Session *session = change->session;
        if (session->engine->files_only)
                return 0;

        change_report(change, CHANGE_REHEARSE);
        int r = apply_rehearse(&change->apply);
        if (r < 0)
                return error_set(reterr, r, "cannot rehearse");
        if (r == APPLY_E_FAULT) {
                bool read_only = change->apply.fault == APPLY_FAULT_READ_ONLY;
                change_add_fault(change, read_only ? DIAG_KEY_READ_ONLY : DIAG_REHEARSAL_FAILED);
                session->result->outcome = "refused";
                change_tell_stuck(change);
        }
        return r;
}

static int change_write(Change *change, Error *reterr) {
        if (change->session->engine->files_only)
                return 0;

        change_report(change, CHANGE_WRITE);
        int r = apply_write(&change->apply);
        return r < 0 ? error_set(reterr, r, "cannot write the values") : r;
}

/* PREPARED stands in the journal, and nothing was written. */
static void change_withdraw(Change *change) {
        Session *session = change->session;
        Sha256 hash;
        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        Error ignored = { 0 };

        JournalDone done = {
                .outcome = "reverted",
                .generation = session->current ? session->current->number : 0,
        };
        /* Without it recovery finds a transaction that wrote nothing, and closes it. */
        if (journal_done_encode(&done, &payload) >= 0)
                (void) !journal_append(
                                &session->journal, JOURNAL_DONE, change->tx, &payload, &hash,
                                &ignored);
}

/* Going back is never kept waiting by the log: what it misses is told later (engine/late-audit.h). */
static bool change_needs_audit(const Change *change) {
        return change->session->request->verb != ENGINE_ROLLBACK;
}

/* An intent that cannot be written refuses the change. */
static int change_refuse_unaudited(Change *change, const Error *error) {
        change_withdraw(change);
        return change_refuse(change, DIAG_AUDIT_UNWRITABLE, error);
}

/* With a window: the guard has to hold the deadline before the first write. */
static int change_arm(Change *change, Error *reterr) {
        Session *session = change->session;
        int r = change->has_window ? window_arm(change, reterr) : 0;
        if (r != WINDOW_E_REFUSED)
                return r;

        session->result->exit_code = diag_list_exit_code(session->result->findings);
        change_close(change, session->result->outcome, "reverted", &change->prepared_hash);
        return r;
}

/* What lasts is made ready before the first write, unless it is made by whoever confirms. */
static int change_prepare_fragment(Change *change, Error *reterr) {
        const Engine *engine = change->session->engine;
        const Plan *plan = change->plan;
        return change->has_window
                               ? 0
                               : fragment_prepare(
                                                 engine->seam, engine->root_fd, plan->fragment,
                                                 plan->fragment_length, &change->fragment, reterr);
}

static int change_execute(Change *change, Error *reterr) {
        Session *session = change->session;
        Error error = { 0 };

        int r = session_open_audit(session, &error);
        if (r < 0 && change_needs_audit(change))
                return change_refuse(change, DIAG_AUDIT_UNWRITABLE, &error);
        r = change_prepare(change, &error);
        if (r < 0)
                return change_refuse(change, DIAG_STATE_UNWRITABLE, &error);
        r = change_rehearse(change, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        r = change_prepare_fragment(change, &error);
        if (r < 0)
                return change_refuse(change, DIAG_FRAGMENT_UNWRITABLE, &error);

        r = journal_append(
                        &session->journal, JOURNAL_PREPARED, change->tx, &change->prepared,
                        &change->prepared_hash, &error);
        if (r < 0)
                return change_refuse(change, DIAG_STATE_UNWRITABLE, &error);
        r = change_audit(change, AUDIT_INTENT, NULL, &change->prepared_hash, &error);
        if (r < 0 && change_needs_audit(change))
                return change_refuse_unaudited(change, &error);
        r = change_arm(change, reterr);
        if (r != 0)
                return r < 0 ? r : 0;

        r = change_write(change, reterr);
        if (r == APPLY_E_FAULT)
                return change_undo(change, apply_fault_name(change->apply.fault), reterr);
        if (r < 0)
                return r;
        return change->has_window ? change_await(change, reterr) : change_finish(change, reterr);
}

/* Before anything is done: what would be done, for dry runs, refusals and no-ops. */
static int change_describe(Session *session, const Plan *plan, const char *outcome, Error *reterr) {
        EngineResult *result = session->result;
        int r = report_changes(session, plan, NULL);
        if (r < 0)
                return error_set(reterr, r, "cannot report the plan");

        if (plan->fragment) {
                result->fragment = arena_copy_n(
                                session->arena, plan->fragment, plan->fragment_length);
                if (!result->fragment)
                        return error_set(reterr, -ENOMEM, "cannot report the plan");
        }
        result->outcome = outcome;
        return 0;
}

/* What the plan does not judge: what is quarantined, and whether there can be a window. */
static int change_check(Session *session, const Plan *plan) {
        const EngineRequest *request = session->request;
        Error error = { 0 };
        int r = window_is_asked(request) ? window_check(session) : 0;
        if (r != 0 || request->verb != ENGINE_ENABLE)
                return r;

        r = quarantine_check(session, plan->next, &error);
        if (r == QUARANTINE_E_REFUSED)
                session->result->outcome = "refused";
        if (r >= 0 || r == -ENOMEM)
                return r;
        session_add_error(session, DIAG_STATE_UNWRITABLE, &error);
        session->result->outcome = "failed";
        return QUARANTINE_E_REFUSED;
}

int change_run(Session *session, Error *reterr) {
        EngineResult *result = session->result;
        result->generation_before = session->current ? session->current->number : 0;
        result->generation = result->generation_before;

        CLEANUP(planning_deinit) Planning planning = { 0 };
        CLEANUP(plan_freep) Plan *plan = NULL;
        int r = planning_run(session, &planning, &plan, reterr);
        if (r != 0)
                return r < 0 ? r : 0;

        if (plan->is_noop)
                return change_describe(session, plan, "unchanged", reterr);
        r = change_check(session, plan);
        if (r != 0)
                return r < 0 ? error_set(reterr, r, "cannot change") : 0;
        if (session->request->dry_run) {
                result->generation = plan->next->number;
                return change_describe(session, plan, "planned", reterr);
        }

        r = change_describe(session, plan, "planned", reterr);
        if (r < 0)
                return r;
        CLEANUP(change_deinit)
        Change change = {
                .session = session,
                .planning = &planning,
                .plan = plan,
                .to = plan->next->number,
                .has_window = window_is_asked(session->request),
                .fragment = { .dir = SEAM_FD_EMPTY },
        };
        return change_execute(&change, reterr);
}
