/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/quarantine-format.h"

#define NAME_MAX_BYTES 255U
#define WORD_MAX       64U

json_t *quarantine_to_json(const Quarantine *quarantine) {
        return json_pack(
                        "{s:i, s:s, s:o, s:s, s:s, s:I}", "v", QUARANTINE_FORMAT_VERSION, "name",
                        quarantine->name, "digest", strict_json_sha256(&quarantine->digest),
                        "cause", quarantine->cause, "tx", quarantine->tx, "time_us",
                        (json_int_t) quarantine->time_us);
}

int quarantine_encode(const Quarantine *quarantine, StrBuf *out) {
        json_auto_t *object = quarantine_to_json(quarantine);
        return object ? strict_json_render(object, out) : -ENOMEM;
}

int quarantine_from_json(json_t *object, Arena *arena, Quarantine *ret, Error *reterr) {
        int r = strict_json_check_version(object, QUARANTINE_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;

        Quarantine quarantine = {};
        uint64_t version = 0;
        const char *name = NULL, *cause = NULL, *tx = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER, .ret = &version },
                { .name = "name", .kind = STRICT_TEXT, .max = NAME_MAX_BYTES, .ret = &name },
                { .name = "digest", .kind = STRICT_SHA256, .ret = &quarantine.digest },
                { .name = "cause", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &cause },
                { .name = "tx", .kind = STRICT_UUID, .ret = &tx },
                { .name = "time_us", .kind = STRICT_INTEGER, .ret = &quarantine.time_us },
        };
        r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        quarantine.name = arena_copy(arena, name);
        quarantine.cause = arena_copy(arena, cause);
        quarantine.tx = arena_copy(arena, tx);
        if (!quarantine.name || !quarantine.cause || !quarantine.tx)
                return error_set(reterr, -ENOMEM, "cannot keep a quarantine");
        *ret = quarantine;
        return 0;
}

int quarantine_decode(const char *bytes, size_t n, Arena *arena, Quarantine *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = strict_json_parse(bytes, n, QUARANTINE_MAX_BYTES, &object, reterr);
        return r < 0 ? r : quarantine_from_json(object, arena, ret, reterr);
}
