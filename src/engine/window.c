/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/window.h"

#include "engine/pending-file.h"
#include "engine/token.h"

/* Of APPLIED beside its keys and its generation. */
#define WINDOW_FRAME_REST ((size_t) 2 * 1024)

bool window_is_asked(const EngineRequest *request) {
        return request->confirm_within_s > 0 || request->runtime;
}

int window_check(Session *session) {
        const Engine *engine = session->engine;
        const EngineRequest *request = session->request;
        DiagList *findings = session->result->findings;

        if (engine->files_only)
                (void) diag_add(findings, DIAG_NOT_SUPPORTED_HERE, (Span){ 0 },
                                "below --root nothing is live that could be tried");
        else if (request->confirm_within_s > 0 && !engine->arm)
                (void) diag_add(findings, DIAG_CONFIRM_NEEDS_SYSTEMD, (Span){ 0 },
                                "nothing here would hold the deadline");
        else
                return 0;
        session->result->outcome = "refused";
        return WINDOW_E_REFUSED;
}

/* --- frames ----------------------------------------------------------------------------------------------------- */

/* What is brought in: whatever is the same in the current generation has proved itself. */
int window_describe(const Change *change, JournalPrepared *prepared) {
        Session *session = change->session;
        const Generation *next = change->plan->next, *current = session->current;
        JournalProfile *profiles = arena_alloc_array(
                        session->arena, next->n_profiles + 1, sizeof(JournalProfile));
        if (!profiles)
                return -ENOMEM;

        /* What could not be read back must not get into the journal. */
        const char *gate = session->request->gate;
        if (gate && strlen(gate) > JOURNAL_GATE_MAX)
                return -EMSGSIZE;

        size_t n = 0;
        for (size_t i = 0; i < next->n_profiles; i++) {
                const GenerationProfile *profile = &next->profiles[i];
                const GenerationProfile *now =
                                current ? generation_find_profile(current, profile->name) : NULL;
                if (now && sha256_equal(&now->digest, &profile->digest))
                        continue;
                profiles[n].name = arena_copy(session->arena, profile->name);
                profiles[n].digest = profile->digest;
                if (!profiles[n++].name)
                        return -ENOMEM;
        }

        prepared->has_window = true;
        prepared->window_s = session->request->confirm_within_s;
        prepared->profiles = profiles;
        prepared->n_profiles = n;
        prepared->gate = gate;
        return 0;
}

size_t window_reserve(const Change *change) {
        /* The keys are in PREPARED too, with two values each as here. */
        return journal_frame_size(
                        change->commit.length + change->prepared.length + WINDOW_FRAME_REST);
}

/* --- the guard -------------------------------------------------------------------------------------------------- */

static int window_refuse_unarmed(Change *change, const Error *error) {
        Session *session = change->session;
        DiagList *findings = session->result->findings;
        pending_file_remove(session->engine->seam, session->engine->root_fd);

        Diag *d = diag_add(
                        findings, DIAG_GUARD_NOT_ARMED, (Span){ 0 },
                        "the guard did not take over the deadline: %s", error->text);
        diag_add_note(findings, d, "nothing was written");
        diag_set_help(findings, d, "run 'systemctl enable --now twprofile-guard.path'");
        session->result->outcome = "refused";
        return WINDOW_E_REFUSED;
}

int window_arm(Change *change, Error *reterr) {
        Session *session = change->session;
        Engine *engine = session->engine;
        const EngineRequest *request = session->request;
        const JournalPrepared *prepared = &change->window;
        if (request->confirm_within_s == 0)
                return 0;

        change->deadline_ms = session_now_ms(session) + (int64_t) request->confirm_within_s * 1000;
        Pending pending = {
                .deadline_ms = change->deadline_ms,
                .instance = engine->instance,
                .keys = prepared->keys,
                .n_keys = prepared->n_keys,
                .profiles = prepared->profiles,
                .n_profiles = prepared->n_profiles,
                .gate = request->gate,
        };
        memcpy(pending.tx, change->tx, sizeof(pending.tx));

        Error error = { 0 };
        int r = pending_file_write(engine->seam, engine->root_fd, &pending, &error);
        if (r >= 0)
                r = engine->arm(engine->arm_userdata, change->tx, &error);
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot arm the guard");
        return r < 0 ? window_refuse_unarmed(change, &error) : 0;
}

/* --- applied ---------------------------------------------------------------------------------------------------- */

static int window_collect(const Change *change, JournalKey **ret) {
        Session *session = change->session;
        const Apply *apply = &change->apply;
        JournalKey *keys = arena_alloc_array(
                        session->arena, apply->n_items + 1, sizeof(JournalKey));
        if (!keys)
                return -ENOMEM;

        for (size_t i = 0; i < apply->n_items; i++) {
                const ApplyItem *item = &apply->items[i];
                keys[i] = change->window.keys[i];
                keys[i].want = session_text(session, item->spec, &item->after);
                if (!keys[i].want)
                        return -ENOMEM;
        }
        *ret = keys;
        return 0;
}

static int window_encode(Change *change, const char *token, StrBuf *ret) {
        Session *session = change->session;
        const EngineRequest *request = session->request;
        const PlanFragment *found = &change->planning->fragment;
        JournalKey *keys;
        int r = window_collect(change, &keys);
        if (r < 0)
                return r;

        JournalApplied applied = {
                .token = token,
                .deadline_ms = change->deadline_ms,
                .request = undecided_digest(request, &session->result->bundles),
                .auid = request->caller ? request->caller->auid : AUDIT_UNSET,
                .session = request->caller ? request->caller->session : AUDIT_UNSET,
                .has_fragment = found->exists,
                .fragment = found->digest,
                .keys = keys,
                .n_keys = change->apply.n_items,
                .generation = change->plan->next,
        };
        return journal_applied_encode(&applied, ret);
}

/* The session goes on as if it had found the change in the journal: for the public view. */
static int window_adopt(Change *change, const char *token) {
        Session *session = change->session;
        Undecided *undecided = arena_alloc_array(session->arena, 1, sizeof(Undecided));
        if (!undecided)
                return -ENOMEM;
        *undecided = (Undecided){
                .applied = { .token = token, .deadline_ms = change->deadline_ms },
        };
        memcpy(undecided->tx, change->tx, sizeof(undecided->tx));
        session->undecided = undecided;
        return 0;
}

int window_apply(Change *change, Error *reterr) {
        Session *session = change->session;
        EngineResult *result = session->result;

        char text[TOKEN_SIZE];
        token_new(change->tx, text);
        const char *token = arena_copy(session->arena, text);
        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        int r = token ? window_encode(change, token, &payload) : -ENOMEM;
        if (r < 0)
                return error_set(reterr, r, "cannot note the change");

        Sha256 hash;
        r = journal_append(&session->journal, JOURNAL_APPLIED, change->tx, &payload, &hash, reterr);
        if (r < 0)
                return r;
        r = window_adopt(change, token);
        if (r < 0)
                return error_set(reterr, r, "cannot note the change");

        result->token = token;
        result->deadline_ms = change->deadline_ms;
        return 0;
}
