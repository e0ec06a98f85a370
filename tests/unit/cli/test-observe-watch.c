/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/observe-watch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

/* What one look prints, on standard output that is no terminal; freed by the caller. */
static char *look_once(bool is_terminal) {
        cleanup_close int file = memfd_create("out", MFD_CLOEXEC);
        (void) fflush(stdout);
        cleanup_close int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        assert_true(file >= 0 && before >= 0 && dup2(file, STDOUT_FILENO) >= 0);
        const Context context = { .options = { .watch = true, .count = 1 },
                                  .out = { .is_terminal = is_terminal, .width = 80 } };
        int code = observe_watch(&context);
        (void) fflush(stdout);
        assert_true(dup2(before, STDOUT_FILENO) >= 0);
        assert_int_equal(code, EXIT_OK);

        off_t size = lseek(file, 0, SEEK_END);
        char *text = calloc(1, (size_t) size + 1);
        assert_non_null(text);
        assert_int_equal(pread(file, text, (size_t) size, 0), size);
        return text;
}

static bool is_possible(void) {
        if (access("/proc/self/net/sockstat", R_OK) == 0)
                return true;
        print_message("no /proc/net/sockstat here\n");
        return false;
}

static void test_one_line(void **state UNUSED) {
        if (!is_possible())
                skip();
        cleanup_free char *text = look_once(false);
        assert_non_null(startswith(text, "time "));
        const char *second = strchr(text, '\n');
        assert_non_null(second);
        assert_non_null(strchr(second + 1, '\n'));
        assert_null(strchr(text, '\033'));
        /* rates need a second look */
        assert_non_null(strstr(second, " -\n"));
}

static void test_one_picture(void **state UNUSED) {
        if (!is_possible())
                skip();
        cleanup_free char *text = look_once(true);
        assert_non_null(startswith(text, "\033[?7l\033[?25l"));
        assert_non_null(strstr(text, "TIME_WAIT"));
        assert_non_null(strstr(text, "opened/s"));
        assert_true(endswith(text, "\033[?7h\033[?25h"));
}

TEST_MAIN(cmocka_unit_test(test_one_line), cmocka_unit_test(test_one_picture))
