/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/result-json.h"

#include "diag/json.h"

json_t *result_json_text(const char *text) {
        return text ? diag_json_text(text) : json_null();
}

json_t *result_json_deadline(int64_t deadline_ms) {
        return deadline_ms > 0 ? json_integer(deadline_ms) : json_null();
}

static json_t *change_encode(const EngineChange *change) {
        return json_pack(
                        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "key",
                        result_json_text(change->key), "profile", result_json_text(change->profile),
                        "origin", result_json_text(change->origin), "before",
                        result_json_text(change->before), "wanted",
                        result_json_text(change->wanted), "after", result_json_text(change->after),
                        "outcome", result_json_text(change->outcome), "note",
                        result_json_text(change->note));
}

static json_t *changes_encode(const EngineResult *result) {
        json_t *changes = json_array();
        if (!changes)
                return NULL;
        for (size_t i = 0; i < result->n_changes; i++)
                if (json_array_append_new(changes, change_encode(&result->changes[i])) < 0) {
                        json_decref(changes);
                        return NULL;
                }
        return changes;
}

json_t *result_json_encode(const EngineResult *result) {
        return json_pack(
                        "{s:o, s:I, s:I, s:b, s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "transaction",
                        result_json_text(result->tx ? result->tx : ""), "generation_before",
                        (json_int_t) result->generation_before, "generation",
                        (json_int_t) result->generation, "changed", result->changed, "outcome",
                        result_json_text(result->outcome), "exit_code", result->exit_code, "token",
                        result_json_text(result->token), "deadline_ms",
                        result_json_deadline(result->deadline_ms), "fragment",
                        result_json_text(result->fragment), "changes", changes_encode(result),
                        "findings", diag_json_encode(result->findings));
}
