/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-words.h"

#include <inttypes.h>
#include <pwd.h>

#include "diag/text.h"

bool audit_words_is_told(AuditEvent event) {
        switch (event) {
        case AUDIT_OUTCOME:
        case AUDIT_DENIED:
        case AUDIT_RECOVER:
        case AUDIT_BOOT:
        case AUDIT_TORN:
        case AUDIT_CONFIRM:
        case AUDIT_RELEASE:
        case AUDIT_PRUNE:
        case AUDIT_DEGRADED:
                return true;
        case AUDIT_OPEN:
        case AUDIT_INTENT:
        case AUDIT_ROTATE:
        case AUDIT_EVENTS:
                return false;
        }
        return false;
}

static const char *text_of(json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

static void add_user(json_t *id, StrBuf *out) {
        char buffer[4096];
        struct passwd entry, *found = NULL;
        uid_t uid = (uid_t) json_integer_value(id);
        if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
                diag_text_add_escaped(out, entry.pw_name, strlen(entry.pw_name));
        else
                strbuf_addf(out, "uid %" PRIu32, uid);
}

void audit_words_add_who(json_t *record, StrBuf *out) {
        json_t *who = json_object_get(record, "who");
        if (!who) {
                strbuf_add(out, text_of(record, "via") ? text_of(record, "via") : "?");
                return;
        }
        json_t *uid = json_object_get(who, "uid"), *auid = json_object_get(who, "auid");
        if (json_is_integer(auid) && json_integer_value(auid) != json_integer_value(uid)) {
                add_user(auid, out);
                strbuf_add(out, " as ");
        }
        add_user(uid, out);
}

void audit_words_add_profiles(json_t *record, StrBuf *out) {
        json_t *profiles = json_object_get(record, "prof");
        if (json_is_object(profiles)) {
                strbuf_addf(out, "(%" PRId64 " profiles)",
                            (int64_t) json_integer_value(json_object_get(profiles, "n")));
                return;
        }
        for (size_t i = 0; i < json_array_size(profiles); i++) {
                const char *name = json_string_value(json_array_get(profiles, i));
                if (i > 0)
                        strbuf_add(out, ", ");
                if (name)
                        strbuf_add_bytes(out, name, strcspn(name, "@"));
        }
}

const char *audit_words_outcome(json_t *record, AuditEvent event) {
        const char *outcome = text_of(json_object_get(record, "res"), "outcome");
        return outcome ? outcome : audit_event_name(event);
}
