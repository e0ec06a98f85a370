/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/input.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

static void test_input_read_file(void **state UNUSED) {
        cleanup_close int fd = memfd_create("input", MFD_CLOEXEC);
        char path[64];
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "some text", 9), 9);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        assert_int_equal(input_read(path, 0, 100, &bytes), 0);
        assert_string_equal(strbuf_text(&bytes), "some text");

        assert_int_equal(input_read("/proc/self/there-is-none", 0, 100, &bytes), -ENOENT);
        assert_int_equal(input_read("/proc/self", 0, 100, &bytes), -EISDIR);
        assert_int_equal(input_read(path, O_DIRECTORY, 100, &bytes), -ENOTDIR);
}

static void test_input_read_ends_behind_the_limit(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        assert_int_equal(input_read("/dev/zero", 0, 50000, &bytes), 0);
        assert_true(bytes.length > 50000);
        assert_true(bytes.length <= 50000 + 16384);
}

static void test_input_read_stdin(void **state UNUSED) {
        int ends[2], kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(write(ends[1], "from a pipe", 11), 11);
        (void) close(ends[1]);
        assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        (void) close(ends[0]);
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        int r = input_read("-", 0, 100, &bytes);
        if (kept >= 0) {
                (void) dup2(kept, STDIN_FILENO);
                (void) close(kept);
        }
        assert_int_equal(r, 0);
        assert_string_equal(strbuf_text(&bytes), "from a pipe");
}

TEST_MAIN(cmocka_unit_test(test_input_read_file),
          cmocka_unit_test(test_input_read_ends_behind_the_limit),
          cmocka_unit_test(test_input_read_stdin))
