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
                { .name = "exit", .kind = STRICT_INTEGER, .optional = true },
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

static int check_cause(json_t *value, Error *reterr) {
        const char *text = json_string_value(value);
        if (streq(text, "deadline") || streq(text, "gate"))
                return 0;
        return error_set(reterr, -EBADMSG, "neither 'deadline' nor 'gate'");
}

static int check_window(json_t *value, Error *reterr) {
        static const StrictField fields[] = { { .name = "s", .kind = STRICT_NUMBER } };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_one(json_t *value, Error *reterr) {
        return json_integer_value(value) == 1 ? 0 : error_set(reterr, -EBADMSG, "is not 1");
}

static int check_positive(json_t *value, Error *reterr) {
        return json_integer_value(value) > 0 ? 0 : error_set(reterr, -EBADMSG, "counted from 1");
}

static int check_file(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "first", .kind = STRICT_NUMBER, .check = check_positive },
                { .name = "n", .kind = STRICT_NUMBER, .check = check_positive },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_prune(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "through", .kind = STRICT_NUMBER, .check = check_positive },
                { .name = "sha256", .kind = STRICT_SHA256 },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

static int check_state(json_t *value, Error *reterr) {
        const char *text = json_string_value(value);
        if (streq(text, "begin") || streq(text, "end"))
                return 0;
        return error_set(reterr, -EBADMSG, "neither 'begin' nor 'end'");
}

static int check_degraded(json_t *value, Error *reterr) {
        static const StrictField fields[] = {
                { .name = "state", .kind = STRICT_WORD, .max = WORD_MAX, .check = check_state },
                { .name = "lost", .kind = STRICT_NUMBER },
        };
        return strict_json_read(value, fields, ELEMENTSOF(fields), reterr);
}

/* --- the line ------------------------------------------------------------------------------------------- */

typedef struct AuditPresence {
        bool log, tear, file, prune, degraded; /* always one event's, and no other's */
        bool cause, evidence, window, same, count, late;
        bool profiles, generations, result, exit;
} AuditPresence;

static int read_event(const char *name, AuditEvent *ret, Error *reterr) {
        for (AuditEvent event = AUDIT_OPEN; event < AUDIT_EVENTS; event++) {
                if (streq(name, audit_event_name(event))) {
                        *ret = event;
                        return 0;
                }
        }
        return error_set(reterr, -EBADMSG, "unknown event");
}

/* Members that one event alone has: always, or at times. */
static int check_own_members(AuditEvent event, const AuditPresence *has, Error *reterr) {
        const struct {
                const char *name;
                AuditEvent owner;
                bool present, optional;
        } rows[] = {
                { "log", AUDIT_OPEN, has->log, false },
                { "torn", AUDIT_TORN, has->tear, false },
                { "file", AUDIT_ROTATE, has->file, false },
                { "prune", AUDIT_PRUNE, has->prune, false },
                { "degraded", AUDIT_DEGRADED, has->degraded, false },
                { "cause", AUDIT_OUTCOME, has->cause, true },
                { "evidence", AUDIT_OUTCOME, has->evidence, true },
                { "window", AUDIT_INTENT, has->window, true },
                { "same", AUDIT_CONFIRM, has->same, true },
                { "count", AUDIT_DENIED, has->count, true },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                bool own = event == rows[i].owner;
                if (rows[i].present ? !own : own && !rows[i].optional)
                        return error_set(
                                        reterr, -EBADMSG, "member '%s' is '%s's alone, not '%s's",
                                        rows[i].name, audit_event_name(rows[i].owner),
                                        audit_event_name(event));
        }
        if (has->evidence && !has->cause)
                return error_set(reterr, -EBADMSG, "member 'evidence' without 'cause'");
        return 0;
}

/* Members that an event has always or never. */
static int check_presence(AuditEvent event, const AuditPresence *has, Error *reterr) {
        const char *name = audit_event_name(event);

        int r = check_own_members(event, has, reterr);
        if (r < 0)
                return r;
        if (has->generations != audit_event_tells_state(event))
                return error_set(
                                reterr, -EBADMSG, "member 'gen' and '%s' do not go together", name);
        if (!has->profiles && audit_event_tells_state(event))
                return error_set(reterr, -EBADMSG, "no member 'prof'");
        if (has->late && !audit_event_tells_state(event))
                return error_set(
                                reterr, -EBADMSG, "member 'late' and '%s' do not go together",
                                name);
        if (has->result && has->exit == has->late)
                return error_set(reterr, -EBADMSG, "member 'exit' is missing, or in a late record");
        return 0;
}

#define MEMBER(n, k, c) \
        { .name = (n), .kind = (k), .max = (k) == STRICT_WORD ? WORD_MAX : TEXT_MAX, .check = (c) }
#define OPTIONAL(n, k, c, p)                                                                      \
        {                                                                                         \
                .name = (n), .kind = (k), .optional = true,                                       \
                .max = (k) == STRICT_WORD ? WORD_MAX : TEXT_MAX, .ret_present = (p), .check = (c) \
        }

static int read_members(json_t *object, AuditLine *line, Error *reterr) {
        AuditPresence has = {};
        const char *event = NULL;
        const StrictField fields[] = {
                MEMBER("v", STRICT_NUMBER, NULL),
                { .name = "seq",
                  .kind = STRICT_NUMBER,
                  .ret = &line->seq,
                  .check = check_positive },
                { .name = "prev", .kind = STRICT_SHA256, .ret = &line->prev },
                { .name = "ev", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &event },
                MEMBER("t", STRICT_TEXT, check_time),
                MEMBER("tq", STRICT_FLAG, NULL),
                MEMBER("bt", STRICT_INTEGER, NULL),
                MEMBER("boot", STRICT_UUID, NULL),
                MEMBER("ns", STRICT_OBJECT, check_namespace),
                MEMBER("via", STRICT_WORD, NULL),
                MEMBER("mirror", STRICT_FLAG, NULL),
                OPTIONAL("tx", STRICT_UUID, NULL, NULL),
                OPTIONAL("who", STRICT_OBJECT, check_caller, NULL),
                OPTIONAL("why", STRICT_TEXT, NULL, NULL),
                OPTIONAL("adopt", STRICT_TEXT, NULL, NULL),
                OPTIONAL("verb", STRICT_WORD, NULL, NULL),
                OPTIONAL("keys", STRICT_ANY, check_keys, NULL),
                OPTIONAL("prof", STRICT_ANY, check_profiles, &has.profiles),
                OPTIONAL("gen", STRICT_OBJECT, check_generations, &has.generations),
                OPTIONAL("res", STRICT_OBJECT, check_result, &has.result),
                OPTIONAL("txh", STRICT_SHA256, NULL, NULL),
                OPTIONAL("log", STRICT_TEXT, NULL, &has.log),
                OPTIONAL("torn", STRICT_OBJECT, check_tear, &has.tear),
                OPTIONAL("file", STRICT_OBJECT, check_file, &has.file),
                OPTIONAL("prune", STRICT_OBJECT, check_prune, &has.prune),
                OPTIONAL("degraded", STRICT_OBJECT, check_degraded, &has.degraded),
                OPTIONAL("cause", STRICT_WORD, check_cause, &has.cause),
                OPTIONAL("evidence", STRICT_TEXT, NULL, &has.evidence),
                OPTIONAL("window", STRICT_OBJECT, check_window, &has.window),
                OPTIONAL("count", STRICT_NUMBER, check_positive, &has.count),
                OPTIONAL("same", STRICT_FLAG, check_one, &has.same),
                OPTIONAL("late", STRICT_FLAG, check_one, &has.late),
                OPTIONAL("cut", STRICT_FLAG, check_one, NULL),
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        has.exit = json_object_get(json_object_get(object, "res"), "exit") != NULL;
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
