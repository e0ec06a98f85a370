/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/status-format.h"

#include "record/generation-format.h"
#include "record/strict-json.h"

#define STATUS_MAX_JSON ((size_t) 4 * 1024 * 1024)
#define WORD_MAX        64U
#define QUARANTINED_MAX 4096U

static json_t *last_to_json(const Status *status) {
        json_auto_t *object = json_pack(
                        "{s:s, s:I}", "outcome", status->last_outcome, "time_us",
                        (json_int_t) status->last_time_us);
        const char *tx = status->last_tx;
        if (strict_json_set_if(object, "tx", tx, tx ? json_string(tx) : NULL) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *undecided_to_json(const Status *status) {
        return json_pack(
                        "{s:s, s:I}", "tx", status->undecided_tx, "deadline_ms",
                        (json_int_t) status->undecided_deadline_ms);
}

static json_t *quarantined_to_json(const Status *status) {
        json_auto_t *array = json_array();
        for (size_t i = 0; i < status->n_quarantined; i++)
                if (json_array_append_new(array, quarantine_to_json(&status->quarantined[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

/* Adds the member unless it is not wanted. 0 or -ENOMEM. */
static int add_if(
                json_t *object, const char *name, bool wanted, json_t *(*make)(const Status *),
                const Status *status) {
        return !wanted || json_object_set_new(object, name, make(status)) == 0 ? 0 : -ENOMEM;
}

/* The generation's text goes in as it is: it is kept encoded, and may be large. */
static int add_generation(const Generation *generation, StrBuf *out) {
        assert(out->length > 1 && out->data[out->length - 1] == '}');
        out->length--;
        strbuf_add(out, ",\"generation\":");
        int r = generation_encode(generation, out);
        strbuf_add_char(out, '}');
        return r;
}

int status_encode(const Status *status, StrBuf *out) {
        json_auto_t *object = json_pack(
                        "{s:i, s:o, s:o, s:b}", "v", STATUS_FORMAT_VERSION, "instance",
                        instance_to_json(&status->instance), "highest_generation",
                        strict_json_number(status->highest_generation), "attention",
                        status->attention ? 1 : 0);
        if (!object || add_if(object, "last", status->last_outcome, last_to_json, status) < 0 ||
            add_if(object, "undecided", status->undecided_tx, undecided_to_json, status) < 0 ||
            add_if(object, "quarantined", status->n_quarantined > 0, quarantined_to_json, status) <
                            0)
                return -ENOMEM;

        int r = strict_json_render(object, out);
        if (r == 0 && out->failed)
                r = -ENOMEM;
        return r < 0 || !status->generation ? r : add_generation(status->generation, out);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int keep(Arena *arena, const char *text, const char **ret, Error *reterr) {
        *ret = text ? arena_copy(arena, text) : NULL;
        if (text && !*ret)
                return error_set(reterr, -ENOMEM, "cannot keep a status");
        return 0;
}

static int last_from_json(json_t *object, Arena *arena, Status *status, Error *reterr) {
        const char *outcome = NULL, *tx = NULL;
        const StrictField fields[] = {
                { .name = "outcome", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &outcome },
                { .name = "tx", .kind = STRICT_UUID, .optional = true, .ret = &tx },
                { .name = "time_us", .kind = STRICT_INTEGER, .ret = &status->last_time_us },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'last'");

        r = keep(arena, outcome, &status->last_outcome, reterr);
        if (r < 0)
                return r;
        return keep(arena, tx, &status->last_tx, reterr);
}

static int undecided_from_json(json_t *object, Arena *arena, Status *status, Error *reterr) {
        const char *tx = NULL;
        const StrictField fields[] = {
                { .name = "tx", .kind = STRICT_UUID, .ret = &tx },
                { .name = "deadline_ms",
                  .kind = STRICT_INTEGER,
                  .ret = &status->undecided_deadline_ms },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'undecided'");
        return keep(arena, tx, &status->undecided_tx, reterr);
}

static int quarantined_from_json(json_t *array, Arena *arena, Status *status, Error *reterr) {
        size_t n = json_array_size(array);
        Quarantine *rows = arena_alloc_array(arena, n + 1, sizeof(*rows));
        if (!rows)
                return error_set(reterr, -ENOMEM, "cannot keep a status");

        for (size_t i = 0; i < n; i++) {
                int r = quarantine_from_json(json_array_get(array, i), arena, &rows[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "member 'quarantined'");
        }
        status->quarantined = rows;
        status->n_quarantined = n;
        return 0;
}

static int members_from_json(json_t *object, Arena *arena, Status *status, Error *reterr) {
        uint64_t version = 0;
        json_t *instance = NULL, *generation = NULL, *last = NULL, *undecided = NULL,
               *quarantined = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER, .ret = &version },
                { .name = "instance", .kind = STRICT_OBJECT, .ret = &instance },
                { .name = "generation",
                  .kind = STRICT_OBJECT,
                  .optional = true,
                  .ret = &generation },
                { .name = "highest_generation",
                  .kind = STRICT_NUMBER,
                  .ret = &status->highest_generation },
                { .name = "last", .kind = STRICT_OBJECT, .optional = true, .ret = &last },
                { .name = "undecided", .kind = STRICT_OBJECT, .optional = true, .ret = &undecided },
                { .name = "quarantined",
                  .kind = STRICT_ARRAY,
                  .max = QUARANTINED_MAX,
                  .optional = true,
                  .ret = &quarantined },
                { .name = "attention", .kind = STRICT_BOOL, .ret = &status->attention },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        r = instance_from_json(instance, &status->instance, reterr);
        if (r < 0)
                return r;
        r = last ? last_from_json(last, arena, status, reterr) : 0;
        if (r < 0)
                return r;
        r = undecided ? undecided_from_json(undecided, arena, status, reterr) : 0;
        if (r < 0)
                return r;
        r = quarantined ? quarantined_from_json(quarantined, arena, status, reterr) : 0;
        if (r < 0)
                return r;
        r = generation ? generation_from_json(generation, &status->owned_generation, reterr) : 0;
        if (r < 0)
                return r;

        status->generation = status->owned_generation;
        if (status->generation && status->generation->number > status->highest_generation)
                return error_set(reterr, -EBADMSG, "its generation is above the highest");
        return 0;
}

int status_decode(const char *bytes, size_t n, Arena *arena, Status *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = strict_json_parse(bytes, n, STATUS_MAX_JSON, &object, reterr);
        if (r < 0)
                return r;

        r = strict_json_check_version(object, STATUS_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;

        CLEANUP(status_deinit) Status status = {};
        r = members_from_json(object, arena, &status, reterr);
        if (r < 0)
                return r;

        *ret = status;
        status = (Status){};
        return 0;
}

void status_deinit(Status *status) {
        (void) generation_free(status->owned_generation);
        *status = (Status){};
}
