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

static json_t *keys_to_json(const JournalKey *keys, size_t n_keys) {
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

int journal_prepared_encode(const JournalPrepared *prepared, StrBuf *out) {
        return render_and_free(
                        json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "instance",
                                  instance_to_json(&prepared->instance), "verb", prepared->verb,
                                  "from", strict_json_number(prepared->from), "to",
                                  strict_json_number(prepared->to), "audit_seq",
                                  strict_json_number(prepared->audit_seq), "keys",
                                  keys_to_json(prepared->keys, prepared->n_keys)),
                        out);
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

static int keys_from_json(json_t *array, Arena *arena, JournalPrepared *prepared, Error *reterr) {
        size_t n = json_array_size(array);
        JournalKey *keys = arena_alloc_array(arena, n, sizeof(*keys));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot keep the keys");

        for (size_t i = 0; i < n; i++) {
                int r = key_from_json(json_array_get(array, i), arena, &keys[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "frame prepared: key %zu", i);
        }

        prepared->keys = keys;
        prepared->n_keys = n;
        return 0;
}

int journal_prepared_decode(
                const JournalFrame *frame, Arena *arena, JournalPrepared *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = payload_parse(frame, &object, reterr);
        if (r < 0)
                return r;

        JournalPrepared prepared = {};
        json_t *instance = NULL, *keys = NULL;
        const char *verb = NULL;
        const StrictField fields[] = {
                { .name = "instance", .kind = STRICT_OBJECT, .ret = &instance },
                { .name = "verb", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &verb },
                { .name = "from", .kind = STRICT_NUMBER, .ret = &prepared.from },
                { .name = "to", .kind = STRICT_NUMBER, .ret = &prepared.to },
                { .name = "audit_seq", .kind = STRICT_NUMBER, .ret = &prepared.audit_seq },
                { .name = "keys", .kind = STRICT_ARRAY, .max = JOURNAL_MAX_KEYS, .ret = &keys },
        };
        r = payload_read(frame, object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        r = instance_from_json(instance, &prepared.instance, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "frame prepared");

        r = keys_from_json(keys, arena, &prepared, reterr);
        if (r < 0)
                return r;

        prepared.verb = arena_copy(arena, verb);
        if (!prepared.verb)
                return error_set(reterr, -ENOMEM, "cannot keep the verb");

        *ret = prepared;
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
        return render_and_free(
                        json_pack("{s:s, s:s*, s:i}", "cause", revert->cause, "key", revert->key,
                                  "error", revert->error),
                        out);
}

int journal_revert_decode(
                const JournalFrame *frame, Arena *arena, JournalRevert *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = payload_parse(frame, &object, reterr);
        if (r < 0)
                return r;

        const char *cause = NULL, *key = NULL;
        uint64_t error = 0;
        const StrictField fields[] = {
                { .name = "cause", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &cause },
                { .name = "key",
                  .kind = STRICT_TEXT,
                  .max = KEY_MAX,
                  .optional = true,
                  .ret = &key },
                { .name = "error", .kind = STRICT_NUMBER, .ret = &error },
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
        };
        if (!revert.cause || (key && !revert.key))
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
