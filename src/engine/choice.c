/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/choice.h"

#include "engine/generation-store.h"
#include "engine/install.h"
#include "engine/make-live.h"
#include "engine/paths.h"
#include "engine/pending-file.h"
#include "engine/report.h"
#include "engine/restore.h"
#include "engine/tx-id.h"
#include "system/atomic-file.h"

typedef struct Choice {
        Session *session;
        bool base;
        const AuditKey *keys;
        size_t n_keys;
} Choice;

bool choice_is_made(const Session *session) {
        const EngineRequest *request = session->request;
        return request->verb == ENGINE_RECOVER && request->choice;
}

/* --- what can be read --------------------------------------------------------------------------------------------- */

static int choice_find_in_journal(const Session *session, Generation **ret) {
        const JournalScan *scan = &session->journal.scan;
        for (size_t i = scan->n_frames; i > 0; i--) {
                Error ignored = { 0 };
                if (scan->frames[i - 1].type != JOURNAL_COMMIT)
                        continue;
                int r = journal_commit_decode(&scan->frames[i - 1], ret, &ignored);
                if (r != -EBADMSG)
                        return r;
        }
        return 0;
}

static int choice_find_in_store(const Session *session, uint64_t above, Generation **ret) {
        const Seam *seam = session->engine->seam;
        Error ignored = { 0 };
        uint64_t number = 0;
        int r = generation_store_find_highest(seam, session->state.fd, &number, &ignored);
        for (; r >= 0 && number > above && !*ret; number--) {
                r = generation_store_load(seam, session->state.fd, number, ret, &ignored);
                r = r == -ENOMEM ? r : 0;
        }
        return r;
}

static int choice_load(Session *session, Error *reterr) {
        CLEANUP(generation_freep) Generation *journalled = NULL;
        CLEANUP(generation_freep) Generation *stored = NULL;
        int r = choice_find_in_journal(session, &journalled);
        if (r >= 0)
                r = choice_find_in_store(session, journalled ? journalled->number : 0, &stored);
        if (r < 0)
                return error_set(reterr, r, "cannot look for a generation that can be read");

        (void) generation_free(session->current);
        session->current = stored ? TAKE_PTR(stored) : TAKE_PTR(journalled);
        return 0;
}

/* --- base --------------------------------------------------------------------------------------------------------- */

/* Of the transaction that the readable part leaves open, if it is of this boot and namespace. 1 when there are some. */
static int choice_find_open(Session *session, const JournalKey **ret, size_t *ret_n) {
        const Engine *engine = session->engine;
        const JournalScan *scan = &session->journal.scan;
        const JournalFrame *last = scan->n_frames > 0 ? &scan->frames[scan->n_frames - 1] : NULL;
        bool open = last && last->type != JOURNAL_DONE && last->type != JOURNAL_COMMIT;
        const JournalFrame *frame =
                        open ? journal_find_last(&session->journal, JOURNAL_PREPARED, last->tx)
                             : NULL;
        JournalPrepared prepared;
        Pending pending;
        Error ignored = { 0 };

        int r = frame ? journal_prepared_decode(frame, session->arena, &prepared, &ignored)
                      : -ENOENT;
        if (r >= 0 && instance_equal(&prepared.instance, &engine->instance)) {
                *ret = prepared.keys;
                *ret_n = prepared.n_keys;
                return 1;
        }
        if (r != -ENOMEM)
                r = pending_file_read(
                                engine->seam, engine->root_fd, session->arena, &pending, &ignored);
        if (r >= 0 && instance_equal(&pending.instance, &engine->instance)) {
                *ret = pending.keys;
                *ret_n = pending.n_keys;
                return 1;
        }
        return r == -ENOMEM ? r : 0;
}

static int choice_append(Choice *choice, const AuditKey *keys, size_t n) {
        AuditKey *all = arena_alloc_array(
                        choice->session->arena, choice->n_keys + n + 1, sizeof(AuditKey));
        if (!all)
                return -ENOMEM;
        for (size_t i = 0; i < choice->n_keys; i++)
                all[i] = choice->keys[i];
        for (size_t i = 0; i < n; i++)
                all[choice->n_keys + i] = keys[i];
        choice->keys = all;
        choice->n_keys += n;
        return 0;
}

/* 0, CHOICE_E_STUCK or <0. */
static int choice_restore(Choice *choice, Error *reterr) {
        Session *session = choice->session;
        const JournalKey *keys = NULL;
        size_t n = 0;
        int r = choice_find_open(session, &keys, &n);
        if (r <= 0)
                return r < 0 ? error_set(reterr, r, "cannot recover") : 0;

        CLEANUP(restore_close) Restore restore = { 0 };
        r = restore_undo(session, keys, n, &restore, reterr);
        if (r < 0)
                return r;
        r = choice_append(choice, restore.keys, restore.n_keys);
        if (r < 0)
                return error_set(reterr, r, "cannot recover");
        return restore.n_stuck > 0 ? CHOICE_E_STUCK : 0;
}

