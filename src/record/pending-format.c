/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/pending-format.h"

int pending_encode(const Pending *pending, StrBuf *out) {
        json_auto_t *object = json_pack(
                        "{s:i, s:s, s:I, s:o, s:o, s:o}", "v", PENDING_FORMAT_VERSION, "tx",
                        pending->tx, "deadline_ms", (json_int_t) pending->deadline_ms, "instance",
                        instance_to_json(&pending->instance), "keys",
                        journal_keys_to_json(pending->keys, pending->n_keys), "profiles",
                        journal_profiles_to_json(pending->profiles, pending->n_profiles));
        const char *gate = pending->gate;
        int r = strict_json_set_if(object, "gate", gate, gate ? json_string(gate) : NULL);
        return r < 0 ? r : strict_json_render(object, out);
}

static int pending_keep_gate(const char *gate, Arena *arena, Pending *pending, Error *reterr) {
        pending->gate = gate ? arena_copy(arena, gate) : NULL;
        return gate && !pending->gate ? error_set(reterr, -ENOMEM, "cannot keep the gate") : 0;
}

static int pending_read(json_t *object, Arena *arena, Pending *pending, Error *reterr) {
        uint64_t version = 0;
        const char *tx = NULL, *gate = NULL;
        json_t *instance = NULL, *keys = NULL, *profiles = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER, .ret = &version },
                { .name = "tx", .kind = STRICT_UUID, .ret = &tx },
                { .name = "deadline_ms", .kind = STRICT_INTEGER, .ret = &pending->deadline_ms },
                { .name = "instance", .kind = STRICT_OBJECT, .ret = &instance },
                { .name = "keys", .kind = STRICT_ARRAY, .max = JOURNAL_MAX_KEYS, .ret = &keys },
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

        memcpy(pending->tx, tx, TX_ID_SIZE);
        r = instance_from_json(instance, &pending->instance, reterr);
        if (r >= 0)
                r = journal_keys_from_json(keys, arena, &pending->keys, &pending->n_keys, reterr);
        if (r >= 0)
                r = journal_profiles_from_json(
                                profiles, arena, &pending->profiles, &pending->n_profiles, reterr);
        return r < 0 ? r : pending_keep_gate(gate, arena, pending, reterr);
}

int pending_decode(const char *bytes, size_t n, Arena *arena, Pending *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = strict_json_parse(bytes, n, PENDING_MAX_BYTES, &object, reterr);
        if (r >= 0)
                r = strict_json_check_version(object, PENDING_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;

        Pending pending = {};
        r = pending_read(object, arena, &pending, reterr);
        if (r < 0)
                return r;
        *ret = pending;
        return 0;
}
