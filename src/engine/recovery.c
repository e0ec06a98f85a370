/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/recovery.h"

#include <fcntl.h>

#include "engine/apply.h"
#include "engine/fragment.h"
#include "engine/generation-store.h"
#include "engine/live-set.h"
#include "engine/make-live.h"
#include "engine/paths.h"
#include "engine/report.h"
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

/* The item that apply_undo() brings from one value to another, where it still has the first. */
static int recovery_add_item(
                Session *session, const SysctlSpec *spec, const char *from, const char *to,
                LiveSet *live, Apply *apply) {
        const LiveKey *key = live_find(&live->snapshot, spec);
        ApplyItem item = {
                .spec = spec,
                .file = live_set_find(live, spec),
                .is_absent = key && key->state == LIVE_ABSENT,
                .state = APPLY_WRITTEN, /* perhaps: undo looks at the value itself */
        };
        int r = sysctl_value_from_kernel(spec, to, strlen(to), session->arena, &item.before);
        if (r >= 0)
                r = sysctl_value_from_kernel(
                                spec, from, strlen(from), session->arena, &item.target);
        if (r < 0)
                return r;

        apply->written[apply->n_written++] = apply->n_items;
        apply->items[apply->n_items++] = item;
        return 0;
}

static int recovery_compare_specs(const void *a, const void *b) {
        return strcmp((*(const SysctlSpec *const *) a)->key, (*(const SysctlSpec *const *) b)->key);
}

static int recovery_open_live(Recovery *recovery, LiveSet *ret, Error *reterr) {
        Session *session = recovery->session;
        const JournalPrepared *prepared = &recovery->prepared;

        const SysctlSpec **specs = arena_alloc_array(
                        session->arena, prepared->n_keys + 1, sizeof(const SysctlSpec *));
        if (!specs)
                return error_set(reterr, -ENOMEM, "cannot recover");

        size_t n = 0;
        for (size_t i = 0; i < prepared->n_keys; i++) {
                const SysctlSpec *spec = catalogue_find(prepared->keys[i].key);
                if (spec)
                        specs[n++] = spec;
        }
        qsort(specs, n, sizeof(const SysctlSpec *), recovery_compare_specs);
        return live_set_open(
                        &(SeamFd){ session->engine->seam, session->engine->root_fd }, specs, n,
                        session->arena, ret, reterr);
}

static int recovery_report_undo(Recovery *recovery, const Apply *apply) {
        static const char *const words[] = {
                [APPLY_WAITING] = "untouched", [APPLY_WRITTEN] = "untouched",
                [APPLY_UNDONE] = "undone",     [APPLY_FOREIGN] = "left",
                [APPLY_STUCK] = "stuck",       [APPLY_VANISHED] = "gone",
        };
        Session *session = recovery->session;
        DiagList *findings = session->result->findings;
        AuditKey *keys = arena_alloc_array(session->arena, apply->n_items + 1, sizeof(AuditKey));
        if (!keys)
                return -ENOMEM;

        for (size_t i = 0; i < apply->n_items; i++) {
                const ApplyItem *item = &apply->items[i];
                keys[i] = (AuditKey){
                        .key = item->spec->key,
                        .before = session_text(session, item->spec, &item->target),
                        .wanted = session_text(session, item->spec, &item->before),
                        .after = item->has_after ? session_text(session, item->spec, &item->after)
                                                 : NULL,
                        .outcome = words[item->state],
                };
                if (item->state != APPLY_FOREIGN && item->state != APPLY_STUCK)
                        continue;

                bool stuck = item->state == APPLY_STUCK;
                Diag *d = diag_add(
                                findings, stuck ? DIAG_STATE_UNKNOWN : DIAG_FOREIGN_VALUE_KEPT,
                                (Span){ 0 },
                                stuck ? "'%s' could not be put back to '%s'"
                                      : "'%s' is left as it is: somebody else changed it from '%s'",
                                item->spec->key, stuck ? keys[i].wanted : keys[i].before);
                diag_set_key(findings, d, item->spec->key);
        }

        recovery->keys = keys;
        recovery->n_keys = apply->n_items;
        return 0;
}

/* Undo takes every key of the transaction back. Redo (`leaving`) takes those forward that are not in the new
 * generation any more. */