static int choice_make_live(Choice *choice, Error *reterr) {
        Session *session = choice->session;
        MakeLive made = { .write = true };
        if (!session->current)
                return 0;

        int r = make_live_run(session, &made, reterr);
        if (r < 0)
                return r;
        r = choice_append(choice, made.keys, made.n_keys);
        return r < 0 ? error_set(reterr, r, "cannot recover") : 0;
}

/* --- a new journal ------------------------------------------------------------------------------------------------ */

static int choice_audit(const Choice *choice, JournalDone *done, Error *reterr) {
        Session *session = choice->session;
        uint64_t number = session->current ? session->current->number : 0;
        AuditRecord record = {
                .event = AUDIT_RECOVER,
                .verb = "recover",
                .keys = choice->keys,
                .n_keys = choice->n_keys,
                .generation_from = number,
                .generation_to = number,
                .outcome = choice->base ? "chosen-base" : "chosen-keep",
                .exit_code = diag_list_exit_code(session->result->findings),
        };
        int r = report_audit_profiles(
                        session, session->current, &record.profiles, &record.n_profiles);
        if (r < 0)
                return error_set(reterr, r, "cannot write the audit log");
        r = session_audit(session, &record, &done->audit_hash, reterr);
        if (r >= 0)
                done->audit_seq = session->audit.head.seq;
        return r;
}

static int choice_write_journal(const Choice *choice, const JournalDone *done, Error *reterr) {
        Session *session = choice->session;
        const Generation *current = session->current;
        CLEANUP(strbuf_deinit) StrBuf commit = { 0 };
        CLEANUP(strbuf_deinit) StrBuf closing = { 0 };
        char tx[TX_ID_SIZE];
        if (current)
                (void) snprintf(tx, sizeof(tx), "%s", current->tx);
        else
                tx_id_new(tx);

        int r = current ? journal_commit_encode(&(JournalCommit){ .generation = current }, &commit)
                        : 0;
        if (r >= 0)
                r = journal_done_encode(done, &closing);
        if (r < 0)
                return error_set(reterr, r, "cannot make a new journal");

        const JournalRecord records[] = {
                { JOURNAL_COMMIT, &commit },
                { JOURNAL_DONE, &closing },
        };
        Sha256 hash;
        size_t first = current ? 0 : 1;
        session->journal.scan.n_frames = 0; /* nothing of the damaged file is carried along */
        return journal_rewrite(
                        &session->journal, tx, records + first, ELEMENTSOF(records) - first, &hash,
                        reterr);
}

static int choice_keep_damaged(Session *session, Error *reterr) {
        const Journal *journal = &session->journal;
        if (!journal->bytes)
                return 0;
        int r = atomic_file_replace(
                        session->engine->seam, session->state.fd, ENGINE_DAMAGED, journal->bytes,
                        journal->size, 0600);
        return r < 0 ? error_set(reterr, r, "cannot keep the damaged journal") : 0;
}

static void choice_tell(const Choice *choice) {
        const Session *session = choice->session;
        DiagList *findings = session->result->findings;
        const char *values = choice->base ? "the values were restored"
                                          : "the live values were kept";
        if (session->current)
                (void) diag_add(findings, DIAG_RECOVERED_BY_CHOICE, (Span){ 0 },
                                "the newest generation that can be read is %llu; %s",
                                (unsigned long long) session->current->number, values);
        else
                (void) diag_add(findings, DIAG_RECOVERED_BY_CHOICE, (Span){ 0 },
                                "no generation can be read, so nothing is enabled; %s", values);
}

int choice_run(Session *session, Error *reterr) {
        const Engine *engine = session->engine;
        Choice choice = { .session = session, .base = streq(session->request->choice, "base") };
        Error error = { 0 };

        int r = choice_load(session, reterr);
        if (r >= 0)
                r = choice_keep_damaged(session, reterr);
        if (r >= 0 && choice.base && !engine->files_only)
                r = choice_restore(&choice, reterr);
        if (r == 0 && choice.base && !engine->files_only)
                r = choice_make_live(&choice, reterr);
        if (r == 0 && session->current)
                r = install_generation(session, reterr);
        if (r != 0)
                return r;

        choice_tell(&choice);
        JournalDone done = {
                .outcome = choice.base ? "chosen-base" : "chosen-keep",
                .generation = session->current ? session->current->number : 0,
        };
        if (choice_audit(&choice, &done, &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        r = choice_write_journal(&choice, &done, reterr);
        if (r < 0)
                return r;
        pending_file_remove(engine->seam, engine->root_fd);
        session->undecided = undecided_release(session->undecided);
        return 0;
}
