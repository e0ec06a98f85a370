/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/change-record.h"

#include "engine/report.h"
#include "engine/window.h"

int change_encode_prepared(Change *change) {
        Session *session = change->session;
        const Apply *apply = &change->apply;
        JournalKey *keys = arena_alloc_array(
                        session->arena, apply->n_items + 1, sizeof(JournalKey));
        if (!keys)
                return -ENOMEM;

        for (size_t i = 0; i < apply->n_items; i++) {
                const ApplyItem *item = &apply->items[i];
                keys[i] = (JournalKey){
                        .key = item->spec->key,
                        .before = session_text(session, item->spec, &item->before),
                        .want = session_text(session, item->spec, &item->target),
                };
                if (!keys[i].before || !keys[i].want)
                        return -ENOMEM;
        }

        JournalPrepared prepared = {
                .instance = session->engine->instance,
                .verb = planning_verb_name(change->plan->verb),
                .from = change->plan->from,
                .to = change->to,
                .audit_seq = session->audit.head.seq + 1,
                .keys = keys,
                .n_keys = apply->n_items,
        };
        if (change->has_window) {
                int r = window_describe(change, &prepared);
                if (r < 0)
                        return r;
                change->window = prepared;
        }
        return journal_prepared_encode(&prepared, &change->prepared);
}

int change_audit(
                Change *change, AuditEvent event, const char *outcome, const Sha256 *frame,
                Error *reterr) {
        Session *session = change->session;
        bool done = event == AUDIT_OUTCOME;
        /* An outcome tells of what holds now: an undone change leads nowhere. */
        const Generation *told = done ? session->current : change->plan->next;
        const uint64_t reached = told ? told->number : 0;
        AuditRecord record = {
                .event = event,
                .tx = change->tx,
                .verb = planning_verb_name(change->plan->verb),
                .generation_from = change->plan->from,
                .generation_to = done ? reached : change->to,
                .outcome = done ? outcome : NULL,
                .exit_code = done ? session->result->exit_code : 0,
                .has_window = !done && change->has_window,
                .window_s = session->request->confirm_within_s,
                .has_frame = true,
                .frame = *frame,
        };

        int r = report_audit_profiles(session, told, &record.profiles, &record.n_profiles);
        if (r >= 0)
                r = report_audit_keys(session, done, &record.keys, &record.n_keys);
        if (r < 0)
                return error_set(reterr, r, "cannot write the audit log");

        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

void change_close(
                Change *change, const char *outcome, const char *done_outcome,
                const Sha256 *frame) {
        Session *session = change->session;
        Error error = { 0 };

        JournalDone done = {
                .outcome = done_outcome,
                .generation = session->current ? session->current->number : 0,
        };
        if (change_audit(change, AUDIT_OUTCOME, outcome, frame, &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        else {
                done.audit_seq = session->audit.head.seq;
                done.audit_hash = session->audit.head.hash;
        }

        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        Sha256 hash;
        error_reset(&error);
        int r = journal_done_encode(&done, &payload);
        if (r < 0 || journal_append(&session->journal, JOURNAL_DONE, change->tx, &payload, &hash,
                                    &error) < 0)
                /* Not needed for safety: the next entry finds a decided transaction and closes it again. */
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
}
