/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/json.h"

#include "base/strbuf.h"
#include "diag/utf8.h"

json_t *diag_json_text(const char *text) {
        size_t n = strlen(text);
        if (utf8_is_valid(text, n))
                return json_string_nocheck(text);

        CLEANUP(strbuf_deinit) StrBuf fixed = { 0 };
        for (size_t i = 0; i < n;) {
                uint32_t character;
                size_t step = utf8_decode(text + i, n - i, &character);
                if (step > 0)
                        strbuf_add_bytes(&fixed, text + i, step);
                else
                        strbuf_add(&fixed, "\xEF\xBF\xBD");
                i += step > 0 ? step : 1;
        }
        return fixed.failed ? NULL : json_string_nocheck(strbuf_text(&fixed));
}

/* Both take `value` over, also when they fail; NULL (out of memory) is passed on as failure. */
static bool object_take(json_t *object, const char *field, json_t *value) {
        return json_object_set_new_nocheck(object, field, value) == 0;
}

static bool array_take(json_t *array, json_t *value) {
        return json_array_append_new(array, value) == 0;
}

static bool object_add_text(json_t *object, const char *field, const char *text) {
        return !text || object_take(object, field, diag_json_text(text));
}

static bool object_add_place(json_t *object, const Span *span) {
        if (!span_is_set(span))
                return true;

        json_t *place = json_object();
        return object_take(object, "place", place) &&
               object_add_text(place, "file", source_name(span->source)) &&
               object_take(place, "line", json_integer(span->line)) &&
               object_take(place, "column", json_integer(span->column)) &&
               object_take(place, "end_line", json_integer(span->end_line)) &&
               object_take(place, "end_column", json_integer(span->end_column));
}

static bool object_add_labels(json_t *object, const Diag *diag) {
        if (diag->n_labels == 0)
                return true;

        json_t *labels = json_array();
        if (!object_take(object, "labels", labels))
                return false;
        for (size_t i = 0; i < diag->n_labels; i++) {
                json_t *label = json_object();
                if (!array_take(labels, label) || !object_add_place(label, &diag->labels[i].span) ||
                    !object_add_text(label, "text", diag->labels[i].text))
                        return false;
        }
        return true;
}

static bool object_add_notes(json_t *object, const Diag *diag) {
        if (diag->n_notes == 0)
                return true;

        json_t *notes = json_array();
        if (!object_take(object, "notes", notes))
                return false;
        for (size_t i = 0; i < diag->n_notes; i++)
                if (!array_take(notes, diag_json_text(diag->notes[i])))
                        return false;
        return true;
}

static bool object_fill(json_t *object, const Diag *diag) {
        const DiagRow *row = diag_row(diag->id);
        return object_add_text(object, "code", row->code) &&
               object_add_text(object, "name", row->name) &&
               object_add_text(object, "severity", diag_severity_name(row->severity)) &&
               object_add_text(object, "message", diag->message) &&
               object_add_text(object, "key", diag->key) &&
               object_add_text(object, "profile", diag->profile) &&
               object_add_place(object, &diag->span) && object_add_labels(object, diag) &&
               object_add_notes(object, diag) && object_add_text(object, "help", diag->help);
}

