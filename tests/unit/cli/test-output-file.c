/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/output-file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/input.h"
#include "test.h"

static char folder[] = "/tmp/test-output-file-XXXXXX";

static int set_up(void **state UNUSED) {
        (void) umask(027);
        return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state UNUSED) {
        static const char *const names[] = { "one", "link", "two", "fifo" };
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) unlink(names[i]);                       /* those that are there */
        return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1; /* nothing is left behind */
}

static void check(const char *path, const char *want, mode_t mode) {
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        struct stat st;
        assert_int_equal(input_read(path, 0, 100, &bytes), 0);
        assert_string_equal(strbuf_text(&bytes), want);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

static void test_new_and_again(void **state UNUSED) {
        Error error = {};
        assert_int_equal(output_file_write("one", "text", 4, OUTPUT_FILE_SHARED, &error), 0);
        check("one", "text", 0640);
        assert_int_equal(output_file_write("./one", "other", 5, OUTPUT_FILE_PRIVATE, &error), 0);
        check("one", "other", 0600);
        CLEANUP(strbuf_deinit) StrBuf path = {};
        strbuf_addf(&path, "%s/one", folder);
        assert_int_equal(
                        output_file_write(strbuf_text(&path), "", 0, OUTPUT_FILE_SHARED, &error),
                        0);
        check("one", "", 0640);
}

/* The link stays one. */
static void test_behind_a_link(void **state UNUSED) {
        Error error = {};
        struct stat st;
        assert_int_equal(output_file_write("two", "old", 3, OUTPUT_FILE_SHARED, &error), 0);
        assert_int_equal(symlink("two", "link"), 0);
        assert_int_equal(output_file_write("link", "new", 3, OUTPUT_FILE_SHARED, &error), 0);
        check("two", "new", 0640);
        assert_int_equal(lstat("link", &st), 0);
        assert_true(S_ISLNK(st.st_mode));
}

static void test_pipe(void **state UNUSED) {
        Error error = {};
        assert_int_equal(mkfifo("fifo", 0600), 0);
        cleanup_close int fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(output_file_write("fifo", "text", 4, OUTPUT_FILE_SHARED, &error), 0);
        char text[8] = "";
        assert_int_equal(read(fd, text, sizeof(text)), 4);
        assert_string_equal(text, "text");
}

static void test_failures(void **state UNUSED) {
        static const struct {
                const char *path;
                int want;
        } rows[] = {
                { "nowhere/file", -ENOENT }, { ".", -EISDIR }, { "/", -EISDIR },
                { "absent/", -EISDIR },      { "", -EISDIR },  { "/dev/full", -ENOSPC },
        };
        TEST_EACH(row, rows) {
                Error error = {};
                assert_int_equal(
                                output_file_write(row->path, "text", 4, OUTPUT_FILE_SHARED, &error),
                                row->want);
                assert_true(error_is_set(&error));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_new_and_again),
                cmocka_unit_test(test_behind_a_link),
                cmocka_unit_test(test_pipe),
                cmocka_unit_test_teardown(test_failures, test_report_row),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
