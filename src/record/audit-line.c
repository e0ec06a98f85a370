/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-line.h"

#define WORD_MAX 64U
#define TEXT_MAX AUDIT_LINE_MAX /* the line is the limit */

/* --- members -------------------------------------------------------------------------------------------- */

static int check_time(json_t *value, Error *reterr) {
        static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";

        const char *text = json_string_value(value);
        bool good = strlen(text) == sizeof(form) - 1;
        for (size_t i = 0; good && form[i]; i++)
                good = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
        return good ? 0 : error_set(reterr, -EBADMSG, "not a time");
}

static int check_namespace(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "cookie", .kind = STRICT_U64 },
                { .name = "ino", .kind = STRICT_U64 },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_id(json_t *value, Error *reterr) {
        if (json_is_integer(value) && json_integer_value(value) >= 0)
                return 0;
        if (json_is_string(value) && streq(json_string_value(value), "unset"))
                return 0;
        return error_set(reterr, -EBADMSG, "neither a number nor 'unset'");
}

static int check_source(json_t *value, Error *reterr) {
        const char *text = json_string_value(value);
        if (streq(text, "pidfd") || streq(text, "pid"))
                return 0;
        return error_set(reterr, -EBADMSG, "neither 'pidfd' nor 'pid'");
}

static int check_caller(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "uid", .kind = STRICT_INTEGER },
                { .name = "gid", .kind = STRICT_INTEGER },
                { .name = "auid", .kind = STRICT_ANY, .check = check_id },
                { .name = "ses", .kind = STRICT_ANY, .check = check_id },
                { .name = "pid", .kind = STRICT_INTEGER },
                { .name = "start", .kind = STRICT_NUMBER },
                { .name = "comm", .kind = STRICT_TEXT, .max = TEXT_MAX },
                { .name = "unit", .kind = STRICT_TEXT, .max = TEXT_MAX },
                { .name = "src", .kind = STRICT_WORD, .max = WORD_MAX, .check = check_source },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

/* What stands in the place of an array that was too long. */
static int check_digest(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "n", .kind = STRICT_NUMBER },
                { .name = "sha256", .kind = STRICT_SHA256 },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_key(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "k", .kind = STRICT_TEXT, .max = TEXT_MAX },
                { .name = "b", .kind = STRICT_TEXT, .max = TEXT_MAX, .optional = true },
                { .name = "w", .kind = STRICT_TEXT, .max = TEXT_MAX, .optional = true },
                { .name = "a", .kind = STRICT_TEXT, .max = TEXT_MAX, .optional = true },
                { .name = "o", .kind = STRICT_WORD, .max = WORD_MAX, .optional = true },
                { .name = "e", .kind = STRICT_INTEGER, .optional = true },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_keys(json_t *value, Error *reterr) {
        if (!json_is_array(value))
                return check_digest(value, reterr);

        for (size_t i = 0; i < json_array_size(value); i++) {
                int r = check_key(json_array_get(value, i), reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "key %zu", i);
        }
        return 0;
}

static int check_profiles(json_t *value, Error *reterr) {
        if (!json_is_array(value))
                return check_digest(value, reterr);

        for (size_t i = 0; i < json_array_size(value); i++) {
                const json_t *name = json_array_get(value, i);
                if (!json_is_string(name) ||
                    !strict_json_is_text(json_string_value(name), json_string_length(name)))
                        return error_set(reterr, -EBADMSG, "profile %zu is not a text", i);
        }
        return 0;
}

static int check_generations(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "from", .kind = STRICT_NUMBER },
                { .name = "to", .kind = STRICT_NUMBER },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_result(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "outcome", .kind = STRICT_WORD, .max = WORD_MAX },
                { .name = "exit", .kind = STRICT_INTEGER },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_tear(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "offset", .kind = STRICT_NUMBER },
                { .name = "length", .kind = STRICT_NUMBER },
                { .name = "sha256", .kind = STRICT_SHA256 },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

/* --- the line ------------------------------------------------------------------------------------------- */

typedef struct AuditPresence {
        bool log, tear, profiles, generations;
} AuditPresence;

static int read_event(const char *name, AuditEvent *ret, Error *reterr) {
        for (AuditEvent event = AUDIT_OPEN; event <= AUDIT_TORN; event++) {
                if (streq(name, audit_event_name(event))) {
                        *ret = event;
                        return 0;
                }
        }
        return error_set(reterr, -EBADMSG, "unknown event");
}

