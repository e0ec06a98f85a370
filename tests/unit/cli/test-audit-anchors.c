/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-anchors.h"

#include "test-root.h"

#define HASH   "ab00000000000000000000000000000000000000000000000000000000000000"
#define RECORD "{\"ev\":\"boot\",\"prev\":\"" HASH "\",\"seq\":7,\"v\":1}"

static void test_audit_anchors_add_text_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                size_t want;
                uint64_t first;
                const char *wrong;
        } rows[] = {
                { "", 0, 0, NULL },
                { "57 " HASH, 1, 57, NULL },
                { "57 " HASH "\n\n3 " HASH "\n" RECORD "\n", 3, 3, NULL },
                { RECORD "\n{\"half\n", 1, 7, NULL },
                { "57 " HASH "\n57\n", 0, 0, "line 2 is neither" },
                { "0 " HASH, 0, 0, "line 1" },
                { "057 " HASH, 0, 0, "line 1" },
                { "57  " HASH, 0, 0, "line 1" },
                { "57 " HASH "0", 0, 0, "line 1" },
                { "-- No entries --", 0, 0, "line 1" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(audit_anchors_deinit) AuditAnchors anchors = {};
                Error error = {};
                int r = audit_anchors_add_text(
                                &anchors, row->text, strlen(row->text), "a copy", &error);
                assert_int_equal(r, row->wrong ? -EBADMSG : 0);
                if (row->wrong) {
                        assert_non_null(strstr(error.text, row->wrong));
                        continue;
                }
                audit_anchors_sort(&anchors);
                assert_int_equal(anchors.n_items, row->want);
                if (row->want > 0) {
                        assert_int_equal(anchors.items[0].seq, row->first);
                        assert_string_equal(anchors.items[0].source, "a copy");
                }
        }
}

static void test_audit_anchors_of_a_record_is_its_hash(void **state) {
        (void) state;
        CLEANUP(audit_anchors_deinit) AuditAnchors anchors = {};
        assert_int_equal(
                        audit_anchors_add_text(&anchors, RECORD, strlen(RECORD), "a copy", NULL),
                        0);
        Sha256 hash = sha256_of(RECORD, strlen(RECORD));
        assert_memory_equal(&anchors.items[0].hash, &hash, sizeof(hash));
}

static void test_audit_anchors_add_kept(void **state) {
        (void) state;
        static const struct {
                const char *text;
                AuditKept want;
                const char *name;
        } rows[] = {
                { NULL, AUDIT_KEPT_NONE, "absent" },
                { "", AUDIT_KEPT_NONE, "absent" },
                { "\n", AUDIT_KEPT_NONE, "absent" },
                { "57 " HASH "\n", AUDIT_KEPT_READ, "compared" },
                { "57 " HASH "\n58 " HASH "\n", AUDIT_KEPT_STRANGE, "unreadable" },
                { "57 AB\n", AUDIT_KEPT_STRANGE, "unreadable" },
        };
        TEST_EACH(row, rows) {
                char root[64];
                root_new(root);
                if (row->text)
                        root_write(root, "var/lib/twprofile/audit-head", row->text);
                cleanup_close int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
                CLEANUP(audit_anchors_deinit) AuditAnchors anchors = {};
                AuditKept kept = AUDIT_KEPT_DENIED;
                assert_int_equal(audit_anchors_add_kept(&anchors, seam_real(), fd, &kept), 0);
                assert_int_equal(kept, row->want);
                assert_string_equal(audit_kept_name(kept), row->name);
                assert_int_equal(anchors.n_items, row->want == AUDIT_KEPT_READ);
                root_remove(root);
        }
}

TEST_MAIN(cmocka_unit_test(test_audit_anchors_add_text_table),
          cmocka_unit_test(test_audit_anchors_of_a_record_is_its_hash),
          cmocka_unit_test(test_audit_anchors_add_kept))
