/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-reader.h"

#include "test-root.h"

/* Lines as the log has them, by the encoder; broken ones between. */
static void test_audit_reader_load_in_the_order_of_the_files(void **state) {
        (void) state;
        char root[64];
        root_new(root);
        AuditHead head = { .hash = audit_genesis("log") };
        for (int i = 0; i < 3; i++) {
                CLEANUP(strbuf_deinit) StrBuf line = {};
                AuditRecord record = {
                        .event = i == 0 ? AUDIT_OPEN : AUDIT_DENIED,
                        .log_id = i == 0 ? "log" : NULL,
                        .via = "socket",
                        .verb = i == 0 ? NULL : "enable",
                        .instance = { .boot_id = "8e8459fc-3617-4f17-91e1-e2ca3273f496" },
                };
                assert_int_equal(audit_record_encode(&record, &head, &line, &head), 0);
                static const char *const names[] = {
                        "var/log/twprofile/audit-9.ndjson",
                        "var/log/twprofile/audit-10.ndjson",
                        "var/log/twprofile/audit-011.ndjson",
                };
                strbuf_add(&line, i == 1 ? "not json\n" : "");
                strbuf_add(&line, i == 2 ? "torn" : "");
                root_write(root, names[i], strbuf_text(&line));
        }
        root_write(root, "var/log/twprofile/audit-x.ndjson", "no log\n");
        root_write(root, "var/log/twprofile/notes.txt", "no log\n");

        CLEANUP(arena_freep) Arena *arena = arena_new();
        cleanup_close int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP(audit_entries_deinit) AuditEntries entries = {};
        Error error = {};
        assert_int_equal(audit_reader_load(seam_real(), fd, arena, &entries, &error), 0);
        assert_int_equal(entries.n_items, 5);
        static const struct {
                uint64_t seq;
                const char *file;
                size_t line;
        } rows[] = {
                { 1, "audit-9.ndjson", 1 },   { 2, "audit-10.ndjson", 1 },
                { 0, "audit-10.ndjson", 2 },  { 3, "audit-011.ndjson", 1 },
                { 0, "audit-011.ndjson", 2 },
        };
        TEST_EACH(row, rows) {
                const AuditEntry *entry = &entries.items[test_row_current];
                assert_string_equal(entry->file, row->file);
                assert_int_equal(entry->line, row->line);
                assert_int_equal(entry->record.seq, row->seq);
                assert_true((row->seq > 0) == (entry->record.object != NULL));
                assert_true((row->seq > 0) == (entry->why == NULL));
        }
        root_remove(root);
}

static void test_audit_reader_load_without_a_log(void **state) {
        (void) state;
        char root[64];
        root_new(root);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        cleanup_close int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP(audit_entries_deinit) AuditEntries entries = {};
        Error error = {};
        assert_int_equal(audit_reader_load(seam_real(), fd, arena, &entries, &error), 0);
        assert_int_equal(entries.n_items, 0);
        root_write(root, "var/log/twprofile", "a file");
        assert_true(audit_reader_load(seam_real(), fd, arena, &entries, &error) < 0);
        assert_non_null(strstr(error.text, "/var/log/twprofile"));
        root_remove(root);
}

TEST_MAIN(cmocka_unit_test(test_audit_reader_load_in_the_order_of_the_files),
          cmocka_unit_test(test_audit_reader_load_without_a_log))
