/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/strict-json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "diag/utf8.h"

#define MEMBER_NAME_SHOWN_MAX 64U
#define REPLACEMENT           "\xEF\xBF\xBD" /* U+FFFD */

/* --- characters ----------------------------------------------------------------------------------------- */

static bool is_unwanted(uint32_t character) {
        return character != '\t' && utf8_is_hidden(character);
}

bool strict_json_is_text(const char *text, size_t n) {
        for (size_t i = 0; i < n;) {
                uint32_t c;
                size_t length = utf8_decode(text + i, n - i, &c);
                if (length == 0 || is_unwanted(c))
                        return false;
                i += length;
        }
        return true;
}

static bool is_word(const char *text) {
        for (const char *p = text; *p; p++) {
                bool letter = *p >= 'a' && *p <= 'z';
                bool later = (*p >= '0' && *p <= '9') || *p == '-';
                if (!letter && (!later || p == text))
                        return false;
        }
        return text[0] != '\0';
}

bool strict_json_is_uuid(const char *text) {
        static const char form[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";

        for (size_t i = 0; i < sizeof(form) - 1; i++) {
                bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
                if (form[i] == '-' ? text[i] != '-' : !hex)
                        return false;
        }
        return text[sizeof(form) - 1] == '\0';
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* jansson goes 2048 levels down before it refuses. */
static bool is_too_deep(const char *bytes, size_t n, size_t limit) {
        size_t depth = 0;
        bool in_string = false;

        for (size_t i = 0; i < n; i++) {
                char c = bytes[i];
                if (in_string) {
                        if (c == '\\')
                                i++;
                        else if (c == '"')
                                in_string = false;
                } else if (c == '"') {
                        in_string = true;
                } else if (c == '{' || c == '[') {
                        if (++depth > limit)
                                return true;
                } else if ((c == '}' || c == ']') && depth > 0) {
                        depth--;
                }
        }
        return false;
}

/* jansson 2.14 calls the end of memory a syntax error, or nothing at all, when it comes before the first value is whole. A
 * file must not count as damaged for that, so the allocations of a parse are watched. */
typedef struct MemoryWatch {
        json_malloc_t malloc;
        json_free_t free;
        bool ran_out;
} MemoryWatch;

static _Thread_local MemoryWatch memory_watch;

static void *watched_malloc(size_t n) {
        void *piece = memory_watch.malloc(n);
        memory_watch.ran_out = memory_watch.ran_out || !piece;
        return piece;
}

static json_t *load_watched(const char *bytes, size_t n, json_error_t *ret_where) {
        MemoryWatch watch = {};
        json_get_alloc_funcs(&watch.malloc, &watch.free);
        /* A parse that was left by longjmp(), as a simulated death does, leaves ours set: they must not call themselves. */
        if (watch.malloc != watched_malloc)
                memory_watch = watch;
        memory_watch.ran_out = false;
        json_set_alloc_funcs(watched_malloc, memory_watch.free);
        json_t *root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, ret_where);
        json_set_alloc_funcs(memory_watch.malloc, memory_watch.free);
        return root;
}

int strict_json_parse(const char *bytes, size_t n, size_t max, json_t **ret, Error *reterr) {
        const StrictLimits limits = { .bytes = max, .depth = STRICT_MAX_DEPTH };
        return strict_json_parse_within(bytes, n, &limits, ret, reterr);
}

int strict_json_parse_within(
                const char *bytes, size_t n, const StrictLimits *limits, json_t **ret,
                Error *reterr) {
        if (n > limits->bytes)
                return error_set(
                                reterr, -EBADMSG, "%zu bytes are more than the %zu allowed", n,
                                limits->bytes);
        if (is_too_deep(bytes, n, limits->depth))
                return error_set(reterr, -EBADMSG, "more than %zu levels", limits->depth);

        json_error_t where;
        json_auto_t *root = load_watched(bytes, n, &where);
        if (!root && memory_watch.ran_out)
                return error_set(reterr, -ENOMEM, "cannot read JSON");
        if (!root && json_error_code(&where) == json_error_duplicate_key)
                return error_set(
                                reterr, -EBADMSG, "a member is given twice at byte %d",
                                where.position);
        if (!root)
                return error_set(reterr, -EBADMSG, "not valid JSON at byte %d", where.position);
        if (!json_is_object(root))
                return error_set(reterr, -EBADMSG, "not a JSON object");

        *ret = TAKE_PTR(root);
        return 0;
}

/* Where a value goes that nobody wants. */
typedef union StrictScratch {
        const char *text;
        Sha256 hash;
        uint64_t number;
        int64_t integer;
        bool boolean;
        json_t *value;
} StrictScratch;

typedef bool (*StrictReader)(json_t *value, size_t max, void *ret);

static bool read_bytes(json_t *value, size_t max, void *ret) {
        if (!json_is_string(value) || json_string_length(value) > max)
                return false;
        *(const char **) ret = json_string_value(value);
        return true;
}

static bool read_text(json_t *value, size_t max, void *ret) {
        return read_bytes(value, max, ret) &&
               strict_json_is_text(json_string_value(value), json_string_length(value));
}

static bool read_word(json_t *value, size_t max, void *ret) {
        return read_bytes(value, max, ret) && is_word(json_string_value(value));
}

static bool read_uuid(json_t *value, UNUSED size_t max, void *ret) {
        return read_bytes(value, SIZE_MAX, ret) && strict_json_is_uuid(json_string_value(value));
}

static bool read_sha256(json_t *value, UNUSED size_t max, void *ret) {
        return json_is_string(value) && sha256_from_hex(json_string_value(value), ret) == 0;
}

static bool read_number(json_t *value, UNUSED size_t max, void *ret) {
        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return false;
        *(uint64_t *) ret = (uint64_t) json_integer_value(value);
        return true;
}

static bool read_integer(json_t *value, UNUSED size_t max, void *ret) {
        if (!json_is_integer(value))
                return false;
        *(int64_t *) ret = json_integer_value(value);
        return true;
}

static bool read_u64(json_t *value, UNUSED size_t max, void *ret) {
        return json_is_string(value) && num_parse_u64(json_string_value(value), ret) == 0;
}

static bool read_bool(json_t *value, UNUSED size_t max, void *ret) {
        if (!json_is_boolean(value))
                return false;
        *(bool *) ret = json_is_true(value);
        return true;
}

static bool read_flag(json_t *value, UNUSED size_t max, void *ret) {
        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            json_integer_value(value) > 1)
                return false;
        *(bool *) ret = json_integer_value(value) == 1;
        return true;
}

