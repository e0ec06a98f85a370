/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-format.h"

#include "insight/snapshot-format.h"

/* --- findings ------------------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text) {
        return text ? strict_json_text(text) : json_null();
}

static json_t *numbers_to_json(const AdviceFinding *f) {
        json_auto_t *array = json_array();
        for (size_t i = 0; i < f->n_numbers; i++) {
                const AdviceNumber *number = &f->numbers[i];
                json_t *row = json_pack(
                                "{s:s, s:f, s:s}", "name", number->name, "value", number->value,
                                "unit", number->unit);
                if (json_array_append_new(array, row) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

static json_t *remedies_to_json(const AdviceFinding *f) {
        json_auto_t *array = json_array();
        for (AdviceRemedyId id = advice_next_remedy(f, ADVICE_REMEDIES); id != ADVICE_REMEDIES;
             id = advice_next_remedy(f, id)) {
                const AdviceRemedy *remedy = advice_remedy_get(id);
                json_t *row = json_pack(
                                "{s:s, s:s, s:s?, s:s?, s:o}", "remedy", remedy->name, "text",
                                remedy->text, "key", remedy->key, "value", remedy->value, "detail",
                                text_or_null(f->remedy_detail[id]));
                if (json_array_append_new(array, row) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

json_t *advice_finding_to_json(const AdviceFinding *f) {
        const DiagRow *row = diag_row(f->rule->diag);
        return json_pack(
                        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:i}", "rule",
                        f->rule->id, "code", row->code, "severity",
                        advice_severity_name(f->severity), "title", row->title, "subject",
                        strict_json_text(f->subject), "evidence", strict_json_text(f->evidence),
                        "formula", strict_json_text(f->formula), "numbers", numbers_to_json(f),
                        "remedies", remedies_to_json(f), "next", strict_json_text(f->next),
                        "profile", f->profile, "more", (int) f->n_more);
}

static json_t *findings_to_json(const Advice *advice) {
        json_auto_t *array = json_array();
        for (size_t i = 0; i < advice->n_findings; i++)
                if (json_array_append_new(array, advice_finding_to_json(&advice->findings[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *skipped_to_json(const Advice *advice) {
        json_auto_t *array = json_array();
        for (size_t i = 0; i < advice->n_skipped; i++) {
                json_t *row = json_pack(
                                "{s:s, s:o}", "rule", advice->skipped[i].rule->id, "why",
                                strict_json_text(advice->skipped[i].why));
                if (json_array_append_new(array, row) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static json_t *samples_to_json(const AdviceInput *input) {
        return json_pack(
                        "{s:o, s:o}", "before",
                        input->before ? snapshot_to_json(input->before) : json_null(), "now",
                        snapshot_to_json(input->now));
}

json_t *advice_to_json(const AdviceInput *input, const Advice *advice) {
        return json_pack(
                        "{s:i, s:I, s:b, s:I, s:b, s:o, s:o, s:o, s:s?, s:o}", "v",
                        ADVICE_FORMAT_VERSION, "netns", (json_int_t) advice->netns, "initial_netns",
                        advice->initial_netns, "interval_us", (json_int_t) advice->interval_us,
                        "is_normal", advice->is_normal, "summary",
                        strict_json_text(advice->summary), "findings", findings_to_json(advice),
                        "not_evaluated", skipped_to_json(advice), "profile", advice->profile,
                        "samples", samples_to_json(input));
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int sample_from_json(json_t *object, Arena *arena, const Snapshot **ret, Error *reterr) {
        Snapshot *snapshot = arena_alloc(arena, sizeof(*snapshot));
        if (!snapshot)
                return error_set(reterr, -ENOMEM, "cannot keep a sample");
        int r = snapshot_from_json(object, arena, snapshot, reterr);
        if (r == 0)
                *ret = snapshot;
        return r;
}

static int samples_from_json(json_t *object, Arena *arena, AdviceInput *ret, Error *reterr) {
        json_t *before = NULL, *now = NULL;
        const StrictField fields[] = {
                { .name = "before", .kind = STRICT_ANY, .ret = &before },
                { .name = "now", .kind = STRICT_OBJECT, .ret = &now },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'samples'");
        AdviceInput input = {};
        r = sample_from_json(now, arena, &input.now, reterr);
        if (r == 0 && !json_is_null(before))
                r = sample_from_json(before, arena, &input.before, reterr);
        if (r == 0)
                *ret = input;
        return r;
}

int advice_decode_samples(
                const char *bytes, size_t n, Arena *arena, AdviceInput *ret, Error *reterr) {
        json_auto_t *document = NULL;
        int r = strict_json_parse(bytes, n, ADVICE_FORMAT_MAX_BYTES, &document, reterr);
        if (r < 0)
                return r;
        json_t *result = json_object_get(document, "result");
        json_t *object = result ? result : document;
        json_t *samples = json_object_get(object, "samples");
        if (samples)
                return samples_from_json(samples, arena, ret, reterr);
        AdviceInput input = {};
        r = sample_from_json(object, arena, &input.now, reterr);
        if (r == 0)
                *ret = input;
        return r;
}
