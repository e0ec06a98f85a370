/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts are tested by tests/unit/cli/sandbox-test, which has namespaces. */
#include "cli/private-tree.h"

#include "test-root.h"

static void test_private_tree_copy_profiles_takes_yaml_files_only(void **state) {
        (void) state;
        char root[64], from[128], to[128], path[256];
        root_new(root);
        root_write(root, "from/a.yaml", "new a");
        root_write(root, "from/b.yaml", "b");
        root_write(root, "from/.hidden.yaml", "x");
        root_write(root, "from/notes.txt", "x");
        root_write(root, "to/deep/a.yaml", "old and longer");
        (void) snprintf(from, sizeof(from), "%s/from", root);
        (void) snprintf(to, sizeof(to), "%s/to/deep", root);
        (void) snprintf(path, sizeof(path), "%s/from/link.yaml", root);
        assert_int_equal(symlink("a.yaml", path), 0);

        size_t n = 0;
        Error error = {};
        assert_int_equal(private_tree_copy_profiles(from, to, &n, &error), 0);
        assert_int_equal(n, 2);
        (void) snprintf(path, sizeof(path), "%s/a.yaml", to);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, strlen("new a"));
        assert_int_equal(st.st_mode & 07022, 0);
        static const char *const absent[] = { ".hidden.yaml", "notes.txt", "link.yaml" };
        TEST_EACH(name, absent) {
                (void) snprintf(path, sizeof(path), "%s/%s", to, *name);
                assert_int_equal(access(path, F_OK), -1);
        }
        root_remove(root);
}

static void test_private_tree_copy_profiles_without_a_directory(void **state) {
        (void) state;
        Error error = {};
        assert_int_equal(private_tree_copy_profiles("/nonexistent", "/tmp", NULL, &error), -ENOENT);
        assert_non_null(strstr(error.text, "/nonexistent"));
}

TEST_MAIN(cmocka_unit_test(test_private_tree_copy_profiles_takes_yaml_files_only),
          cmocka_unit_test(test_private_tree_copy_profiles_without_a_directory))
