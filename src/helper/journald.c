/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/journald.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <syslog.h>
#include <unistd.h>

#define JOURNALD_SOCKET  "/run/systemd/journal/socket"
#define JOURNALD_LIBRARY "libsystemd.so.0"

/* The first row that fits decides. Ids are random and for ever; units/twprofile.catalog has a text for each. */
static const JournaldKind kinds[] = {
        { AUDIT_OPEN, JOURNALD_ANY_EXIT, "29963e7d45f349f0abf4ef108cedca10", LOG_INFO,
          "an audit log was begun" },
        { AUDIT_INTENT, JOURNALD_ANY_EXIT, "3cc02d256c214c6e93128c03ce0e3cd3", LOG_INFO,
          "kernel settings are about to be changed" },
        { AUDIT_OUTCOME, 0, "17c3957a09cc40e991da450245e0d635", LOG_NOTICE,
          "kernel settings were changed" },
        { AUDIT_OUTCOME, 7, "a8e9ebfe29424385a75d8d3e2912138e", LOG_NOTICE,
          "kernel settings were changed in part" },
        { AUDIT_OUTCOME, 8, "d4743f53afea4eac8bb1b330bf0785ea", LOG_CRIT,
          "kernel settings are in an unknown state, run `twprofile recover`" },
        { AUDIT_OUTCOME, JOURNALD_ANY_EXIT, "6267ae57a2be4b19a7f4a3f7da51801d", LOG_WARNING,
          "a change of kernel settings failed, the old state stands" },
        { AUDIT_DENIED, JOURNALD_ANY_EXIT, "94dd306a4a47418d9423e1fef5b99ae2", LOG_WARNING,
          "a call to the helper was denied" },
        { AUDIT_RECOVER, JOURNALD_ANY_EXIT, "13475acb21284d5cb8ee9b88e6be7d1b", LOG_WARNING,
          "a change that was interrupted has been settled" },
        { AUDIT_BOOT, JOURNALD_ANY_EXIT, "3a5a7e3ea57f49fab85d6d18060d6898", LOG_INFO,
          "kernel settings were made live at boot" },
        { AUDIT_TORN, JOURNALD_ANY_EXIT, "6416080bc96245d6a17850f232be5bd3", LOG_WARNING,
          "the last line of the audit log was torn by a crash" },
        { AUDIT_CONFIRM, JOURNALD_ANY_EXIT, "d589329d1fba4e82a7f859a231270b42", LOG_NOTICE,
          "a change of kernel settings was confirmed" },
        { AUDIT_RELEASE, JOURNALD_ANY_EXIT, "c7c08971b1424d36a8fea9ef286760e1", LOG_NOTICE,
          "a profile was released from quarantine" },
        { AUDIT_ROTATE, JOURNALD_ANY_EXIT, "708337e7aeeb49cd972f1c9b3680eeab", LOG_INFO,
          "a file of the audit log is full, the next one begins" },
        { AUDIT_PRUNE, JOURNALD_ANY_EXIT, "fda2fa97814d4591a0d52d7e42f9ec8e", LOG_NOTICE,
          "the oldest files of the audit log are removed" },
        { AUDIT_DEGRADED, JOURNALD_ANY_EXIT, "ddd691748b1f4e6ebec8f39dfd31f113", LOG_WARNING,
          "the audit log could not be written for a time" },
};

const JournaldKind *journald_kinds(size_t *ret_n) {
        *ret_n = ELEMENTSOF(kinds);
        return kinds;
}

const JournaldKind *journald_kind(const AuditRecord *record) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].event == record->event && (kinds[i].exit_code == JOURNALD_ANY_EXIT ||
                                                        kinds[i].exit_code == record->exit_code))
                        return &kinds[i];
        assert(false);
        return NULL;
}

/* --- rendering ------------------------------------------------------------------------------------------- */

/* Fields are separated by NUL inside the buffer while it grows: pointers are taken when it stands still. */
static void field_end(StrBuf *text) {
        strbuf_add_char(text, '\0');
}

