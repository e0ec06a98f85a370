/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journals without a record of ours; with records: tests/suites/47-audit, where journald runs. */
#include "cli/audit-journald.h"

#include "test-root.h"

static void test_audit_journald_add_from_an_empty_tree(void **state) {
        (void) state;
        char root[64];
        root_new(root);
        root_write(root, "etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        root_write(root, "var/log/journal/0123456789abcdef0123456789abcdef/.keep", "");
        CLEANUP(audit_anchors_deinit) AuditAnchors anchors = {};
        size_t n = 99;
        Error error = {};
        int r = audit_journald_add(&anchors, root, &n, &error);
        if (r == -EOPNOTSUPP) {
                root_remove(root);
                print_message("skipped: %s\n", error.text);
                skip();
        }
        assert_int_equal(r, 0);
        assert_int_equal(n, 0);
        assert_int_equal(anchors.n_items, 0);
        root_remove(root);
}

/* systemd takes a tree without journals for an empty one, also where there is no tree. */
static void test_audit_journald_add_without_the_tree(void **state) {
        (void) state;
        CLEANUP(audit_anchors_deinit) AuditAnchors anchors = {};
        size_t n = 99;
        Error error = {};
        int r = audit_journald_add(&anchors, "/nowhere/at/all", &n, &error);
        assert_int_equal(error_is_set(&error), r < 0);
        assert_int_equal(n, r < 0 ? 99 : 0);
        assert_int_equal(anchors.n_items, 0);
}

TEST_MAIN(cmocka_unit_test(test_audit_journald_add_from_an_empty_tree),
          cmocka_unit_test(test_audit_journald_add_without_the_tree))