json_t *diag_json_encode(const DiagList *list) {
        json_t *array = json_array();
        if (!array)
                return NULL;

        for (size_t i = 0; i < diag_list_count(list); i++) {
                json_t *object = json_object();
                if (!array_take(array, object) || !object_fill(object, diag_list_get(list, i))) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

/* The texts of files do not travel: their sources are empty and have a name only. */
typedef struct Files {
        DiagList *list;
        const Source **sources;
        size_t n, capacity;
} Files;

static void files_deinit(Files *files) {
        free(files->sources);
}

static const Source *files_get(Files *files, const char *name) {
        for (size_t i = 0; i < files->n; i++)
                if (streq(source_name(files->sources[i]), name))
                        return files->sources[i];

        if (files->n == files->capacity) {
                size_t capacity = files->capacity * 2 + 4;
                const Source **sources = reallocarray(files->sources, capacity, sizeof(Source *));
                if (!sources)
                        return NULL;
                files->sources = sources;
                files->capacity = capacity;
        }
        Source *source = source_new(name, "", 0);
        if (!source)
                return NULL;
        diag_list_take_source(files->list, source);
        files->sources[files->n++] = source;
        return source;
}

static int number_decode(const json_t *place, const char *field, uint32_t *ret) {
        const json_t *value = json_object_get(place, field);
        json_int_t number = json_integer_value(value);
        if (!json_is_integer(value) || number < 1 || number > UINT32_MAX)
                return -EINVAL;
        *ret = (uint32_t) number;
        return 0;
}

/* An object without `place` has the empty span. */
static int place_decode(Files *files, const json_t *object, Span *ret) {
        const json_t *place = json_object_get(object, "place");
        *ret = (Span){ .line = 0 };
        if (!place)
                return 0;

        const char *file = json_string_value(json_object_get(place, "file"));
        Span span = { .source = NULL };
        if (!file || number_decode(place, "line", &span.line) < 0 ||
            number_decode(place, "column", &span.column) < 0 ||
            number_decode(place, "end_line", &span.end_line) < 0 ||
            number_decode(place, "end_column", &span.end_column) < 0)
                return -EINVAL;
        span.source = files_get(files, file);
        if (!span.source)
                return -ENOMEM;
        *ret = span;
        return 0;
}

/* 0 also when it is absent; *ret is then NULL. */
static int text_decode(const json_t *object, const char *field, const char **ret) {
        const json_t *value = json_object_get(object, field);
        if (value && !json_is_string(value))
                return -EINVAL;
        *ret = json_string_value(value);
        return 0;
}

static int labels_decode(Files *files, const json_t *object, Diag *diag) {
        json_t *labels = json_object_get(object, "labels"), *label;
        if (labels && !json_is_array(labels))
                return -EINVAL;

        size_t i;
        json_array_foreach(labels, i, label) {
                const char *text = json_string_value(json_object_get(label, "text"));
                Span span;
                int r = text ? place_decode(files, label, &span) : -EINVAL;
                if (r < 0)
                        return r;
                if (diag->n_labels < DIAG_MAX_LABELS) /* a newer helper may know more */
                        diag_add_label(files->list, diag, span, "%s", text);
        }
        return 0;
}

static int notes_decode(DiagList *list, const json_t *object, Diag *diag) {
        json_t *notes = json_object_get(object, "notes"), *note;
        if (notes && !json_is_array(notes))
                return -EINVAL;

        size_t i;
        json_array_foreach(notes, i, note) {
                if (!json_is_string(note))
                        return -EINVAL;
                if (diag->n_notes < DIAG_MAX_NOTES)
                        diag_add_note(list, diag, "%s", json_string_value(note));
        }
        return 0;
}

static int diag_decode(Files *files, const json_t *object) {
        const char *name = json_string_value(json_object_get(object, "name"));
        const char *message = json_string_value(json_object_get(object, "message"));
        const char *code, *key, *profile, *help;
        if (!name || !message || text_decode(object, "code", &code) < 0 ||
            text_decode(object, "key", &key) < 0 || text_decode(object, "profile", &profile) < 0 ||
            text_decode(object, "help", &help) < 0)
                return -EINVAL;
        Span span;
        int r = place_decode(files, object, &span);
        if (r < 0)
                return r;

        const DiagRow *row = diag_row_find(name);
        DiagList *list = files->list;
        Diag *diag = diag_add(list, row ? diag_row_id(row) : DIAG_FOREIGN, span, "%s", message);
        if (!row)
                diag_add_note(list, diag, "the helper calls it %s (%s)", name,
                              code ? code : "no code");
        if (key)
                diag_set_key(list, diag, key);
        if (profile)
                diag_set_profile(list, diag, profile);
        if (help)
                diag_set_help(list, diag, "%s", help);
        r = labels_decode(files, object, diag);
        return r < 0 ? r : notes_decode(list, object, diag);
}

int diag_json_decode(json_t *array, DiagList *list) {
        if (!json_is_array(array))
                return -EINVAL;

        CLEANUP(diag_list_freep) DiagList *decoded = diag_list_new();
        if (!decoded)
                return -ENOMEM;

        CLEANUP(files_deinit) Files files = { .list = decoded };
        size_t i;
        json_t *object;
        json_array_foreach(array, i, object) {
                int r = json_is_object(object) ? diag_decode(&files, object) : -EINVAL;
                if (r < 0)
                        return r;
        }
        diag_list_move(list, decoded);
        return 0;
}
