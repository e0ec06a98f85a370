/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/terminal.h"

#include <fcntl.h>

#include "base/fd.h"
#include "test.h"

static void test_terminal_wants_colour_table(void **state) {
        (void) state;
        static const struct {
                bool is_terminal;
                const char *no_color, *term;
                bool want;
        } rows[] = {
                { true, NULL, "xterm", true }, { false, NULL, "xterm", false },
                { true, "1", "xterm", false }, { true, "", "xterm", true },
                { true, NULL, "dumb", false }, { true, NULL, NULL, false },
                { true, NULL, "", false },
        };
        TEST_EACH(row, rows)
                assert_int_equal(
                                terminal_wants_colour(row->is_terminal, row->no_color, row->term),
                                row->want);
}

static void test_terminal_inspect_file(void **state) {
        (void) state;
        static const struct {
                const char *columns;
                size_t want;
        } rows[] = {
                { NULL, 80 },    { "120", 120 }, { "5", 80 },
                { "99999", 80 }, { "-1", 80 },   { "wide", 80 },
        };
        cleanup_close int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        TEST_EACH(row, rows) {
                assert_int_equal(
                                row->columns ? setenv("COLUMNS", row->columns, 1)
                                             : unsetenv("COLUMNS"),
                                0);
                Terminal terminal = terminal_inspect(fd);
                assert_false(terminal.is_terminal);
                assert_false(terminal.colour);
                assert_int_equal(terminal.width, row->want);
        }
}

TEST_MAIN(cmocka_unit_test(test_terminal_wants_colour_table),
          cmocka_unit_test(test_terminal_inspect_file))
