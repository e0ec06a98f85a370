/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-filter.h"

#include <pwd.h>
#include <time.h>

#include "base/num.h"
#include "cli/clock-text.h"

/* --- options -------------------------------------------------------------------------------------------- */

/* `fraction` makes the bound comparable with a record's microseconds. */
static int read_time(
                Context *context, const char *option, const char *text, const char *fraction,
                char ret[static 32]) {
        int64_t seconds = 0;
        struct tm tm;
        if (!text)
                return 0;
        if (clock_text_parse(text, (int64_t) time(NULL), &seconds) < 0)
                return context_fail_usage(
                                context,
                                "'%s' is no time: use --%s='2026-11-20 12:00', 2026-11-20, today, yesterday or -2h",
                                text, option);
        time_t when = (time_t) seconds;
        char whole[24];
        if (!gmtime_r(&when, &tm) || strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm) != 19)
                return context_fail_usage(context, "'%s' is beyond the calendar", text);
        (void) snprintf(ret, 32, "%s%s", whole, fraction);
        return 0;
}

static int read_user(AuditFilter *filter, Context *context) {
        const char *name = context->options.user;
        char buffer[4096];
        struct passwd entry, *found = NULL;
        if (!name)
                return 0;
        filter->has_user = true;
        if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) == 0 && found)
                filter->uid = found->pw_uid;
        else if (num_parse_i64(name, &filter->uid) < 0 || filter->uid < 0)
                return context_fail_usage(
                                context, "there is no user '%s': use --user=NAME|UID", name);
        return 0;
}

int audit_filter_init(AuditFilter *filter, Context *context) {
        const Options *options = &context->options;
        *filter = (AuditFilter){
                .key = options->key,
                .profile = options->profile,
                .verb = options->verb,
                .tx = options->tx,
        };
        filter->is_set = options->since || options->until || options->user || filter->key ||
                         filter->profile || filter->verb || filter->tx;
        int r = read_time(context, "since", options->since, "", filter->since);
        if (r == 0)
                r = read_time(context, "until", options->until, ".000000Z", filter->until);
        return r == 0 ? read_user(filter, context) : r;
}

/* --- records -------------------------------------------------------------------------------------------- */

static bool is_text(json_t *record, const char *member, const char *wanted) {
        const char *text = json_string_value(json_object_get(record, member));
        return !wanted || (text && streq(text, wanted));
}

static bool is_in_time(const AuditFilter *filter, json_t *record) {
        const char *t = json_string_value(json_object_get(record, "t"));
        return t && strcmp(t, filter->since) >= 0 &&
               (filter->until[0] == '\0' || strcmp(t, filter->until) <= 0);
}

static bool is_by_user(const AuditFilter *filter, json_t *record) {
        static const char *const members[] = { "uid", "auid" };
        json_t *who = json_object_get(record, "who");
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                json_t *id = json_object_get(who, members[i]);
                if (json_is_integer(id) && json_integer_value(id) == filter->uid)
                        return true;
        }
        return !filter->has_user;
}

static bool has_key(const AuditFilter *filter, json_t *record) {
        json_t *keys = json_object_get(record, "keys");
        if (!filter->key || json_is_object(keys)) /* an object: cut, may have it */
                return true;
        for (size_t i = 0; i < json_array_size(keys); i++)
                if (is_text(json_array_get(keys, i), "k", filter->key))
                        return true;
        return false;
}

static bool concerns_profile(AuditFilter *filter, json_t *record) {
        json_t *profiles = json_object_get(record, "prof");
        bool had = filter->had_profile, has = json_is_object(profiles);
        if (!filter->profile)
                return true;
        if (!profiles)
                return false;
        size_t n = strlen(filter->profile);
        for (size_t i = 0; i < json_array_size(profiles); i++) {
                const char *name = json_string_value(json_array_get(profiles, i));
                has |= name && strncmp(name, filter->profile, n) == 0 &&
                       (name[n] == '@' || name[n] == '\0');
        }
        /* An intent tells what is to be, not what is. */
        if (!is_text(record, "ev", "intent"))
                filter->had_profile = has;
        return had || has;
}

bool audit_filter_takes(AuditFilter *filter, json_t *record) {
        bool concerns = concerns_profile(filter, record);
        return concerns && is_in_time(filter, record) && is_text(record, "verb", filter->verb) &&
               is_text(record, "tx", filter->tx) && is_by_user(filter, record) &&
               has_key(filter, record);
}
