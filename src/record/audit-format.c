/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-format.h"

#include <inttypes.h>
#include <stdio.h>

#include "record/strict-json.h"

#define GENESIS_PREFIX "twprofile-audit-1:"
#define TIME_TEXT_SIZE sizeof("0000-00-00T00:00:00.000000Z")
#define USEC_PER_SEC   INT64_C(1000000)
#define SEC_PER_DAY    INT64_C(86400)
#define USEC_LAST      (INT64_C(253402300800) * USEC_PER_SEC - 1) /* end of the year 9999 */

static const char *const event_names[] = {
        [AUDIT_OPEN] = "open",     [AUDIT_INTENT] = "intent",   [AUDIT_OUTCOME] = "outcome",
        [AUDIT_DENIED] = "denied", [AUDIT_RECOVER] = "recover", [AUDIT_BOOT] = "boot",
        [AUDIT_TORN] = "torn",     [AUDIT_CONFIRM] = "confirm", [AUDIT_RELEASE] = "release",
        [AUDIT_ROTATE] = "rotate", [AUDIT_PRUNE] = "prune",     [AUDIT_DEGRADED] = "degraded",
};
static_assert(ELEMENTSOF(event_names) == AUDIT_EVENTS, "each has a name");

const char *audit_event_name(AuditEvent event) {
        assert((size_t) event < ELEMENTSOF(event_names));
        return event_names[event];
}

bool audit_event_is_outcome(AuditEvent event) {
        return event == AUDIT_OUTCOME || event == AUDIT_CONFIRM;
}

bool audit_event_tells_state(AuditEvent event) {
        return event == AUDIT_INTENT || audit_event_is_outcome(event) || event == AUDIT_RECOVER ||
               event == AUDIT_BOOT || event == AUDIT_RELEASE;
}

Sha256 audit_genesis(const char *log_id) {
        Sha256Stream stream;
        sha256_init_stream(&stream);
        sha256_add(&stream, GENESIS_PREFIX, strlen(GENESIS_PREFIX));
        sha256_add(&stream, log_id, strlen(log_id));
        return sha256_end(&stream);
}

/* --- members -------------------------------------------------------------------------------------------- */

/* Year, month and day of a count of days since 1970-01-01: years that start in March make the leap day the
 * last one, and a cycle of 400 years has 146097 days. */
static void civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
        days += 719468; /* from 0000-03-01 */
        int64_t era = days / 146097, of_era = days % 146097;
        int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        int64_t march_month = (5 * of_year + 2) / 153;

        *day = of_year - (153 * march_month + 2) / 5 + 1;
        *month = march_month < 10 ? march_month + 3 : march_month - 9;
        *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

/* ISO 8601 in UTC. A clock before 1970 or after 9999 shows as the end it is beyond. */
static json_t *time_to_json(int64_t us) {
        us = us < 0 ? 0 : us > USEC_LAST ? USEC_LAST : us;
        int64_t seconds = us / USEC_PER_SEC, of_day = seconds % SEC_PER_DAY;
        int64_t year, month, day;
        civil_from_days(seconds / SEC_PER_DAY, &year, &month, &day);

        return json_sprintf(
                        "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
                        ":%02" PRId64 ".%06" PRId64 "Z",
                        year, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60,
                        us % USEC_PER_SEC);
}

static json_t *id_to_json(int64_t id) {
        return id == AUDIT_UNSET ? json_string("unset") : json_integer(id);
}

static json_t *caller_to_json(const AuditCaller *caller) {
        return json_pack(
                        "{s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:s}", "uid",
                        (json_int_t) caller->uid, "gid", (json_int_t) caller->gid, "auid",
                        id_to_json(caller->auid), "ses", id_to_json(caller->session), "pid",
                        (json_int_t) caller->pid, "start", strict_json_number(caller->start),
                        "comm", strict_json_text(caller->comm), "unit",
                        strict_json_text(caller->unit), "src",
                        caller->pidfd_verified ? "pidfd" : "pid");
}

static json_t *text_or_null(const char *text) {
        return text ? strict_json_text(text) : NULL;
}

