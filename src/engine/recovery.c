/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/recovery.h"

#include "engine/audit-trail.h"
#include "engine/choice.h"
#include "engine/install.h"
#include "engine/leaving.h"
#include "engine/make-live.h"
#include "engine/pending-file.h"
#include "engine/quarantine.h"
#include "engine/report.h"
#include "engine/restore.h"
#include "engine/revert.h"
#include "engine/upkeep.h"

typedef struct Recovery {
        Session *session;
        const JournalFrame *last; /* of the undecided transaction */
        JournalPrepared prepared;
        bool has_prepared;
        bool is_stuck;       /* the kernel does not take an old value back */
        const char *outcome; /* of the transaction: DONE and audit */
        const AuditKey *keys;
        size_t n_keys;
} Recovery;

static Diag *recovery_add(Recovery *recovery, DiagId id, const char *text) {
        return diag_add(recovery->session->result->findings, id, (Span){ 0 }, "%s", text);
}

/* --- undo ------------------------------------------------------------------------------------------------- */

static int recovery_undo(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        const JournalPrepared *prepared = &recovery->prepared;

        CLEANUP(restore_close) Restore restore = { 0 };
        int r = restore_undo(session, prepared->keys, prepared->n_keys, &restore, reterr);
        if (r < 0)
                return r;

        recovery->keys = restore.keys;
        recovery->n_keys = restore.n_keys;
        recovery->is_stuck = restore.n_stuck > 0;
        if (recovery->is_stuck)
                return 0;

        recovery->outcome = restore.n_kept > 0 ? "reverted-with-conflicts" : "reverted";
        Diag *d = recovery_add(
                        recovery, DIAG_RECOVERED,
                        "a change that was cut off was taken back: every value is as it was before it");
        diag_add_note(session->result->findings, d, "transaction %s", recovery->last->tx);
        return 0;
}

/* --- redo --------------------------------------------------------------------------------------------------- */

/* What is told of a redo: the generation's keys, then those that left it. */
static int recovery_report_leaving(Recovery *recovery, const Restore *restore) {
        AuditKey *keys = arena_alloc_array(
                        recovery->session->arena, recovery->n_keys + restore->n_keys + 1,
                        sizeof(AuditKey));
        if (!keys)
                return -ENOMEM;
        if (recovery->n_keys > 0)
                memcpy(keys, recovery->keys, recovery->n_keys * sizeof(AuditKey));

        for (size_t i = 0; i < restore->n_keys; i++) {
                AuditKey *key = &keys[recovery->n_keys++];
                *key = restore->keys[i];
                key->before = NULL;
                if (streq(key->outcome, "undone"))
                        key->outcome = "restored";
        }
        recovery->keys = keys;
        recovery->is_stuck = restore->n_stuck > 0;
        return 0;
}

/* The power went between COMMIT and the new fragment, so systemd-sysctl has just applied the old one: a key that was
 * to leave stands at its old value again (engine/leaving.h). What stands at any other value is the boot's own, and nothing to tell. */
static int recovery_restore_leaving(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        CLEANUP(restore_close) Restore restore = { 0 };
        const JournalKey *keys;
        size_t n_keys;

        int r = leaving_list(session, &recovery->prepared, &keys, &n_keys, reterr);
        if (r >= 0)
                r = restore_open(session, keys, n_keys, &restore, reterr);
        restore.is_silent = true;
        for (size_t i = 0; r >= 0 && i < n_keys; i++)
                r = restore_add(&restore, keys[i].key, keys[i].before, keys[i].want, reterr);
        if (r >= 0)
                r = restore_run(&restore, reterr);
        if (r < 0)
                return r;
        r = recovery_report_leaving(recovery, &restore);
        return r < 0 ? error_set(reterr, r, "cannot recover") : 0;
}

static int recovery_redo(Recovery *recovery, bool same_boot, Error *reterr) {
        Session *session = recovery->session;

        int r = session_load(session, reterr);
        if (r < 0)
                return r;
        r = install_generation(session, reterr);
        if (r < 0)
                return r;

        MakeLive made = { .write = !same_boot };
        if (!session->engine->files_only) {
                r = make_live_run(session, &made, reterr);
                if (r < 0)
                        return r;
        }
        recovery->keys = made.keys;
        recovery->n_keys = made.n_keys;
        recovery->outcome = "redone";
        if (recovery->has_prepared && !same_boot && !session->engine->files_only) {
                r = recovery_restore_leaving(recovery, reterr);
                if (r < 0 || recovery->is_stuck)
                        return r;
        }
        Diag *d = recovery_add(
                        recovery, DIAG_REDONE,
                        "a committed change that was cut off is complete now");
        diag_add_note(session->result->findings, d, "transaction %s", recovery->last->tx);
        return 0;
}

