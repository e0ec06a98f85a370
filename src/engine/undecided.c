/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/undecided.h"

#include "engine/pending-file.h"
#include "engine/planning.h"
#include "engine/report.h"
#include "engine/session.h"

int undecided_load(
                Session *session, const JournalFrame *prepared_frame,
                const JournalFrame *applied_frame, Undecided **ret, Error *reterr) {
        Undecided *undecided = arena_alloc_array(session->arena, 1, sizeof(Undecided));
        if (!undecided)
                return error_set(
                                reterr, -ENOMEM, "cannot read the change that awaits confirmation");
        *undecided = (Undecided){
                .prepared_frame = prepared_frame,
                .applied_frame = applied_frame,
        };
        memcpy(undecided->tx, applied_frame->tx, sizeof(undecided->tx));

        int r = journal_prepared_decode(
                        prepared_frame, session->arena, &undecided->prepared, reterr);
        if (r >= 0)
                r = journal_applied_decode(
                                applied_frame, session->arena, &undecided->applied,
                                &undecided->generation, reterr);
        if (r < 0)
                return r;
        *ret = undecided;
        return 0;
}

Undecided *undecided_release(Undecided *undecided) {
        if (undecided)
                undecided->generation = generation_free(undecided->generation);
        return NULL;
}

bool undecided_is_expired(const Session *session, const Undecided *undecided) {
        int64_t deadline = undecided->applied.deadline_ms;
        return deadline > 0 && session_now_ms(session) >= deadline;
}

int undecided_write_pending(Session *session, Error *reterr) {
        const Engine *engine = session->engine;
        const Undecided *undecided = session->undecided;
        if (undecided->applied.deadline_ms == 0) {
                pending_file_remove(engine->seam, engine->root_fd);
                return 0;
        }

        Pending pending = {
                .deadline_ms = undecided->applied.deadline_ms,
                .instance = undecided->prepared.instance,
                .keys = undecided->prepared.keys,
                .n_keys = undecided->prepared.n_keys,
                .profiles = undecided->prepared.profiles,
                .n_profiles = undecided->prepared.n_profiles,
                .gate = undecided->prepared.gate,
        };
        memcpy(pending.tx, undecided->tx, sizeof(pending.tx));
        Error error = { 0 };
        int r = pending_file_write(engine->seam, engine->root_fd, &pending, &error);
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot keep the change that awaits confirmation");
        if (r < 0)
                session_add_error(session, DIAG_STATUS_UNWRITABLE, &error);
        return 0;
}

int undecided_find(Session *session, Error *reterr) {
        const Journal *journal = &session->journal;
        const JournalScan *scan = &journal->scan;
        const JournalFrame *last = scan->n_frames > 0 ? &scan->frames[scan->n_frames - 1] : NULL;
        if (!last || last->type != JOURNAL_APPLIED || scan->tail == JOURNAL_TAIL_CORRUPT)
                return 0;
        const JournalFrame *prepared = journal_find_last(journal, JOURNAL_PREPARED, last->tx);
        if (!prepared)
                return 0;

        Undecided *found = NULL;
        int r = undecided_load(session, prepared, last, &found, reterr);
        if (r < 0)
                return r;
        if (instance_equal(&found->prepared.instance, &session->engine->instance))
                session->undecided = found;
        else
                (void) undecided_release(found);
        return 0;
}

/* --- the same request again ------------------------------------------------------------------------------------ */

static void digest_add_text(Sha256Stream *stream, const char *text) {
        sha256_add_field(stream, text, strlen(text));
}

static void digest_add_number(Sha256Stream *stream, int64_t number) {
        sha256_add_field(stream, &number, sizeof(number));
}

