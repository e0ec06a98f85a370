/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/audit-group.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

static void test_parse_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                bool want;
                gid_t gid;
        } rows[] = {
                { "root:x:0:\nadm:x:4:syslog\n", true, 4 },
                { "adm:x:4", true, 4 },
                { "adm::44:a,b", true, 44 },
                { "adm:x:0:\n", true, 0 },
                { "", false, 0 },
                { "admin:x:5:\n", false, 0 },
                { "#adm:x:5:\n", false, 0 },
                { "adm\n", false, 0 },
                { "adm:x\n", false, 0 },
                { "adm:x:\n", false, 0 },
                { "adm:x:-1:\n", false, 0 },
                { "adm:x:04:\n", false, 0 },
                { "adm:x:4294967295:\n", false, 0 },
                { "adm:x:99999999999999999999:\n", false, 0 },
                /* a line that means nothing does not hide the next one */
                { "adm:x:y:\nadm:x:7:\n", true, 7 },
                { "+adm:x:5:\n\n\nadm:x:6:\n", true, 6 },
        };
        TEST_EACH(row, rows) {
                gid_t gid = 0;
                assert_int_equal(
                                audit_group_parse(row->text, strlen(row->text), "adm", &gid),
                                row->want);
                assert_int_equal(gid, row->gid);
        }
}

static void test_parse_stops_at_the_length(void **state) {
        (void) state;
        gid_t gid = 0;
        assert_false(audit_group_parse("adm:x:4:\n", 5, "adm", &gid));
        assert_true(audit_group_parse("x\0y\nadm:x:4:\n", 13, "adm", &gid));
        assert_int_equal(gid, 4);
}

static void write_file(int dir, const char *path, const char *text) {
        cleanup_close int fd = openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

static void test_find_stays_in_the_tree(void **state) {
        (void) state;
        char path[] = "/tmp/twprofile-test-XXXXXX";
        assert_non_null(mkdtemp(path));
        cleanup_close int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(root >= 0);

        gid_t gid = 0;
        assert_int_equal(audit_group_find(root, &gid), -ENOENT);
        assert_int_equal(mkdirat(root, "etc", 0755), 0);
        assert_int_equal(audit_group_find(root, &gid), -ENOENT);
        write_file(root, "etc/group", "adm:x:1234:\n");
        assert_int_equal(audit_group_find(root, &gid), 0);
        assert_int_equal(gid, 1234);

        /* an absolute link means the tree's own file, not the host's */
        assert_int_equal(renameat(root, "etc/group", root, "real"), 0);
        assert_int_equal(symlinkat("/real", root, "etc/group"), 0);
        gid = 0;
        assert_int_equal(audit_group_find(root, &gid), 0);
        assert_int_equal(gid, 1234);

        assert_int_equal(unlinkat(root, "real", 0), 0);
        write_file(root, "real", "root:x:0:\n");
        assert_int_equal(audit_group_find(root, &gid), -ENOENT);

        assert_int_equal(unlinkat(root, "etc/group", 0), 0);
        assert_int_equal(unlinkat(root, "real", 0), 0);
        assert_int_equal(unlinkat(root, "etc", AT_REMOVEDIR), 0);
        assert_int_equal(rmdir(path), 0);
}

static void test_is_joined(void **state) {
        (void) state;
        assert_true(audit_group_is_joined(getegid()));
        assert_false(audit_group_is_joined(0x7ffffff1));
}

TEST_MAIN(cmocka_unit_test(test_parse_table), cmocka_unit_test(test_parse_stops_at_the_length),
          cmocka_unit_test(test_find_stays_in_the_tree), cmocka_unit_test(test_is_joined))