static json_t *key_to_json(const AuditKey *key) {
        json_auto_t *object = json_pack("{s:s}", "k", key->key);
        const struct {
                const char *name, *text;
        } rows[] = {
                { "b", key->before },
                { "w", key->wanted },
                { "a", key->after },
                { "o", key->outcome },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strict_json_set_if(
                                    object, rows[i].name, rows[i].text,
                                    text_or_null(rows[i].text)) < 0)
                        return NULL;
        if (strict_json_set_if(object, "e", key->error != 0, json_integer(key->error)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *result_to_json(const AuditRecord *record) {
        json_auto_t *object = json_pack("{s:s}", "outcome", record->outcome);
        if (strict_json_set_if(object, "exit", !record->late, json_integer(record->exit_code)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *keys_to_json(const AuditRecord *record) {
        json_auto_t *array = json_array();
        for (size_t i = 0; i < record->n_keys; i++)
                if (json_array_append_new(array, key_to_json(&record->keys[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *profiles_to_json(const AuditRecord *record) {
        json_auto_t *array = json_array();
        for (size_t i = 0; i < record->n_profiles; i++)
                if (json_array_append_new(array, json_string(record->profiles[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

/* 0 or -ENOMEM. */
static int set(json_t *object, const char *name, json_t *value) {
        return json_object_set_new(object, name, value) == 0 ? 0 : -ENOMEM;
}

/* What a transaction has. */
static int add_transaction(const AuditRecord *record, json_t *object) {
        bool tells_state = audit_event_tells_state(record->event);
        int r = 0;

        if (record->n_keys > 0)
                r = set(object, "keys", keys_to_json(record));
        if (r == 0 && (tells_state || record->n_profiles > 0))
                r = set(object, "prof", profiles_to_json(record));
        if (r == 0 && tells_state)
                r = set(object, "gen",
                        json_pack("{s:o, s:o}", "from", strict_json_number(record->generation_from),
                                  "to", strict_json_number(record->generation_to)));
        if (r == 0 && record->outcome)
                r = set(object, "res", result_to_json(record));
        if (r == 0 && record->has_frame)
                r = set(object, "txh", strict_json_sha256(&record->frame));
        return r;
}

static int add_origin(const AuditRecord *record, json_t *object) {
        int r = 0;

        if (record->has_caller)
                r = set(object, "who", caller_to_json(&record->caller));
        if (r == 0 && record->reason)
                r = set(object, "why", strict_json_text(record->reason));
        if (r == 0 && record->adopt)
                r = set(object, "adopt", json_string(record->adopt));
        return r;
}

/* Why and on what terms. */
static int add_terms(const AuditRecord *record, json_t *object) {
        int r = 0;

        if (record->cause)
                r = set(object, "cause", json_string(record->cause));
        if (r == 0 && record->cause && record->evidence)
                r = set(object, "evidence", strict_json_text(record->evidence));
        if (r == 0 && record->has_window)
                r = set(object, "window",
                        json_pack("{s:o}", "s", strict_json_number(record->window_s)));
        if (r == 0 && record->same_session)
                r = set(object, "same", json_integer(1));
        if (r == 0 && record->late)
                r = set(object, "late", json_integer(1));
        if (r == 0 && record->count > 0)
                r = set(object, "count", strict_json_number(record->count));
        return r;
}

/* What the log says of itself. */
static int add_bookkeeping(const AuditRecord *record, json_t *object) {
        if (record->event == AUDIT_OPEN)
                return set(object, "log", json_string(record->log_id));
        if (record->event == AUDIT_TORN)
                return set(object, "torn",
                           json_pack("{s:o, s:o, s:o}", "offset",
                                     strict_json_number(record->torn_offset), "length",
                                     strict_json_number(record->torn_length), "sha256",
                                     strict_json_sha256(&record->torn_hash)));
        if (record->event == AUDIT_ROTATE)
                return set(object, "file",
                           json_pack("{s:o, s:o}", "first", strict_json_number(record->file_first),
                                     "n", strict_json_number(record->file_records)));
        if (record->event == AUDIT_PRUNE)
                return set(object, "prune",
                           json_pack("{s:o, s:o}", "through",
                                     strict_json_number(record->prune_through), "sha256",
                                     strict_json_sha256(&record->prune_hash)));
        if (record->event == AUDIT_DEGRADED)
                return set(object, "degraded",
                           json_pack("{s:s, s:o}", "state", record->degraded_ends ? "end" : "begin",
                                     "lost", strict_json_number(record->degraded_lost)));
        return 0;
}

static int record_to_json(
                const AuditRecord *record, uint64_t seq, const Sha256 *previous, json_t **ret) {
        json_auto_t *object = json_pack(
                        "{s:i, s:o, s:o, s:s, s:o, s:i, s:I, s:s, s:{s:o, s:o}, s:s, s:i}", "v",
                        AUDIT_FORMAT_VERSION, "seq", strict_json_number(seq), "prev",
                        strict_json_sha256(previous), "ev", audit_event_name(record->event), "t",
                        time_to_json(record->time_us), "tq", record->time_synced ? 1 : 0, "bt",
                        (json_int_t) record->boottime_ns, "boot", record->instance.boot_id, "ns",
                        "cookie", strict_json_u64(record->instance.netns_cookie), "ino",
                        strict_json_u64(record->instance.netns_inode), "via", record->via, "mirror",
                        record->mirrored ? 1 : 0);
        if (strict_json_set_if(object, "tx", record->tx, text_or_null(record->tx)) < 0 ||
            strict_json_set_if(object, "verb", record->verb, text_or_null(record->verb)) < 0 ||
            add_origin(record, object) < 0 || add_terms(record, object) < 0 ||
            add_transaction(record, object) < 0 || add_bookkeeping(record, object) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(object);
        return 0;
}

/* --- fitting into a line -------------------------------------------------------------------------------- */

static int render(const json_t *object, StrBuf *line) {
        strbuf_reset(line);
        return strict_json_render(object, line);
}

static bool fits(const StrBuf *line) {
        return line->length < AUDIT_LINE_MAX; /* one more for the newline */
}

/* Puts {n, sha256} in the place of an array; the hash is over the array as it would have stood there. */
static int digest_member(json_t *object, const char *name, StrBuf *line) {
        json_t *array = json_object_get(object, name);
        if (!array)
                return 0;

        int r = render(array, line);
        if (r < 0)
                return r;

        Sha256 hash = sha256_of(line->data, line->length);
        r = set(object, name,
                json_pack("{s:o, s:o}", "n", strict_json_number(json_array_size(array)), "sha256",
                          strict_json_sha256(&hash)));
        if (r < 0)
                return r;
        return set(object, "cut", json_integer(1));
}

/* Bytes that one character of clean text takes in a line; *ret_length: in the text. */
static size_t encoded_size(const char *p, size_t *ret_length) {
        unsigned char c = (unsigned char) *p;
        *ret_length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        return c == '"' || c == '\\' || c == '\t' ? 2 : *ret_length;
}

/* Takes away what is too much from the end of a text. */
static int cut_text(json_t *object, const char *name, size_t too_much) {
        const char *text = json_string_value(json_object_get(object, name));
        if (!text)
                return 0;

        size_t total = 0, length;
        for (const char *p = text; *p; p += length)
                total += encoded_size(p, &length);

        size_t room = total > too_much ? total - too_much : 0, kept = 0;
        while (text[kept]) {
                size_t size = encoded_size(text + kept, &length);
                if (size > room)
                        break;
                room -= size;
                kept += length;
        }

        json_t *shorter = json_stringn(text, kept);
        int r = set(object, name, shorter);
        if (r < 0)
                return r;
        return set(object, "cut", json_integer(1));
}

static int render_to_fit(json_t *object, StrBuf *line) {
        static const char *const lists[] = { "keys", "prof" };
        static const char *const texts[] = { "why", "evidence" };

        int r = render(object, line);
        for (size_t i = 0; r == 0 && !fits(line) && i < ELEMENTSOF(lists); i++) {
                r = digest_member(object, lists[i], line);
                if (r == 0)
                        r = render(object, line);
        }
        for (size_t i = 0; r == 0 && !fits(line) && i < ELEMENTSOF(texts); i++) {
                /* The mark of the cut may not stand there yet. */
                size_t too_much = line->length - (AUDIT_LINE_MAX - 1) + sizeof("\"cut\":1,");
                r = cut_text(object, texts[i], too_much);
                if (r == 0)
                        r = render(object, line);
        }
        return r < 0 || fits(line) ? r : -EMSGSIZE;
}

int audit_record_encode(
                const AuditRecord *record, const AuditHead *head, StrBuf *out,
                AuditHead *ret_head) {
        assert(record->via);
        assert(record->event != AUDIT_OPEN || record->log_id);
        assert(head->seq > 0 || record->event == AUDIT_OPEN);

        Sha256 previous = head->seq > 0 ? head->hash : audit_genesis(record->log_id);
        json_auto_t *object = NULL;
        int r = record_to_json(record, head->seq + 1, &previous, &object);
        if (r < 0)
                return r;

        CLEANUP(strbuf_deinit) StrBuf line = {};
        r = render_to_fit(object, &line);
        if (r < 0)
                return r;

        strbuf_add_bytes(out, line.data, line.length);
        strbuf_add_char(out, '\n');
        if (out->failed)
                return -ENOMEM;

        *ret_head = (AuditHead){ .seq = head->seq + 1, .hash = sha256_of(line.data, line.length) };
        return 0;
}
