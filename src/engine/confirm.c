/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/confirm.h"

#include "engine/commit.h"
#include "engine/denied.h"
#include "engine/live-set.h"
#include "engine/pending-file.h"
#include "engine/report.h"
#include "engine/token.h"

enum {
        CONFIRM_E_REFUSED = 1, /* result->findings and outcome are set */
};

typedef struct Confirm {
        Session *session;
        const Undecided *undecided;
        LiveSet live;
        AuditKey *keys; /* one for each of APPLIED's */
        Fragment fragment;
        StrBuf commit;
        char *bytes; /* of the fragment */
} Confirm;

static void confirm_deinit(Confirm *confirm) {
        live_set_close(&confirm->live);
        fragment_deinit(&confirm->fragment);
        strbuf_deinit(&confirm->commit);
        free(confirm->bytes);
}

static int confirm_refuse(Session *session) {
        session->result->outcome = "refused";
        return CONFIRM_E_REFUSED;
}

/* --- whether it may ----------------------------------------------------------------------------------------------- */

static int confirm_refuse_nothing(Session *session, Error *reterr) {
        EngineResult *result = session->result;
        const char *token = session->request->token;
        const JournalFrame *last = journal_find_last(&session->journal, JOURNAL_DONE, NULL);
        Diag *d = diag_add(
                        result->findings, DIAG_NOTHING_UNDECIDED, (Span){ 0 },
                        "no change awaits confirmation");

        if (token && last && token_is_of(token, last->tx)) {
                JournalDone done;
                Error ignored = { 0 };
                int r = journal_done_decode(last, session->arena, &done, &ignored);
                if (r == -ENOMEM)
                        return error_set(reterr, r, "cannot tell what became of the change");
                if (r >= 0)
                        diag_add_note(result->findings, d, "transaction %s ended: %s", last->tx,
                                      done.outcome);
        }
        diag_set_help(result->findings, d, "'twprofile history' shows what became of it");
        result->outcome = "not-found";
        return 0;
}

