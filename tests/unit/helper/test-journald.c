/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/journald.h"

#include <stdio.h>

#include "test.h"

/* How many fields are exactly this text. */
static size_t count_field(const JournaldEntry *entry, const char *text) {
        size_t n = 0;
        for (size_t i = 0; i < entry->n_fields; i++)
                if (entry->fields[i].iov_len == strlen(text) &&
                    memcmp(entry->fields[i].iov_base, text, strlen(text)) == 0)
                        n++;
        return n;
}

static void assert_field(const JournaldEntry *entry, const char *text) {
        if (count_field(entry, text) != 1) {
                print_error("  wanted once: %s, got\n", text);
                for (size_t i = 0; i < entry->n_fields; i++)
                        print_error("    %.*s\n", (int) entry->fields[i].iov_len,
                                    (const char *) entry->fields[i].iov_base);
        }
        assert_int_equal(count_field(entry, text), 1);
}

static const AuditKey keys[] = {
        { .key = "net.core.somaxconn",
          .before = "4096",
          .wanted = "8192",
          .after = "8192",
          .outcome = "set" },
        { .key = "net.ipv4.tcp_tw_reuse",
          .before = "2",
          .wanted = "1",
          .after = "2",
          .outcome = "undone",
          .error = EINVAL },
        { .key = "net.netfilter.nf_conntrack_max", .wanted = "65536", .outcome = "pending" },
};
static const char *const profiles[] = { "hygiene@0011", "web@2233" };

static const AuditRecord outcome = {
        .event = AUDIT_OUTCOME,
        .tx = "0b0e4c9e-0000-4000-8000-000000000000",
        .has_caller = true,
        .caller = { .uid = 0,
                    .pid = 12,
                    .auid = 1000,
                    .session = AUDIT_UNSET,
                    .comm = "twprofile",
                    .unit = "session-3.scope" },
        .via = "socket",
        .verb = "enable",
        .reason = "B-12",
        .profiles = profiles,
        .n_profiles = ELEMENTSOF(profiles),
        .keys = keys,
        .n_keys = ELEMENTSOF(keys),
        .generation_from = 3,
        .generation_to = 4,
        .outcome = "applied",
};
static const AuditHead head = { .seq = 17, .hash = { { 0xab } } };

static void test_render_outcome(void **state) {
        (void) state;
        CLEANUP(journald_entry_deinit) JournaldEntry entry = { 0 };
        assert_int_equal(journald_entry_render(&outcome, &head, &entry), 0);
        static const char *const rows[] = {
                ("MESSAGE=kernel settings were changed: enable by uid 0 (login uid 1000), 2 of 3 values "
                 "written, generation 3 -> 4"),
                "MESSAGE_ID=17c3957a09cc40e991da450245e0d635",
                "PRIORITY=5",
                "SYSLOG_IDENTIFIER=twprofile",
                "TWPROFILE_EVENT=outcome",
                "TWPROFILE_TX=0b0e4c9e-0000-4000-8000-000000000000",
                "TWPROFILE_PROFILE=hygiene",
                "TWPROFILE_PROFILE=web",
                "TWPROFILE_PROFILE_DIGEST=web@2233",
                "TWPROFILE_GENERATION=4",
                "TWPROFILE_GENERATION_BEFORE=3",
                "TWPROFILE_OUTCOME=applied",
                "TWPROFILE_EXIT_CODE=0",
                "TWPROFILE_CALLER_UID=0",
                "TWPROFILE_CALLER_LOGINUID=1000",
                "TWPROFILE_CALLER_SESSION=unset",
                "TWPROFILE_CALLER_UNIT=session-3.scope",
                "TWPROFILE_REASON=B-12",
                "TWPROFILE_KEY=net.core.somaxconn",
                "TWPROFILE_CHANGE=net.core.somaxconn: 4096 -> 8192 (set)",
                "TWPROFILE_CHANGE=net.ipv4.tcp_tw_reuse: 2 -> 2 (undone, Invalid argument)",
                "TWPROFILE_CHANGE=net.netfilter.nf_conntrack_max: unknown -> 65536 (pending)",
                "TWPROFILE_AUDIT_SEQ=17",
                "TWPROFILE_AUDIT_HEAD=ab00000000000000000000000000000000000000000000000000000000000000",
        };
        TEST_EACH(row, rows)
                assert_field(&entry, *row);
}