static bool read_any(json_t *value, UNUSED size_t max, void *ret) {
        *(json_t **) ret = value;
        return true;
}

static bool read_object(json_t *value, size_t max, void *ret) {
        return json_is_object(value) && read_any(value, max, ret);
}

static bool read_array(json_t *value, size_t max, void *ret) {
        return json_is_array(value) && json_array_size(value) <= max && read_any(value, max, ret);
}

static const struct {
        StrictReader read;
        const char *expected;
} strict_kinds[] = {
        [STRICT_TEXT] = { read_text, "a text without control characters, or too long" },
        [STRICT_BYTES] = { read_bytes, "a text, or too long" },
        [STRICT_WORD] = { read_word, "a word of a-z, 0-9 and '-', or too long" },
        [STRICT_UUID] = { read_uuid, "a UUID in lower case" },
        [STRICT_SHA256] = { read_sha256, "a SHA-256 in lower-case hexadecimal" },
        [STRICT_NUMBER] = { read_number, "an integer from 0" },
        [STRICT_INTEGER] = { read_integer, "an integer" },
        [STRICT_U64] = { read_u64, "a decimal number in a string" },
        [STRICT_BOOL] = { read_bool, "true or false" },
        [STRICT_FLAG] = { read_flag, "0 or 1" },
        [STRICT_OBJECT] = { read_object, "an object" },
        [STRICT_ARRAY] = { read_array, "an array, or too long" },
        [STRICT_ANY] = { read_any, "" },
};

static const StrictField *find_field(const StrictField *fields, size_t n_fields, const char *name) {
        for (size_t i = 0; i < n_fields; i++)
                if (streq(fields[i].name, name))
                        return &fields[i];
        return NULL;
}