static int confirm_check_token(const Confirm *confirm) {
        Session *session = confirm->session;
        const char *token = session->request->token;
        if (token && token_equal(token, confirm->undecided->applied.token))
                return 0;

        (void) diag_add(session->result->findings, DIAG_WRONG_TOKEN, (Span){ 0 },
                        "the token is not the one of the change that awaits confirmation");
        Error error = { 0 };
        if (denied_record(session, "wrong-token", &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        return confirm_refuse(session);
}

static int confirm_check_instance(const Confirm *confirm) {
        Session *session = confirm->session;
        if (instance_equal(&session->engine->instance, &confirm->undecided->prepared.instance))
                return 0;
        (void) diag_add(session->result->findings, DIAG_OTHER_NAMESPACE, (Span){ 0 },
                        "the change was made in another network namespace than this one");
        return confirm_refuse(session);
}

static int confirm_check_session(const Confirm *confirm) {
        Session *session = confirm->session;
        const EngineRequest *request = session->request;
        if (request->same_session)
                return 0;

        int64_t theirs = confirm->undecided->applied.session;
        int64_t ours = request->caller ? request->caller->session : AUDIT_UNSET;
        DiagList *findings = session->result->findings;
        Diag *d = NULL;
        if (theirs == AUDIT_UNSET || ours == AUDIT_UNSET)
                d = diag_add(findings, DIAG_SESSION_NOT_NEW, (Span){ 0 },
                             "it is not possible to tell whether this is a new login session: the kernel's audit "
                             "system does not count the %s session",
                             ours == AUDIT_UNSET ? "caller's" : "applier's");
        else if (theirs == ours)
                d = diag_add(findings, DIAG_SESSION_NOT_NEW, (Span){ 0 },
                             "this login session made the change");
        else
                return 0;

        diag_add_note(findings, d, "connections that were open before the change prove nothing");
        diag_set_help(findings, d, "log in again and confirm there, or use --same-session");
        return confirm_refuse(session);
}

/* --- live values -------------------------------------------------------------------------------------------------- */

static int confirm_compare_specs(const void *a, const void *b) {
        return strcmp((*(const SysctlSpec *const *) a)->key, (*(const SysctlSpec *const *) b)->key);
}

static int confirm_open_live(Confirm *confirm, Error *reterr) {
        Session *session = confirm->session;
        const JournalApplied *applied = &confirm->undecided->applied;
        const SysctlSpec **specs = arena_alloc_array(
                        session->arena, applied->n_keys + 1, sizeof(const SysctlSpec *));
        confirm->keys = arena_alloc_array(session->arena, applied->n_keys + 1, sizeof(AuditKey));
        if (!specs || !confirm->keys)
                return error_set(reterr, -ENOMEM, "cannot confirm");

        for (size_t i = 0; i < applied->n_keys; i++) {
                specs[i] = catalogue_find(applied->keys[i].key);
                if (!specs[i])
                        return error_set(
                                        reterr, -ENOKEY, "cannot understand the journal's '%s'",
                                        applied->keys[i].key);
        }
        qsort(specs, applied->n_keys, sizeof(const SysctlSpec *), confirm_compare_specs);
        return live_set_open(
                        &(SeamFd){ session->engine->seam, session->engine->root_fd }, specs,
                        applied->n_keys, session->arena, &confirm->live, reterr);
}

static void confirm_add_drift(Confirm *confirm, const JournalKey *key, const char *now) {
        DiagList *findings = confirm->session->result->findings;
        Diag *d = diag_add(
                        findings, DIAG_CONFIRM_DRIFT, (Span){ 0 },
                        "'%s' is '%s' now and was '%s' when the change was made", key->key, now,
                        key->want);
        diag_set_key(findings, d, key->key);
        diag_set_help(findings, d, "'twprofile rollback', or --adopt=drift with --reason");
}

/* Writes ours again, as --adopt=drift asks. */
static int confirm_adopt(Confirm *confirm, const SysctlValue *value, AuditKey *told) {
        Session *session = confirm->session;
        DiagList *findings = session->result->findings;
        const SysctlSpec *spec = catalogue_find(told->key);
        LiveFile *file = live_set_find(&confirm->live, spec);
        SysctlValue after;
        const char *text;

        int r = file ? live_file_write(file, value, session->arena) : -ENOENT;
        if (r >= 0)
                r = live_file_read(file, session->arena, &after, &text);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !sysctl_value_holds(spec, value, &after)) {
                Diag *d = diag_add(
                                findings, DIAG_CONFIRM_DRIFT, (Span){ 0 },
                                "'%s' does not take '%s' again", told->key, told->wanted);
                diag_set_key(findings, d, told->key);
                return CONFIRM_E_REFUSED;
        }

        Diag *d = diag_add(
                        findings, DIAG_DRIFT_ADOPTED, (Span){ 0 },
                        "'%s' had been set to '%s' by somebody else", told->key, told->before);
        diag_set_key(findings, d, told->key);
        told->after = told->wanted;
        told->outcome = "adopted";
        return 0;
}

/* 0, CONFIRM_E_REFUSED or <0. */
static int confirm_check_key(Confirm *confirm, size_t i) {
        Session *session = confirm->session;
        const JournalKey *key = &confirm->undecided->applied.keys[i];
        const SysctlSpec *spec = catalogue_find(key->key);
        const LiveKey *live = live_find(&confirm->live.snapshot, spec);
        bool present = live && live->state == LIVE_PRESENT;
        SysctlValue want;

        int r = sysctl_value_from_kernel(spec, key->want, strlen(key->want), session->arena, &want);
        if (r < 0)
                return r;
        confirm->keys[i] = (AuditKey){
                .key = key->key,
                .before = present ? session_text(session, spec, &live->value) : "(absent)",
                .wanted = key->want,
                .after = key->want,
                .outcome = "kept",
        };
        if (!confirm->keys[i].before)
                return -ENOMEM;
        if (present && sysctl_value_holds(spec, &want, &live->value))
                return 0;
        if (session->request->adopt & PLAN_ADOPT_DRIFT)
                return confirm_adopt(confirm, &want, &confirm->keys[i]);

        confirm_add_drift(confirm, key, confirm->keys[i].before);
        return CONFIRM_E_REFUSED;
}

static int confirm_check_live(Confirm *confirm, Error *reterr) {
        int r = confirm_open_live(confirm, reterr);
        if (r < 0)
                return r;

        bool refused = false;
        for (size_t i = 0; i < confirm->undecided->applied.n_keys; i++) {
                r = confirm_check_key(confirm, i);
                if (r < 0)
                        return error_set(reterr, r, "cannot compare the live values");
                refused |= r == CONFIRM_E_REFUSED;
        }
        return refused ? confirm_refuse(confirm->session) : 0;
}

/* --- the fragment ------------------------------------------------------------------------------------------------- */

static int confirm_check_fragment(const Confirm *confirm, Error *reterr) {
        Session *session = confirm->session;
        const Engine *engine = session->engine;
        const JournalApplied *applied = &confirm->undecided->applied;
        DiagList *findings = session->result->findings;

        PlanFragment found;
        int r = fragment_read(engine->seam, engine->root_fd, &found, reterr);
        if (r < 0)
                return r;
        bool same = found.exists == applied->has_fragment &&
                    (!found.exists || sha256_equal(&found.digest, &applied->fragment));
        if (same || session->request->adopt & PLAN_ADOPT_FRAGMENT)
                return 0;

        Diag *d = diag_add(
                        findings, DIAG_FRAGMENT_EDITED, (Span){ 0 },
                        "somebody else changed the fragment since the change was made");
        diag_set_help(findings, d,
                      "move the edit to a file of its own, then use --adopt=fragment with --reason");
        return confirm_refuse(session);
}

/* --- committing --------------------------------------------------------------------------------------------------- */

static int confirm_prepare(Confirm *confirm, Error *reterr) {
        Session *session = confirm->session;
        const Engine *engine = session->engine;
        Generation *next = confirm->undecided->generation;
        size_t n;

        int r = generation_render_fragment(next, &confirm->bytes, &n);
        if (r >= 0)
                r = journal_commit_encode(&(JournalCommit){ .generation = next }, &confirm->commit);
        if (r < 0 || confirm->commit.failed)
                return error_set(reterr, r < 0 ? r : -ENOMEM, "cannot commit");
        return fragment_prepare(
                        engine->seam, engine->root_fd, confirm->bytes, n, &confirm->fragment,
                        reterr);
}

static int confirm_audit(const Confirm *confirm, const Sha256 *frame, Error *reterr) {
        Session *session = confirm->session;
        const Undecided *undecided = confirm->undecided;
        AuditRecord record = {
                .event = AUDIT_CONFIRM,
                .same_session = session->request->same_session,
                .tx = undecided->tx,
                .verb = "confirm",
                .keys = confirm->keys,
                .n_keys = undecided->applied.n_keys,
                .generation_from = undecided->prepared.from,
                .generation_to = undecided->prepared.to,
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

static void confirm_close(const Confirm *confirm, const Sha256 *frame) {
        Session *session = confirm->session;
        Error error = { 0 };
        JournalDone done = { .outcome = "applied", .generation = session->current->number };
        if (confirm_audit(confirm, frame, &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        else {
                done.audit_seq = session->audit.head.seq;
                done.audit_hash = session->audit.head.hash;
        }

        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        Sha256 hash;
        error_reset(&error);
        if (journal_done_encode(&done, &payload) < 0 ||
            journal_append(&session->journal, JOURNAL_DONE, confirm->undecided->tx, &payload, &hash,
                           &error) < 0)
                /* The next entry finds a decided transaction and closes it again. */
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
}

static int confirm_report(const Confirm *confirm) {
        Session *session = confirm->session;
        const JournalApplied *applied = &confirm->undecided->applied;
        EngineChange *changes = arena_alloc_array(
                        session->arena, applied->n_keys + 1, sizeof(EngineChange));
        if (!changes)
                return -ENOMEM;

        for (size_t i = 0; i < applied->n_keys; i++) {
                changes[i] = (EngineChange){
                        .key = applied->keys[i].key,
                        .before = confirm->keys[i].before,
                        .wanted = confirm->keys[i].wanted,
                        .after = confirm->keys[i].after,
                        .outcome = confirm->keys[i].outcome,
                };
                int r = report_owner(session, session->current, &changes[i]);
                if (r < 0)
                        return r;
        }
        session->result->changes = changes;
        session->result->n_changes = applied->n_keys;
        if (confirm->bytes)
                session->result->fragment = arena_copy(session->arena, confirm->bytes);
        return confirm->bytes && !session->result->fragment ? -ENOMEM : 0;
}

static int confirm_commit(Confirm *confirm, Error *reterr) {
        Session *session = confirm->session;
        const Engine *engine = session->engine;
        EngineResult *result = session->result;
        Undecided *undecided = session->undecided;
        Sha256 hash;

        StrBuf prepared = { .data = (char *) (uintptr_t) undecided->prepared_frame->payload,
                            .length = undecided->prepared_frame->payload_length };
        const JournalRecord records[] = {
                { JOURNAL_PREPARED, &prepared },
                { JOURNAL_COMMIT, &confirm->commit },
        };
        const Commit commit = {
                .tx = undecided->tx,
                .records = records,
                .n_records = ELEMENTSOF(records),
                .fragment = &confirm->fragment,
                .next = &undecided->generation,
        };
        int r = commit_run(session, &commit, &hash);
        if (r == COMMIT_E_UNKNOWN)
                return 0;

        if (confirm_report(confirm) < 0)
                return error_set(reterr, -ENOMEM, "cannot report the values");
        result->generation = session->current->number;
        result->changed = true;
        result->outcome = diag_list_exit_code(result->findings) == 0 ? "applied" : "partly";
        confirm_close(confirm, &hash);
        session->undecided = undecided_release(session->undecided);
        pending_file_remove(engine->seam, engine->root_fd);
        session_publish(session, result->outcome, result->tx);
        return 0;
}

/* 0 when it may; whatever lasts comes after this. */
static int confirm_check(Confirm *confirm, Error *reterr) {
        int r = confirm_check_token(confirm);
        if (r == 0)
                r = confirm_check_instance(confirm);
        if (r == 0)
                r = confirm_check_session(confirm);
        if (r == 0)
                r = confirm_check_fragment(confirm, reterr);
        return r == 0 ? confirm_check_live(confirm, reterr) : r;
}

static int confirm_fail(Session *session, DiagId id, const Error *error) {
        session_add_error(session, id, error);
        session->result->outcome = "failed";
        return 0;
}

int confirm_run(Session *session, Error *reterr) {
        EngineResult *result = session->result;
        if (!session->undecided)
                return confirm_refuse_nothing(session, reterr);

        CLEANUP(confirm_deinit)
        Confirm confirm = {
                .session = session,
                .undecided = session->undecided,
                .fragment = { .dir = SEAM_FD_EMPTY },
        };
        result->deadline_ms = session->undecided->applied.deadline_ms;
        result->tx = arena_copy(session->arena, session->undecided->tx);
        if (!result->tx)
                return error_set(reterr, -ENOMEM, "cannot confirm");

        Error error = { 0 };
        int r = session_open_audit(session, &error);
        if (r < 0)
                return confirm_fail(session, DIAG_AUDIT_UNWRITABLE, &error);
        r = confirm_check(&confirm, &error);
        if (r != 0)
                return r > 0          ? 0
                       : r == -ENOMEM ? error_set(reterr, r, "cannot confirm")
                                      : confirm_fail(session, DIAG_IO_FAILED, &error);
        r = confirm_prepare(&confirm, &error);
        if (r < 0)
                return confirm_fail(session, DIAG_FRAGMENT_UNWRITABLE, &error);
        return confirm_commit(&confirm, reterr);
}