static int recovery_collect(
                Recovery *recovery, bool leaving, LiveSet *live, Apply *ret, Error *reterr) {
        Session *session = recovery->session;
        const JournalPrepared *prepared = &recovery->prepared;

        Apply apply = {
                .items = arena_alloc_array(session->arena, prepared->n_keys + 1, sizeof(ApplyItem)),
                .written = arena_alloc_array(session->arena, prepared->n_keys + 1, sizeof(size_t)),
                .arena = session->arena,
        };
        if (!apply.items || !apply.written)
                return error_set(reterr, -ENOMEM, "cannot recover");

        for (size_t i = 0; i < prepared->n_keys; i++) {
                const JournalKey *key = &prepared->keys[i];
                const SysctlSpec *spec = catalogue_find(key->key);
                if (spec && leaving && generation_find_key(session->current, spec))
                        continue;

                int r = !spec     ? -ENOKEY
                        : leaving ? recovery_add_item(
                                                    session, spec, key->before, key->want, live,
                                                    &apply)
                                  : recovery_add_item(
                                                    session, spec, key->want, key->before, live,
                                                    &apply);
                if (r < 0)
                        return error_set(
                                        reterr, r, "cannot understand the journal's '%s'",
                                        key->key);
        }
        *ret = apply;
        return 0;
}

static int recovery_undo(Recovery *recovery, Error *reterr) {
        Session *session = recovery->session;

        CLEANUP(live_set_close) LiveSet live = { 0 };
        Apply apply;
        int r = recovery_open_live(recovery, &live, reterr);
        if (r >= 0)
                r = recovery_collect(recovery, /* leaving= */ false, &live, &apply, reterr);
        if (r < 0)
                return r;

        r = apply_undo(&apply);
        if (r >= 0)
                r = recovery_report_undo(recovery, &apply);
        if (r < 0)
                return error_set(reterr, r, "cannot recover");

        recovery->is_stuck = apply_count(&apply, APPLY_STUCK) > 0;
        if (recovery->is_stuck)
                return 0;

        bool conflicts = apply_count(&apply, APPLY_FOREIGN) > 0;
        recovery->outcome = conflicts ? "reverted-with-conflicts" : "reverted";
        Diag *d = recovery_add(
                        recovery, DIAG_RECOVERED,
                        "a change that was cut off was taken back: every value is as it was before it");
        diag_add_note(session->result->findings, d, "transaction %s", recovery->last->tx);
        return 0;
}

/* --- redo --------------------------------------------------------------------------------------------------- */