/* --- deciding ----------------------------------------------------------------------------------------------- */

/* What the guard wrote into the journal before it died over taking the change back. */
static int recovery_add_cause(const Recovery *recovery, AuditRecord *record, Error *reterr) {
        const JournalFrame *frame = recovery->last;
        if (frame->type != JOURNAL_REVERT || record->event != AUDIT_OUTCOME)
                return 0;

        JournalRevert revert;
        int r = journal_revert_decode(frame, recovery->session->arena, &revert, reterr);
        if (r >= 0 && revert_is_automatic(revert.cause)) {
                record->cause = revert.cause;
                record->evidence = revert.evidence;
        }
        return r;
}

/* Tells how the transaction ended, once: where the process died behind its outcome, that one stands; where it died
 * before its intent, there is nothing that an outcome could belong to, and the record is of the recovery alone. */
static int recovery_audit(Recovery *recovery, JournalDone *done, Error *reterr) {
        Session *session = recovery->session;
        const Generation *current = session->current;
        const JournalPrepared *prepared = recovery->has_prepared ? &recovery->prepared : NULL;

        AuditTrail trail;
        int r = session_open_audit(session, reterr);
        if (r >= 0)
                r = audit_trail_find(
                                &session->audit, recovery->last->tx,
                                prepared ? prepared->audit_seq : 0, &trail, reterr);
        if (r < 0)
                return r;
        if (trail.has_outcome) {
                done->audit_seq = trail.outcome.seq;
                done->audit_hash = trail.outcome.hash;
                return 0;
        }

        AuditRecord record = {
                .event = trail.has_intent ? AUDIT_OUTCOME : AUDIT_RECOVER,
                .tx = recovery->last->tx,
                .verb = prepared ? prepared->verb : "recover",
                .keys = recovery->keys,
                .n_keys = recovery->n_keys,
                .generation_from = prepared ? prepared->from : 0,
                .generation_to = current ? current->number : 0,
                .outcome = recovery->outcome,
                .exit_code = diag_list_exit_code(session->result->findings),
                .has_frame = true,
                .frame = recovery->last->hash,
        };
        r = recovery_add_cause(recovery, &record, reterr);
        if (r < 0)
                return r;
        r = report_audit_profiles(session, current, &record.profiles, &record.n_profiles);
        if (r < 0)
                return error_set(reterr, r, "cannot write the audit log");

        r = session_audit(session, &record, &done->audit_hash, reterr);
        if (r >= 0)
                done->audit_seq = session->audit.head.seq;
        return r;
}

/* The audit record and DONE; a failing audit does not keep us from settling. */
static int recovery_close(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        Error error = { 0 };
        Sha256 hash;

        JournalDone done = {
                .outcome = recovery->outcome,
                .generation = session->current ? session->current->number : 0,
        };
        int r = recovery_audit(recovery, &done, &error);
        if (r < 0) {
                session->audit_error = r;
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        }

        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        r = journal_done_encode(&done, &payload);
        if (r < 0)
                return error_set(reterr, r, "cannot close the transaction");
        r = journal_append(
                        &session->journal, JOURNAL_DONE, recovery->last->tx, &payload, &hash,
                        reterr);
        if (r == -ENOSPC) {
                error_reset(reterr);
                r = journal_rewrite(
                                &session->journal, recovery->last->tx,
                                &(JournalRecord){ JOURNAL_DONE, &payload }, 1, &hash, reterr);
        }
        return r;
}

static int recovery_refuse_namespace(Recovery *recovery) {
        Diag *d = recovery_add(
                        recovery, DIAG_OTHER_NAMESPACE,
                        "an unfinished change belongs to another network namespace than this one");
        diag_set_help(recovery->session->result->findings, d,
                      "run 'twprofile recover' in the namespace where it was made, or reboot");
        return RECOVERY_E_REFUSED;
}