/* Members that an event has always or never. */
static int check_presence(AuditEvent event, const AuditPresence *has, Error *reterr) {
        const char *name = audit_event_name(event);

        if (has->log != (event == AUDIT_OPEN))
                return error_set(
                                reterr, -EBADMSG, "member 'log' is 'open's alone, not '%s's", name);
        if (has->tear != (event == AUDIT_TORN))
                return error_set(
                                reterr, -EBADMSG, "member 'torn' is 'torn's alone, not '%s's",
                                name);
        if (has->generations != audit_event_tells_state(event))
                return error_set(
                                reterr, -EBADMSG, "member 'gen' and '%s' do not go together", name);
        if (!has->profiles && audit_event_tells_state(event))
                return error_set(reterr, -EBADMSG, "no member 'prof'");
        return 0;
}

static int read_members(json_t *object, AuditLine *line, Error *reterr) {
        AuditPresence has = {};
        bool is_cut = true;
        const char *event = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER },
                { .name = "log",
                  .kind = STRICT_TEXT,
                  .max = TEXT_MAX,
                  .optional = true,
                  .ret_present = &has.log },
                { .name = "seq", .kind = STRICT_NUMBER, .ret = &line->seq },
                { .name = "prev", .kind = STRICT_SHA256, .ret = &line->prev },
                { .name = "ev", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &event },
                { .name = "tx", .kind = STRICT_UUID, .optional = true },
                { .name = "t", .kind = STRICT_TEXT, .max = TEXT_MAX, .check = check_time },
                { .name = "tq", .kind = STRICT_FLAG },
                { .name = "bt", .kind = STRICT_INTEGER },
                { .name = "boot", .kind = STRICT_UUID },
                { .name = "ns", .kind = STRICT_OBJECT, .check = check_namespace },
                { .name = "who", .kind = STRICT_OBJECT, .optional = true, .check = check_caller },
                { .name = "via", .kind = STRICT_WORD, .max = WORD_MAX },
                { .name = "why", .kind = STRICT_TEXT, .max = TEXT_MAX, .optional = true },
                { .name = "adopt", .kind = STRICT_TEXT, .max = TEXT_MAX, .optional = true },
                { .name = "verb", .kind = STRICT_WORD, .max = WORD_MAX, .optional = true },
                { .name = "prof",
                  .kind = STRICT_ANY,
                  .optional = true,
                  .ret_present = &has.profiles,
                  .check = check_profiles },
                { .name = "keys", .kind = STRICT_ANY, .optional = true, .check = check_keys },
                { .name = "gen",
                  .kind = STRICT_OBJECT,
                  .optional = true,
                  .ret_present = &has.generations,
                  .check = check_generations },
                { .name = "res", .kind = STRICT_OBJECT, .optional = true, .check = check_result },
                { .name = "txh", .kind = STRICT_SHA256, .optional = true },
                { .name = "mirror", .kind = STRICT_FLAG },
                { .name = "torn",
                  .kind = STRICT_OBJECT,
                  .optional = true,
                  .ret_present = &has.tear,
                  .check = check_tear },
                { .name = "cut", .kind = STRICT_FLAG, .optional = true, .ret = &is_cut },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        if (!is_cut)
                return error_set(reterr, -EBADMSG, "member 'cut' is not 1");
        if (line->seq == 0)
                return error_set(reterr, -EBADMSG, "records are counted from 1");

        r = read_event(event, &line->event, reterr);
        if (r < 0)
                return r;
        return check_presence(line->event, &has, reterr);
}

/* JSON allows line feeds and tabs between its words; a line has none. */
static bool is_one_line(const char *bytes, size_t n) {
        for (size_t i = 0; i < n; i++)
                if ((unsigned char) bytes[i] < 0x20)
                        return false;
        return true;
}

int audit_line_decode(const char *bytes, size_t n, AuditLine *ret, Error *reterr) {
        if (!is_one_line(bytes, n))
                return error_set(reterr, -EBADMSG, "a control character in the line");

        json_auto_t *object = NULL;
        int r = strict_json_parse(bytes, n, AUDIT_LINE_MAX - 1, &object, reterr);
        if (r < 0)
                return r;

        r = strict_json_check_version(object, AUDIT_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;

        AuditLine line = {};
        r = read_members(object, &line, reterr);
        if (r < 0)
                return r;

        line.hash = sha256_of(bytes, n);
        line.object = TAKE_PTR(object);
        *ret = line;
        return 0;
}