static int recovery_install(Session *session, Error *reterr) {
        const Engine *engine = session->engine;
        cleanup_free char *bytes = NULL;
        size_t n;
        int r = generation_render_fragment(session->current, &bytes, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot render the fragment");

        PlanFragment found;
        r = fragment_read(engine->seam, engine->root_fd, &found, reterr);
        if (r < 0)
                return r;
        bool right = found.exists == session->current->has_fragment &&
                     (!found.exists || sha256_equal(&found.digest, &session->current->fragment));

        CLEANUP(fragment_deinit) Fragment fragment = { .dir = SEAM_FD_EMPTY };
        r = right ? 0
                  : fragment_prepare(engine->seam, engine->root_fd, bytes, n, &fragment, reterr);
        if (r >= 0)
                r = right ? fragment_flush(engine->seam, engine->root_fd, reterr)
                          : fragment_install(&fragment, reterr);
        if (r >= 0)
                r = generation_store_save(
                                engine->seam, session->state.fd, session->current, reterr);
        return r;
}

/* What is told of a redo: the generation's keys, then those that left it. */
static int recovery_report_leaving(Recovery *recovery, const Apply *apply) {
        Session *session = recovery->session;
        AuditKey *keys = arena_alloc_array(
                        session->arena, recovery->n_keys + apply->n_items + 1, sizeof(AuditKey));
        if (!keys)
                return -ENOMEM;
        if (recovery->n_keys > 0)
                memcpy(keys, recovery->keys, recovery->n_keys * sizeof(AuditKey));

        for (size_t i = 0; i < apply->n_items; i++) {
                const ApplyItem *item = &apply->items[i];
                bool stuck = item->state == APPLY_STUCK;
                AuditKey *key = &keys[recovery->n_keys++];
                *key = (AuditKey){
                        .key = item->spec->key,
                        .wanted = session_text(session, item->spec, &item->before),
                        .after = item->has_after ? session_text(session, item->spec, &item->after)
                                                 : NULL,
                        .outcome = item->state == APPLY_UNDONE     ? "restored"
                                   : item->state == APPLY_VANISHED ? "gone"
                                   : stuck                         ? "stuck"
                                                                   : "left",
                };
                if (!stuck)
                        continue;
                recovery->is_stuck = true;
                Diag *d = diag_add(
                                session->result->findings, DIAG_STATE_UNKNOWN, (Span){ 0 },
                                "'%s' could not be put back to '%s'", item->spec->key, key->wanted);
                diag_set_key(session->result->findings, d, item->spec->key);
        }
        recovery->keys = keys;
        return 0;
}

/* The power went between COMMIT and the new fragment, so systemd-sysctl has just applied the old one: a key that was
 * to leave stands at its old value again. What stands at any other value is the boot's own. */
static int recovery_restore_leaving(Recovery *recovery, Error *reterr) {
        CLEANUP(live_set_close) LiveSet live = { 0 };
        Apply apply;
        int r = recovery_open_live(recovery, &live, reterr);
        if (r >= 0)
                r = recovery_collect(recovery, /* leaving= */ true, &live, &apply, reterr);
        if (r < 0)
                return r;

        r = apply_undo(&apply);
        if (r >= 0)
                r = recovery_report_leaving(recovery, &apply);
        return r < 0 ? error_set(reterr, r, "cannot recover") : 0;
}

static int recovery_redo(Recovery *recovery, bool same_boot, Error *reterr) {
        Session *session = recovery->session;

        int r = session_load(session, reterr);
        if (r < 0)
                return r;
        r = recovery_install(session, reterr);
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

/* Tells how the transaction ended, once: where the process died behind its outcome, that one stands; where it died
 * before its intent, there is nothing that an outcome could belong to, and the record is of the recovery alone. */
static int recovery_audit(Recovery *recovery, JournalDone *done, Error *reterr) {
        Session *session = recovery->session;
        const Generation *current = session->current;
        const JournalPrepared *prepared = recovery->has_prepared ? &recovery->prepared : NULL;

        AuditTrail trail;
        int r = session_open_audit(session, reterr);
        if (r >= 0)
                r = audit_log_find(
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
        if (recovery_audit(recovery, &done, &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);

        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        int r = journal_done_encode(&done, &payload);
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

        if (recovery->last->type == JOURNAL_COMMIT)
                r = recovery_redo(recovery, same_boot, reterr);
        else {
                r = session_load(session, reterr);
                if (r >= 0 && same_boot && !session->engine->files_only)
                        r = recovery_undo(recovery, reterr);
                else if (r >= 0) {
                        recovery->outcome = "dropped-by-reboot";
                        (void) recovery_add(
                                        recovery, DIAG_DROPPED_BY_REBOOT,
                                        "a change was cut off by a reboot: nothing of it is left");
                }
        }
        if (r < 0)
                return r;
        if (recovery->is_stuck) {
                /* Stays open: the next entry tries again, and a reboot ends it. */
                session_publish(session, "unknown", recovery->last->tx);
                return RECOVERY_E_REFUSED;
        }

        r = recovery_close(recovery, reterr);
        if (r >= 0)
                session_publish(session, recovery->outcome, recovery->last->tx);
        return r < 0 ? r : recovery_tell(recovery, reterr);
}

static int recovery_refuse_corrupt(Session *session, const char *text, const Error *error) {
        DiagList *findings = session->result->findings;
        Diag *d = diag_add(findings, DIAG_JOURNAL_CORRUPT, (Span){ 0 }, "%s", text);
        if (error && error_is_set(error))
                diag_add_note(findings, d, "%s", error->text);
        diag_add_note(findings, d, "nothing was touched");
        return RECOVERY_E_REFUSED;
}

int recovery_run(Session *session, bool at_boot, Error *reterr) {
        const JournalScan *scan = &session->journal.scan;
        if (scan->tail == JOURNAL_TAIL_CORRUPT)
                return recovery_refuse_corrupt(
                                session,
                                "the journal is damaged in its middle: it cannot say what was decided",
                                NULL);

        Recovery recovery = { .session = session };
        if (scan->n_frames > 0)
                recovery.last = &scan->frames[scan->n_frames - 1];
        if (!recovery.last || recovery.last->type == JOURNAL_DONE)
                return at_boot ? upkeep_run(session, reterr) : 0;

        Error error = { 0 };
        const JournalFrame *prepared = journal_find_last(
                        &session->journal, JOURNAL_PREPARED, recovery.last->tx);
        if (prepared) {
                int r = journal_prepared_decode(
                                prepared, session->arena, &recovery.prepared, &error);
                if (r == -EBADMSG)
                        return recovery_refuse_corrupt(
                                        session, "the journal cannot be understood", &error);
                if (r < 0)
                        return error_set(reterr, r, "cannot recover");
                recovery.has_prepared = true;
        }

        int r = recovery_settle(&recovery, reterr);
        if (r == 0 && at_boot)
                r = upkeep_run(session, reterr);
        return r;
}
