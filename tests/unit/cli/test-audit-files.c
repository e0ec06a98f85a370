/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-files.h"

#include "test-root.h"

typedef struct Seen {
        const char *root;
        char text[512];
        int stop_at, n;
} Seen;

static int note(void *userdata, const AuditFileLine *line, Error *reterr) {
        Seen *seen = userdata;
        size_t n = strlen(seen->text);
        (void) snprintf(seen->text + n, sizeof(seen->text) - n, "%ju:%zu:%.*s%s ",
                        (uintmax_t) line->first, line->number, (int) line->n,
                        line->number > 0 ? line->bytes : "", line->has_newline ? "$" : "");
        /* pruned meanwhile */
        if (line->number == 0 && seen->root) {
                char path[128];
                (void) snprintf(path, sizeof(path), "%s/var/log/twprofile/audit-10.ndjson",
                                seen->root);
                (void) unlink(path);
        }
        return ++seen->n == seen->stop_at ? error_set(reterr, -ECANCELED, "enough") : 0;
}

static void test_audit_files_walk(void **state) {
        (void) state;
        static const struct {
                bool prune;
                int stop_at, want;
                const char *text;
        } rows[] = {
                { false, 0, 0, "9:0: 9:1:a$ 9:2:$ 9:3:b$ 10:0: 11:0: 11:1:c$ 11:2:d " },
                { true, 0, 0, "9:0: 9:1:a$ 9:2:$ 9:3:b$ 11:0: 11:1:c$ 11:2:d " },
                { false, 3, -ECANCELED, "9:0: 9:1:a$ 9:2:$ " },
        };
        TEST_EACH(row, rows) {
                char root[64];
                root_new(root);
                root_write(root, "var/log/twprofile/audit-011.ndjson", "c\nd");
                root_write(root, "var/log/twprofile/audit-9.ndjson", "a\n\nb\n");
                root_write(root, "var/log/twprofile/audit-10.ndjson", "");
                root_write(root, "var/log/twprofile/audit-.ndjson", "no");
                root_write(root, "var/log/twprofile/audit-1.ndjson.gz", "no");
                CLEANUP(arena_freep) Arena *arena = arena_new();
                cleanup_close int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
                Seen seen = { .root = row->prune ? root : NULL, .stop_at = row->stop_at };
                Error error = {};
                assert_int_equal(
                                audit_files_walk(seam_real(), fd, arena, note, &seen, &error),
                                row->want);
                assert_string_equal(seen.text, row->text);
                root_remove(root);
        }
}

static void test_audit_files_walk_nothing(void **state) {
        (void) state;
        char root[64];
        root_new(root);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        cleanup_close int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        Seen seen = {};
        assert_int_equal(audit_files_walk(seam_real(), fd, arena, note, &seen, NULL), 0);
        assert_int_equal(seen.n, 0);
        root_write(root, "var/log/twprofile/audit-1.ndjson/a", "a directory");
        Error error = {};
        assert_true(audit_files_walk(seam_real(), fd, arena, note, &seen, &error) < 0);
        assert_non_null(strstr(error.text, "/var/log/twprofile/audit-1.ndjson"));
        root_remove(root);
}

TEST_MAIN(cmocka_unit_test(test_audit_files_walk), cmocka_unit_test(test_audit_files_walk_nothing))
