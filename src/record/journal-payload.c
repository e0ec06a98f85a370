/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/journal-payload.h"

#include "model/sysctl-value.h"
#include "record/generation-format.h"

#define WORD_MAX  64U
#define KEY_MAX   255U
#define ERRNO_MAX 4095U /* MAX_ERRNO of the kernel */

/* --- instance ------------------------------------------------------------------------------------------- */

bool instance_equal(const Instance *a, const Instance *b) {
        return streq(a->boot_id, b->boot_id) && a->netns_inode == b->netns_inode &&
               a->netns_cookie == b->netns_cookie;
}

json_t *instance_to_json(const Instance *instance) {
        return json_pack(
                        "{s:s, s:o, s:o}", "boot", instance->boot_id, "netns_cookie",
                        strict_json_u64(instance->netns_cookie), "netns_inode",
                        strict_json_u64(instance->netns_inode));
}

int instance_from_json(json_t *object, Instance *ret, Error *reterr) {
        Instance instance = {};
        const char *boot_id = NULL;
        const StrictField fields[] = {
                { .name = "boot", .kind = STRICT_UUID, .ret = &boot_id },
                { .name = "netns_cookie", .kind = STRICT_U64, .ret = &instance.netns_cookie },
                { .name = "netns_inode", .kind = STRICT_U64, .ret = &instance.netns_inode },
        };

        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "instance");

        memcpy(instance.boot_id, boot_id, TX_ID_SIZE);
        *ret = instance;
        return 0;
}

/* --- shared --------------------------------------------------------------------------------------------- */

/* Takes the reference; NULL is "out of memory" of whoever built it. */
static int render_and_free(json_t *taken, StrBuf *out) {
        json_auto_t *object = taken;
        return object ? strict_json_render(object, out) : -ENOMEM;
}

static int payload_parse(const JournalFrame *frame, json_t **ret, Error *reterr) {
        int r = strict_json_parse(
                        frame->payload, frame->payload_length, JOURNAL_MAX_PAYLOAD, ret, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "frame %s", journal_type_name(frame->type));
        return 0;
}

static int payload_read(
                const JournalFrame *frame, json_t *object, const StrictField *fields,
                size_t n_fields, Error *reterr) {
        int r = strict_json_read(object, fields, n_fields, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "frame %s", journal_type_name(frame->type));
        return 0;
}

/* --- prepared ------------------------------------------------------------------------------------------- */