static void field_add(StrBuf *text, const char *name, const char *value) {
        if (!value || value[0] == '\0')
                return;
        strbuf_addf(text, "%s=%s", name, value);
        field_end(text);
}

static void field_add_number(StrBuf *text, const char *name, int64_t value) {
        strbuf_addf(text, "%s=%" PRId64, name, value);
        field_end(text);
}

static void field_add_audit_id(StrBuf *text, const char *name, int64_t value) {
        if (value == AUDIT_UNSET)
                field_add(text, name, "unset");
        else
                field_add_number(text, name, value);
}

static size_t count_written(const AuditRecord *record) {
        static const char *const words[] = { "set", "restored", "undone" };
        size_t n = 0;
        for (size_t i = 0; i < record->n_keys; i++)
                for (size_t j = 0; j < ELEMENTSOF(words); j++)
                        n += streq_null(record->keys[i].outcome, words[j]) ? 1 : 0;
        return n;
}

/* "kernel settings were changed: enable by uid 0 (login uid 1000), 5 values, generation 3 -> 4" */
static void message_add(StrBuf *text, const AuditRecord *record, const JournaldKind *kind) {
        strbuf_addf(text, "MESSAGE=%s", kind->sentence);
        if (record->verb || record->has_caller)
                strbuf_addf(text, ": %s", record->verb ? record->verb : "call");
        if (record->has_caller) {
                strbuf_addf(text, " by uid %" PRId64, record->caller.uid);
                if (record->caller.auid != AUDIT_UNSET && record->caller.auid != record->caller.uid)
                        strbuf_addf(text, " (login uid %" PRId64 ")", record->caller.auid);
        }
        if (record->event == AUDIT_INTENT)
                strbuf_addf(text, ", %zu values", record->n_keys);
        else if (record->n_keys > 0)
                strbuf_addf(text, ", %zu of %zu values written", count_written(record),
                            record->n_keys);
        if (record->generation_from != record->generation_to)
                strbuf_addf(text, ", generation %" PRIu64 " -> %" PRIu64, record->generation_from,
                            record->generation_to);
        if (record->event == AUDIT_TORN)
                strbuf_addf(text, " (%zu bytes at %zu)", record->torn_length, record->torn_offset);
        if (record->event == AUDIT_DENIED && record->outcome)
                strbuf_addf(text, " (%s)", record->outcome);
        field_end(text);
}

static void caller_add(StrBuf *text, const AuditCaller *caller) {
        field_add_number(text, "TWPROFILE_CALLER_UID", caller->uid);
        field_add_number(text, "TWPROFILE_CALLER_PID", caller->pid);
        field_add_audit_id(text, "TWPROFILE_CALLER_LOGINUID", caller->auid);
        field_add_audit_id(text, "TWPROFILE_CALLER_SESSION", caller->session);
        field_add(text, "TWPROFILE_CALLER_COMM", caller->comm);
        field_add(text, "TWPROFILE_CALLER_UNIT", caller->unit);
}

/* "name@digest": searched by name, compared by digest. */
static void profile_add(StrBuf *text, const char *profile) {
        int n = (int) strcspn(profile, "@");
        strbuf_addf(text, "TWPROFILE_PROFILE=%.*s", n, profile);
        field_end(text);
        field_add(text, "TWPROFILE_PROFILE_DIGEST", profile);
}

static void key_add(StrBuf *text, const AuditKey *key) {
        field_add(text, "TWPROFILE_KEY", key->key);
        strbuf_addf(text, "TWPROFILE_CHANGE=%s: %s -> %s (%s", key->key,
                    key->before ? key->before : "unknown",
                    key->after    ? key->after
                    : key->wanted ? key->wanted
                                  : "left",
                    key->outcome ? key->outcome : "planned");
        if (key->error != 0)
                strbuf_addf(text, ", %s", strerrordesc_np(key->error));
        strbuf_add(text, ")");
        field_end(text);
}