static void test_render_without_caller(void **state) {
        (void) state;
        AuditRecord record = { .event = AUDIT_TORN, .torn_offset = 100, .torn_length = 7 };
        CLEANUP(journald_entry_deinit) JournaldEntry entry = { 0 };
        assert_int_equal(journald_entry_render(&record, &head, &entry), 0);
        assert_field(&entry,
                     "MESSAGE=the last line of the audit log was torn by a crash (7 bytes at 100)");
        for (size_t i = 0; i < entry.n_fields; i++)
                assert_null(strstr(entry.fields[i].iov_base, "CALLER"));
}

/* A reason with an equals sign or a line break stays inside its field. */
static void test_render_hostile_text(void **state) {
        (void) state;
        AuditRecord record = outcome;
        record.reason = "x\nPRIORITY=0";
        CLEANUP(journald_entry_deinit) JournaldEntry entry = { 0 };
        assert_int_equal(journald_entry_render(&record, &head, &entry), 0);
        assert_int_equal(count_field(&entry, "PRIORITY=0"), 0);
        assert_field(&entry, "TWPROFILE_REASON=x\nPRIORITY=0");
}

static void test_kind_by_exit_code(void **state) {
        (void) state;
        static const struct {
                AuditEvent event;
                int exit_code, priority;
                const char *word;
        } rows[] = {
                { AUDIT_OUTCOME, 0, 5, "were changed" },
                { AUDIT_OUTCOME, 7, 5, "in part" },
                { AUDIT_OUTCOME, 2, 4, "failed" },
                { AUDIT_OUTCOME, 6, 4, "failed" },
                { AUDIT_OUTCOME, 8, 2, "unknown state" },
                { AUDIT_INTENT, 0, 6, "about to" },
                { AUDIT_DENIED, 4, 4, "denied" },
                { AUDIT_RECOVER, 0, 4, "interrupted" },
                { AUDIT_BOOT, 7, 6, "at boot" },
                { AUDIT_TORN, 0, 4, "torn" },
                { AUDIT_OPEN, 0, 6, "begun" },
        };
        TEST_EACH(row, rows) {
                AuditRecord record = { .event = row->event, .exit_code = row->exit_code };
                const JournaldKind *kind = journald_kind(&record);
                assert_non_null(strstr(kind->sentence, row->word));
                assert_int_equal(kind->priority, row->priority);
        }
}

static void test_kinds_have_their_own_id(void **state) {
        (void) state;
        size_t n;
        const JournaldKind *kinds = journald_kinds(&n);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(strlen(kinds[i].message_id), 32);
                assert_int_equal(strspn(kinds[i].message_id, "0123456789abcdef"), 32);
                for (size_t j = 0; j < i; j++)
                        assert_string_not_equal(kinds[i].message_id, kinds[j].message_id);
        }
}

static int sent, sent_answer;
static int count_send(const struct iovec *fields, int n) {
        (void) fields;
        sent = n;
        return sent_answer;
}

static void test_mirror_tells_whether_it_was_taken(void **state) {
        (void) state;
        Journald journald = { .is_tried = true, .sendv = count_send };
        assert_true(journald_mirror(&journald, &outcome, &head));
        assert_true(sent > 20);
        sent_answer = -ECONNREFUSED;
        assert_false(journald_mirror(&journald, &outcome, &head));

        journald.sendv = NULL;
        assert_false(journald_mirror(&journald, &outcome, &head));
        journald_deinit(&journald);
}

TEST_MAIN(cmocka_unit_test(test_render_outcome), cmocka_unit_test(test_render_without_caller),
          cmocka_unit_test(test_render_hostile_text), cmocka_unit_test(test_kind_by_exit_code),
          cmocka_unit_test(test_kinds_have_their_own_id),
          cmocka_unit_test(test_mirror_tells_whether_it_was_taken))