Sha256 undecided_digest(const EngineRequest *request, const WantedBundles *bundles) {
        const AuditCaller *caller = request->caller;
        Sha256Stream stream;
        sha256_init_stream(&stream);

        const int64_t numbers[] = {
                request->verb,
                caller ? caller->uid : AUDIT_UNSET,
                caller ? caller->auid : AUDIT_UNSET,
                request->only,
                request->adopt,
                request->confirm_within_s,
                request->runtime,
                request->gate != NULL,
                (int64_t) request->n_profiles,
        };
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                digest_add_number(&stream, numbers[i]);
        for (size_t i = 0; i < request->n_profiles; i++)
                digest_add_text(&stream, request->profiles[i]);
        for (size_t i = 0; i < bundles->n_bundles; i++)
                sha256_add(&stream, bundles->bundles[i]->digest.bytes, SHA256_SIZE);
        return sha256_end(&stream);
}

/* 1 yes, 0 no, <0. What is wrong with other profiles is not told here: the change that is open comes first. */
static int undecided_is_same(Session *session, Error *reterr) {
        const EngineRequest *request = session->request;
        if (request->confirm_within_s == 0 && !request->runtime)
                return 0;

        DiagList *unseen = diag_list_new();
        if (!unseen)
                return error_set(reterr, -ENOMEM, "cannot compare the requests");
        CLEANUP(wanted_bundles_deinit) WantedBundles bundles = { 0 };
        int r = planning_load_bundles(session, unseen, &bundles, reterr);
        bool same = false;
        if (r == 0) {
                Sha256 digest = undecided_digest(request, &bundles);
                same = sha256_equal(&digest, &session->undecided->applied.request);
        }
        (void) diag_list_free(unseen);
        return r < 0 ? r : same;
}

static int undecided_repeat(Session *session, Error *reterr) {
        EngineResult *result = session->result;
        const Undecided *undecided = session->undecided;
        const JournalPrepared *prepared = &undecided->prepared;

        EngineChange *changes = arena_alloc_array(
                        session->arena, prepared->n_keys + 1, sizeof(EngineChange));
        result->tx = arena_copy(session->arena, undecided->tx);
        if (!changes || !result->tx)
                return error_set(reterr, -ENOMEM, "cannot repeat the answer");
        for (size_t i = 0; i < prepared->n_keys; i++) {
                const JournalKey *key = &prepared->keys[i];
                changes[i] = (EngineChange){
                        .key = key->key,
                        .before = key->before,
                        .wanted = key->want,
                        .after = undecided->applied.n_keys > i ? undecided->applied.keys[i].want
                                                               : NULL,
                        .outcome = "set",
                };
                if (report_owner(session, undecided->generation, &changes[i]) < 0)
                        return error_set(reterr, -ENOMEM, "cannot repeat the answer");
        }

        result->changes = changes;
        result->n_changes = prepared->n_keys;
        result->generation_before = prepared->from;
        result->generation = prepared->to;
        result->token = undecided->applied.token;
        result->deadline_ms = undecided->applied.deadline_ms;
        result->outcome = "pending";
        return 0;
}

int undecided_refuse(Session *session) {
        EngineResult *result = session->result;
        const Undecided *undecided = session->undecided;
        int64_t deadline = undecided->applied.deadline_ms;

        Diag *d = NULL;
        if (deadline > 0)
                d = diag_add(result->findings, DIAG_CHANGE_UNDECIDED, (Span){ 0 },
                             "transaction %s awaits confirmation; %lld s from now it is taken back",
                             undecided->tx,
                             (long long) (deadline - session_now_ms(session) + 999) / 1000);
        else
                d = diag_add(result->findings, DIAG_CHANGE_UNDECIDED, (Span){ 0 },
                             "transaction %s awaits confirmation; a reboot takes it back",
                             undecided->tx);
        diag_set_help(result->findings, d,
                      "run 'twprofile confirm TOKEN' with the token that enable printed, or 'twprofile rollback'");
        const char *tx = arena_copy(session->arena, undecided->tx);
        result->tx = tx ? tx : ""; /* the message has it too */
        result->deadline_ms = deadline;
        result->outcome = "refused";
        return 0;
}

int undecided_answer_enable(Session *session, Error *reterr) {
        int same = undecided_is_same(session, reterr);
        if (same < 0)
                return same;
        return same ? undecided_repeat(session, reterr) : undecided_refuse(session);
}