static void record_add(StrBuf *text, const AuditRecord *record, const JournaldKind *kind) {
        message_add(text, record, kind);
        field_add(text, "MESSAGE_ID", kind->message_id);
        field_add_number(text, "PRIORITY", kind->priority);
        field_add(text, "SYSLOG_IDENTIFIER", "twprofile");
        field_add(text, "TWPROFILE_EVENT", audit_event_name(record->event));
        field_add(text, "TWPROFILE_TX", record->tx);
        field_add(text, "TWPROFILE_VIA", record->via);
        field_add(text, "TWPROFILE_VERB", record->verb);
        field_add(text, "TWPROFILE_REASON", record->reason);
        field_add(text, "TWPROFILE_LOG_ID", record->log_id);
        if (record->has_caller)
                caller_add(text, &record->caller);
        if (record->generation_from != 0 || record->generation_to != 0) {
                field_add_number(
                                text, "TWPROFILE_GENERATION_BEFORE",
                                (int64_t) record->generation_from);
                field_add_number(text, "TWPROFILE_GENERATION", (int64_t) record->generation_to);
        }
        if (record->outcome) {
                field_add(text, "TWPROFILE_OUTCOME", record->outcome);
                field_add_number(text, "TWPROFILE_EXIT_CODE", record->exit_code);
        }
        if (record->has_frame) {
                char hex[SHA256_HEX_SIZE];
                sha256_to_hex(&record->frame, hex);
                field_add(text, "TWPROFILE_FRAME", hex);
        }
        for (size_t i = 0; i < record->n_profiles; i++)
                profile_add(text, record->profiles[i]);
        for (size_t i = 0; i < record->n_keys; i++)
                key_add(text, &record->keys[i]);
}

/* Where the log stood after this record: what a rewritten file cannot take back. */
static void head_add(StrBuf *text, const AuditHead *head) {
        char hex[SHA256_HEX_SIZE];
        sha256_to_hex(&head->hash, hex);
        field_add_number(text, "TWPROFILE_AUDIT_SEQ", (int64_t) head->seq);
        field_add(text, "TWPROFILE_AUDIT_HEAD", hex);
}

void journald_entry_deinit(JournaldEntry *entry) {
        strbuf_deinit(&entry->text);
        free(entry->fields);
        entry->fields = NULL;
}

int journald_entry_render(const AuditRecord *record, const AuditHead *head, JournaldEntry *entry) {
        StrBuf *text = &entry->text;
        record_add(text, record, journald_kind(record));
        head_add(text, head);
        if (text->failed)
                return -ENOMEM;

        size_t n = 0;
        for (size_t i = 0; i < text->length; i++)
                n += text->data[i] == '\0' ? 1 : 0;
        assert(n > 0); /* MESSAGE= is always there */
        entry->fields = calloc(n, sizeof(*entry->fields));
        if (!entry->fields)
                return -ENOMEM;
        char *p = text->data;
        for (size_t i = 0; i < n; i++) {
                size_t length = strlen(p);
                entry->fields[i] = (struct iovec){ p, length };
                p += length + 1;
        }
        entry->n_fields = n;
        return 0;
}

/* --- sending --------------------------------------------------------------------------------------------- */

static void library_load(Journald *journald) {
        journald->is_tried = true;
        if (access(JOURNALD_SOCKET, F_OK) < 0)
                return;
        journald->library = dlopen(JOURNALD_LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!journald->library)
                return;
        void *symbol = dlsym(journald->library, "sd_journal_sendv");
        /* ISO C knows no way from an object pointer to a function pointer; POSIX demands that this works. */
        memcpy(&journald->sendv, &symbol, sizeof(symbol));
}

bool journald_mirror(void *userdata, const AuditRecord *record, const AuditHead *head) {
        Journald *journald = userdata;
        if (!journald->is_tried)
                library_load(journald);
        if (!journald->sendv)
                return false;

        CLEANUP(journald_entry_deinit) JournaldEntry entry = { 0 };
        if (journald_entry_render(record, head, &entry) < 0)
                return false;
        return journald->sendv(entry.fields, (int) entry.n_fields) >= 0;
}

void journald_deinit(Journald *journald) {
        journald->sendv = NULL;
        if (journald->library)
                (void) dlclose(journald->library);
        journald->library = NULL;
}