/* Whoever asked for recovery itself learns which change it was, and from where to where it went. */
static int recovery_tell(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        EngineResult *result = session->result;
        if (session->request->verb != ENGINE_RECOVER)
                return 0;

        result->tx = arena_copy(session->arena, recovery->last->tx);
        if (!result->tx)
                return error_set(reterr, -ENOMEM, "cannot recover");
        result->generation = session->current ? session->current->number : 0;
        result->generation_before = recovery->has_prepared ? recovery->prepared.from
                                                           : result->generation;
        return 0;
}

/* Who took it back: what the journal says, else the death in the middle of it. */
static int recovery_quarantine(Recovery *recovery, bool same_boot, Error *reterr) {
        Session *session = recovery->session;
        const JournalPrepared *prepared = &recovery->prepared;
        if (!prepared->has_window || prepared->window_s == 0)
                return 0;

        JournalRevert revert = { .cause = same_boot ? NULL : "reboot" };
        const JournalFrame *frame = journal_find_last(
                        &session->journal, JOURNAL_REVERT, recovery->last->tx);
        if (frame) {
                int r = journal_revert_decode(frame, session->arena, &revert, reterr);
                if (r < 0)
                        return r;
                if (!revert_is_automatic(revert.cause))
                        revert.cause = NULL;
        }
        if (revert.cause)
                quarantine_add(session, prepared->profiles, prepared->n_profiles, &revert,
                               recovery->last->tx);
        return 0;
}

static int recovery_take_back(Recovery *recovery, bool same_boot, Error *reterr) {
        Session *session = recovery->session;
        int r = session_load(session, reterr);
        if (r < 0)
                return r;

        if (same_boot && !session->engine->files_only) {
                r = recovery_undo(recovery, reterr);
                if (r < 0)
                        return r;
        } else {
                recovery->outcome = "dropped-by-reboot";
                (void) recovery_add(
                                recovery, DIAG_DROPPED_BY_REBOOT,
                                "a change was cut off by a reboot: nothing of it is left");
        }
        return recovery->is_stuck ? 0 : recovery_quarantine(recovery, same_boot, reterr);
}

static int recovery_settle(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        const Instance *here = &session->engine->instance;
        const Instance *there = &recovery->prepared.instance;
        bool same_boot = recovery->has_prepared && streq(here->boot_id, there->boot_id);

        if (same_boot && !session->engine->files_only && here->netns_inode != there->netns_inode)
                return recovery_refuse_namespace(recovery);

        int r = journal_flush(&session->journal, reterr);
        if (r < 0)
                return r;
        upkeep_sweep(session);

        r = recovery->last->type == JOURNAL_COMMIT
                            ? recovery_redo(recovery, same_boot, reterr)
                            : recovery_take_back(recovery, same_boot, reterr);
        if (r < 0)
                return r;
        if (recovery->is_stuck && choice_is_made(session)) {
                r = choice_run(session, reterr);
                if (r != CHOICE_E_STUCK)
                        return r < 0 ? r : RECOVERY_E_CHOSEN;
        }
        if (recovery->is_stuck) {
                /* Stays open: the next entry tries again, and a reboot ends it. */
                session_publish(session, "unknown", recovery->last->tx);
                return RECOVERY_E_REFUSED;
        }

        r = recovery_close(recovery, reterr);
        if (recovery->prepared.has_window)
                pending_file_remove(session->engine->seam, session->engine->root_fd);
        if (r >= 0)
                session_publish(session, recovery->outcome, recovery->last->tx);
        return r < 0 ? r : recovery_tell(recovery, reterr);
}

/* Unless the caller says what shall be done about it. */
static int recovery_refuse_corrupt(
                Session *session, const char *text, const Error *error, Error *reterr) {
        if (choice_is_made(session)) {
                int r = choice_run(session, reterr);
                if (r == CHOICE_E_STUCK)
                        return RECOVERY_E_REFUSED;
                return r < 0 ? r : RECOVERY_E_CHOSEN;
        }

        DiagList *findings = session->result->findings;
        Diag *d = diag_add(findings, DIAG_JOURNAL_CORRUPT, (Span){ 0 }, "%s", text);
        if (error && error_is_set(error))
                diag_add_note(findings, d, "%s", error->text);
        diag_add_note(findings, d, "nothing was touched");
        diag_set_help(findings, d,
                      "run 'twprofile recover --choice=base' to restore what was before, or --choice=keep "
                      "to keep the live values");
        return RECOVERY_E_REFUSED;
}