json_t *journal_keys_to_json(const JournalKey *keys, size_t n_keys) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < n_keys; i++) {
                json_t *key = json_pack(
                                "{s:s, s:o, s:o}", "k", keys[i].key, "b",
                                strict_json_text(keys[i].before), "w",
                                strict_json_text(keys[i].want));
                if (json_array_append_new(array, key) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

json_t *journal_profiles_to_json(const JournalProfile *profiles, size_t n_profiles) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < n_profiles; i++) {
                json_t *profile = json_pack(
                                "{s:s, s:o}", "name", profiles[i].name, "digest",
                                strict_json_sha256(&profiles[i].digest));
                if (json_array_append_new(array, profile) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

static int window_to_json(const JournalPrepared *prepared, json_t *object) {
        json_auto_t *window = json_pack(
                        "{s:o, s:o}", "s", strict_json_number(prepared->window_s), "profiles",
                        journal_profiles_to_json(prepared->profiles, prepared->n_profiles));
        json_t *gate = prepared->gate ? json_string(prepared->gate) : NULL;
        int r = strict_json_set_if(window, "gate", prepared->gate, gate);
        return r < 0 ? r : strict_json_set_if(object, "window", true, TAKE_PTR(window));
}

int journal_prepared_encode(const JournalPrepared *prepared, StrBuf *out) {
        json_auto_t *object = json_pack(
                        "{s:o, s:s, s:o, s:o, s:o, s:o}", "instance",
                        instance_to_json(&prepared->instance), "verb", prepared->verb, "from",
                        strict_json_number(prepared->from), "to", strict_json_number(prepared->to),
                        "audit_seq", strict_json_number(prepared->audit_seq), "keys",
                        journal_keys_to_json(prepared->keys, prepared->n_keys));
        if (!object || (prepared->has_window && window_to_json(prepared, object) < 0))
                return -ENOMEM;
        return strict_json_render(object, out);
}

static int key_from_json(json_t *object, Arena *arena, JournalKey *ret, Error *reterr) {
        const char *key = NULL, *before = NULL, *want = NULL;
        const StrictField fields[] = {
                { .name = "k", .kind = STRICT_TEXT, .max = KEY_MAX, .ret = &key },
                { .name = "b", .kind = STRICT_TEXT, .max = SYSCTL_VALUE_TEXT_MAX, .ret = &before },
                { .name = "w", .kind = STRICT_TEXT, .max = SYSCTL_VALUE_TEXT_MAX, .ret = &want },
        };

        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        JournalKey row = {
                .key = arena_copy(arena, key),
                .before = arena_copy(arena, before),
                .want = arena_copy(arena, want),
        };
        if (!row.key || !row.before || !row.want)
                return error_set(reterr, -ENOMEM, "cannot keep a key");

        *ret = row;
        return 0;
}

int journal_keys_from_json(
                json_t *array, Arena *arena, const JournalKey **ret, size_t *ret_n, Error *reterr) {
        size_t n = json_array_size(array);
        JournalKey *keys = arena_alloc_array(arena, n + 1, sizeof(*keys));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot keep the keys");

        for (size_t i = 0; i < n; i++) {
                int r = key_from_json(json_array_get(array, i), arena, &keys[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "key %zu", i);
        }

        *ret = keys;
        *ret_n = n;
        return 0;
}

int journal_profiles_from_json(
                json_t *array, Arena *arena, const JournalProfile **ret, size_t *ret_n,
                Error *reterr) {
        size_t n = json_array_size(array);
        JournalProfile *profiles = arena_alloc_array(arena, n + 1, sizeof(*profiles));
        if (!profiles)
                return error_set(reterr, -ENOMEM, "cannot keep the profiles");

        for (size_t i = 0; i < n; i++) {
                const char *name = NULL;
                const StrictField fields[] = {
                        { .name = "name", .kind = STRICT_TEXT, .max = KEY_MAX, .ret = &name },
                        { .name = "digest", .kind = STRICT_SHA256, .ret = &profiles[i].digest },
                };
                int r = strict_json_read(
                                json_array_get(array, i), fields, ELEMENTSOF(fields), reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "profile %zu", i);
                profiles[i].name = arena_copy(arena, name);
                if (!profiles[i].name)
                        return error_set(reterr, -ENOMEM, "cannot keep a profile");
        }

        *ret = profiles;
        *ret_n = n;
        return 0;
}

static int window_from_json(
                json_t *object, Arena *arena, JournalPrepared *prepared, Error *reterr) {
        if (!object)
                return 0;

        json_t *profiles = NULL;
        const char *gate = NULL;
        const StrictField fields[] = {
                { .name = "s", .kind = STRICT_NUMBER, .ret = &prepared->window_s },
                { .name = "profiles",
                  .kind = STRICT_ARRAY,
                  .max = JOURNAL_MAX_PROFILES,
                  .ret = &profiles },
                { .name = "gate",
                  .kind = STRICT_BYTES,
                  .max = JOURNAL_GATE_MAX,
                  .optional = true,
                  .ret = &gate },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;
        prepared->has_window = true;
        prepared->gate = gate ? arena_copy(arena, gate) : NULL;
        if (gate && !prepared->gate)
                return error_set(reterr, -ENOMEM, "cannot keep the gate");
        return journal_profiles_from_json(
                        profiles, arena, &prepared->profiles, &prepared->n_profiles, reterr);
}

static int prepared_members(
                json_t *object, const JournalFrame *frame, Arena *arena, JournalPrepared *ret,
                Error *reterr) {
        json_t *instance = NULL, *keys = NULL, *window = NULL;
        const char *verb = NULL;
        const StrictField fields[] = {
                { .name = "instance", .kind = STRICT_OBJECT, .ret = &instance },
                { .name = "verb", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &verb },
                { .name = "from", .kind = STRICT_NUMBER, .ret = &ret->from },
                { .name = "to", .kind = STRICT_NUMBER, .ret = &ret->to },
                { .name = "audit_seq", .kind = STRICT_NUMBER, .ret = &ret->audit_seq },
                { .name = "keys", .kind = STRICT_ARRAY, .max = JOURNAL_MAX_KEYS, .ret = &keys },
                { .name = "window", .kind = STRICT_OBJECT, .optional = true, .ret = &window },
        };
        int r = payload_read(frame, object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        r = instance_from_json(instance, &ret->instance, reterr);
        if (r >= 0)
                r = journal_keys_from_json(keys, arena, &ret->keys, &ret->n_keys, reterr);
        if (r >= 0)
                r = window_from_json(window, arena, ret, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "frame prepared");

        ret->verb = arena_copy(arena, verb);
        return ret->verb ? 0 : error_set(reterr, -ENOMEM, "cannot keep the verb");
}

int journal_prepared_decode(
                const JournalFrame *frame, Arena *arena, JournalPrepared *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = payload_parse(frame, &object, reterr);
        if (r < 0)
                return r;

        JournalPrepared prepared = {};
        r = prepared_members(object, frame, arena, &prepared, reterr);
        if (r < 0)
                return r;

        *ret = prepared;
        return 0;
}

/* --- applied -------------------------------------------------------------------------------------------- */

static json_t *session_to_json(const JournalApplied *applied) {
        return json_pack(
                        "{s:I, s:I}", "auid", (json_int_t) applied->auid, "session",
                        (json_int_t) applied->session);
}

int journal_applied_encode(const JournalApplied *applied, StrBuf *out) {
        json_auto_t *object = json_pack(
                        "{s:s, s:I, s:o, s:o, s:o}", "token", applied->token, "deadline_ms",
                        (json_int_t) applied->deadline_ms, "request",
                        strict_json_sha256(&applied->request), "by", session_to_json(applied),
                        "keys", journal_keys_to_json(applied->keys, applied->n_keys));
        if (!object ||
            (applied->has_fragment &&
             json_object_set_new(object, "fragment", strict_json_sha256(&applied->fragment)) < 0))
                return -ENOMEM;

        int r = strict_json_render(object, out);
        if (r < 0)
                return r;
        /* The generation's text goes in as it is: it is kept encoded, and may be large. */
        assert(out->length > 1 && out->data[out->length - 1] == '}');
        out->length--;
        strbuf_add(out, ",\"generation\":");
        r = generation_encode(applied->generation, out);
        strbuf_add_char(out, '}');
        return r;
}

typedef struct AppliedMembers {
        json_t *by, *keys, *generation;
        const char *token;
} AppliedMembers;

static int applied_read(
                json_t *object, const JournalFrame *frame, JournalApplied *ret,
                AppliedMembers *members, Error *reterr) {
        const StrictField fields[] = {
                { .name = "token",
                  .kind = STRICT_TEXT,
                  .max = JOURNAL_TOKEN_MAX,
                  .ret = &members->token },
                { .name = "deadline_ms", .kind = STRICT_INTEGER, .ret = &ret->deadline_ms },
                { .name = "request", .kind = STRICT_SHA256, .ret = &ret->request },
                { .name = "by", .kind = STRICT_OBJECT, .ret = &members->by },
                { .name = "fragment",
                  .kind = STRICT_SHA256,
                  .optional = true,
                  .ret = &ret->fragment,
                  .ret_present = &ret->has_fragment },
                { .name = "keys",
                  .kind = STRICT_ARRAY,
                  .max = JOURNAL_MAX_KEYS,
                  .ret = &members->keys },
                { .name = "generation", .kind = STRICT_OBJECT, .ret = &members->generation },
        };
        int r = payload_read(frame, object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        const StrictField session[] = {
                { .name = "auid", .kind = STRICT_INTEGER, .ret = &ret->auid },
                { .name = "session", .kind = STRICT_INTEGER, .ret = &ret->session },
        };
        r = strict_json_read(members->by, session, ELEMENTSOF(session), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "frame applied: member 'by'");
        if (ret->deadline_ms < 0)
                return error_set(reterr, -EBADMSG, "frame applied: its deadline is below zero");
        return 0;
}

int journal_applied_decode(
                const JournalFrame *frame, Arena *arena, JournalApplied *ret,
                Generation **ret_generation, Error *reterr) {
        json_auto_t *object = NULL;
        int r = payload_parse(frame, &object, reterr);
        if (r < 0)
                return r;

        JournalApplied applied = {};
        AppliedMembers members = {};
        CLEANUP(generation_freep) Generation *generation = NULL;
        r = applied_read(object, frame, &applied, &members, reterr);
        if (r < 0)
                return r;

        r = journal_keys_from_json(members.keys, arena, &applied.keys, &applied.n_keys, reterr);
        if (r >= 0)
                r = generation_from_json(members.generation, &generation, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "frame applied");
        if (!streq_null(generation->tx, frame->tx))
                return error_set(
                                reterr, -EBADMSG,
                                "frame applied: its generation is of another transaction");
        applied.token = arena_copy(arena, members.token);
        if (!applied.token)
                return error_set(reterr, -ENOMEM, "cannot keep the token");

        applied.generation = generation;
        *ret = applied;
        *ret_generation = TAKE_PTR(generation);
        return 0;
}

/* --- commit --------------------------------------------------------------------------------------------- */

int journal_commit_encode(const JournalCommit *commit, StrBuf *out) {
        return generation_encode(commit->generation, out);
}

int journal_commit_decode(const JournalFrame *frame, Generation **ret, Error *reterr) {
        CLEANUP(generation_freep) Generation *generation = NULL;
        int r = generation_decode(frame->payload, frame->payload_length, &generation, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "frame commit");

        if (!streq_null(generation->tx, frame->tx))
                return error_set(
                                reterr, -EBADMSG,
                                "frame commit: generation %llu is of another transaction",
                                (unsigned long long) generation->number);

        *ret = TAKE_PTR(generation);
        return 0;
}

/* --- revert and done ------------------------------------------------------------------------------------ */

int journal_revert_encode(const JournalRevert *revert, StrBuf *out) {
        json_auto_t *object = json_pack(
                        "{s:s, s:i}", "cause", revert->cause, "error", revert->error);
        json_t *key = revert->key ? json_string(revert->key) : NULL;
        int r = strict_json_set_if(object, "key", revert->key, key);
        if (r < 0)
                return r;
        json_t *evidence = revert->evidence ? strict_json_text(revert->evidence) : NULL;
        r = strict_json_set_if(object, "evidence", revert->evidence, evidence);
        return r < 0 ? r : strict_json_render(object, out);
}

int journal_revert_decode(
                const JournalFrame *frame, Arena *arena, JournalRevert *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = payload_parse(frame, &object, reterr);
        if (r < 0)
                return r;

        const char *cause = NULL, *key = NULL, *evidence = NULL;
        uint64_t error = 0;
        const StrictField fields[] = {
                { .name = "cause", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &cause },
                { .name = "key",
                  .kind = STRICT_TEXT,
                  .max = KEY_MAX,
                  .optional = true,
                  .ret = &key },
                { .name = "error", .kind = STRICT_NUMBER, .ret = &error },
                { .name = "evidence",
                  .kind = STRICT_TEXT,
                  .max = JOURNAL_EVIDENCE_MAX,
                  .optional = true,
                  .ret = &evidence },
        };
        r = payload_read(frame, object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;
        if (error > ERRNO_MAX)
                return error_set(reterr, -EBADMSG, "frame revert: member 'error' is no errno");

        JournalRevert revert = {
                .cause = arena_copy(arena, cause),
                .key = key ? arena_copy(arena, key) : NULL,
                .error = (int) error,
                .evidence = evidence ? arena_copy(arena, evidence) : NULL,
        };
        if (!revert.cause || (key && !revert.key) || (evidence && !revert.evidence))
                return error_set(reterr, -ENOMEM, "cannot keep the cause");

        *ret = revert;
        return 0;
}

int journal_done_encode(const JournalDone *done, StrBuf *out) {
        return render_and_free(
                        json_pack("{s:s, s:o, s:o, s:o}", "outcome", done->outcome, "generation",
                                  strict_json_number(done->generation), "audit_seq",
                                  strict_json_number(done->audit_seq), "audit_hash",
                                  strict_json_sha256(&done->audit_hash)),
                        out);
}

int journal_done_decode(const JournalFrame *frame, Arena *arena, JournalDone *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = payload_parse(frame, &object, reterr);
        if (r < 0)
                return r;

        JournalDone done = {};
        const char *outcome = NULL;
        const StrictField fields[] = {
                { .name = "outcome", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &outcome },
                { .name = "generation", .kind = STRICT_NUMBER, .ret = &done.generation },
                { .name = "audit_seq", .kind = STRICT_NUMBER, .ret = &done.audit_seq },
                { .name = "audit_hash", .kind = STRICT_SHA256, .ret = &done.audit_hash },
        };
        r = payload_read(frame, object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        done.outcome = arena_copy(arena, outcome);
        if (!done.outcome)
                return error_set(reterr, -ENOMEM, "cannot keep the outcome");

        *ret = done;
        return 0;
}