static int refuse_unknown(
                json_t *object, const StrictField *fields, size_t n_fields, Error *reterr) {
        const char *name;
        json_t *value;
        json_object_foreach(object, name, value) {
                if (find_field(fields, n_fields, name))
                        continue;
                if (is_word(name) && strlen(name) <= MEMBER_NAME_SHOWN_MAX)
                        return error_set(reterr, -EBADMSG, "unknown member '%s'", name);
                return error_set(reterr, -EBADMSG, "unknown member");
        }
        return 0;
}

static int read_member(json_t *value, const StrictField *field, Error *reterr) {
        StrictScratch scratch;
        if (!strict_kinds[field->kind].read(value, field->max, field->ret ? field->ret : &scratch))
                return error_set(
                                reterr, -EBADMSG, "member '%s' is not %s", field->name,
                                strict_kinds[field->kind].expected);
        if (!field->check)
                return 0;

        int r = field->check(value, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member '%s'", field->name);
        return 0;
}

int strict_json_read(json_t *object, const StrictField *fields, size_t n_fields, Error *reterr) {
        if (!json_is_object(object))
                return error_set(reterr, -EBADMSG, "not a JSON object");

        size_t n_found = 0;
        for (size_t i = 0; i < n_fields; i++) {
                const StrictField *field = &fields[i];
                json_t *value = json_object_get(object, field->name);
                if (field->ret_present)
                        *field->ret_present = value != NULL;
                if (!value && field->optional)
                        continue;
                if (!value)
                        return error_set(reterr, -EBADMSG, "no member '%s'", field->name);

                int r = read_member(value, field, reterr);
                if (r < 0)
                        return r;
                n_found++;
        }

        if (json_object_size(object) != n_found)
                return refuse_unknown(object, fields, n_fields, reterr);
        return 0;
}

int strict_json_check_version(json_t *object, int64_t newest, Error *reterr) {
        json_t *value = json_object_get(object, "v");
        if (!json_is_integer(value) || json_integer_value(value) < 1)
                return error_set(reterr, -EBADMSG, "no format version");

        int64_t version = json_integer_value(value);
        if (version > newest)
                return error_set(
                                reterr, -EBADMSG,
                                "written by a newer version of this program (format %" PRId64
                                ", known up to %" PRId64 ")",
                                version, newest);
        return 0;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static int render_piece(const char *bytes, size_t n, void *userdata) {
        StrBuf *out = userdata;
        strbuf_add_bytes(out, bytes, n);
        return out->failed ? -1 : 0;
}

int strict_json_render(const json_t *value, StrBuf *out) {
        if (json_dump_callback(value, render_piece, out, JSON_SORT_KEYS | JSON_COMPACT) < 0)
                return -ENOMEM;
        return 0;
}

json_t *strict_json_text(const char *text) {
        size_t n = strlen(text);
        if (strict_json_is_text(text, n))
                return json_stringn_nocheck(text, n);

        CLEANUP(strbuf_deinit) StrBuf clean = {};
        for (size_t i = 0; i < n;) {
                uint32_t c = 0;
                size_t length = utf8_decode(text + i, n - i, &c);
                if (length > 0 && !is_unwanted(c))
                        strbuf_add_bytes(&clean, text + i, length);
                else
                        strbuf_add(&clean, REPLACEMENT);
                i += length > 0 ? length : 1;
        }
        return clean.failed ? NULL : json_stringn_nocheck(strbuf_text(&clean), clean.length);
}

int strict_json_set_if(json_t *object, const char *name, bool wanted, json_t *value) {
        if (wanted)
                return json_object_set_new(object, name, value) == 0 ? 0 : -ENOMEM;
        json_decref(value);
        return object ? 0 : -ENOMEM;
}

json_t *strict_json_u64(uint64_t value) {
        char text[24];
        (void) snprintf(text, sizeof(text), "%" PRIu64, value);
        return json_string_nocheck(text);
}

json_t *strict_json_number(uint64_t value) {
        assert(value <= INT64_MAX);
        return json_integer((json_int_t) value);
}

json_t *strict_json_sha256(const Sha256 *hash) {
        char hex[SHA256_HEX_SIZE];
        sha256_to_hex(hash, hex);
        return json_string_nocheck(hex);
}