/* --- what awaits confirmation --------------------------------------------------------------------------------- */

/* The guard needs it, and somebody may have removed it. */
static int recovery_keep_pending(Session *session, Error *reterr) {
        const Engine *engine = session->engine;
        return pending_file_exists(engine->seam, engine->root_fd)
                               ? 0
                               : undecided_write_pending(session, reterr);
}

static int recovery_expire(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        EngineResult *result = session->result;

        int r = session_load(session, reterr);
        if (r < 0)
                return r;
        (void) recovery_add(
                        recovery, DIAG_WINDOW_EXPIRED,
                        "a change that was not confirmed in time has been taken back");
        r = revert_run(session, &(Revert){ .cause = "deadline" }, reterr);
        if (r < 0)
                return r;
        if (streq(result->outcome, "unknown"))
                return RECOVERY_E_REFUSED;
        if (session->request->verb == ENGINE_RECOVER)
                return 0;

        /* The request that comes now has its own story to tell. */
        result->tx = "";
        result->changes = NULL;
        result->n_changes = 0;
        result->changed = false;
        result->outcome = "failed";
        return 0;
}

/* APPLIED, of this boot: stays until its deadline. The guard comes to take it back with a cause of its own. */
static int recovery_await(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        const Instance *here = &session->engine->instance;
        const JournalFrame *prepared = journal_find_last(
                        &session->journal, JOURNAL_PREPARED, recovery->last->tx);

        Error error = { 0 };
        int r = undecided_load(session, prepared, recovery->last, &session->undecided, &error);
        if (r == -EBADMSG)
                return recovery_refuse_corrupt(
                                session, "the journal cannot be understood", &error, reterr);
        if (r < 0)
                return error_set(reterr, r, "cannot recover");
        if (here->netns_inode != recovery->prepared.instance.netns_inode)
                return recovery_refuse_namespace(recovery);

        if (session->request->verb == ENGINE_REVERT)
                return 0;
        return undecided_is_expired(session, session->undecided)
                               ? recovery_expire(recovery, reterr)
                               : recovery_keep_pending(session, reterr);
}

static bool recovery_is_awaiting(const Recovery *recovery) {
        const Engine *engine = recovery->session->engine;
        return recovery->last->type == JOURNAL_APPLIED && recovery->has_prepared &&
               !engine->files_only &&
               streq(engine->instance.boot_id, recovery->prepared.instance.boot_id);
}

static int recovery_upkeep(Session *session, Error *reterr) {
        if (!session->undecided)
                pending_file_remove(session->engine->seam, session->engine->root_fd);
        return upkeep_run(session, reterr);
}

/* 0, RECOVERY_E_REFUSED or <0. */
static int recovery_read_prepared(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;
        const JournalFrame *prepared = journal_find_last(
                        &session->journal, JOURNAL_PREPARED, recovery->last->tx);
        if (!prepared)
                return 0;

        Error error = { 0 };
        int r = journal_prepared_decode(prepared, session->arena, &recovery->prepared, &error);
        if (r == -EBADMSG)
                return recovery_refuse_corrupt(
                                session, "the journal cannot be understood", &error, reterr);
        if (r < 0)
                return error_set(reterr, r, "cannot recover");
        recovery->has_prepared = true;
        return 0;
}

int recovery_run(Session *session, bool at_boot, Error *reterr) {
        const JournalScan *scan = &session->journal.scan;
        if (scan->tail == JOURNAL_TAIL_CORRUPT)
                return recovery_refuse_corrupt(
                                session,
                                "the journal is damaged in its middle: it cannot say what was decided",
                                NULL, reterr);

        Recovery recovery = { .session = session };
        if (scan->n_frames > 0)
                recovery.last = &scan->frames[scan->n_frames - 1];
        int r = 0;
        if (recovery.last && recovery.last->type != JOURNAL_DONE) {
                r = recovery_read_prepared(&recovery, reterr);
                if (r == 0)
                        r = recovery_is_awaiting(&recovery) ? recovery_await(&recovery, reterr)
                                                            : recovery_settle(&recovery, reterr);
        }
        return r == 0 && at_boot ? recovery_upkeep(session, reterr) : r;
}
