/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What it prints: tests/golden/cli/history-diff*.txt. */
#include "cli/history-diff.h"

#include "test.h"

static void test_history_diff_parse_table(void **state) {
        (void) state;
        static const struct {
                const char *in;
                int want;
                uint64_t from, to;
        } rows[] = {
                { "3..5", 0, 3, 5 },        { "0..1", 0, 0, 1 },
                { "5..3", 0, 5, 3 },        { "3..", 0, 3, UINT64_MAX },
                { "..3", -EINVAL, 0, 0 },   { "..", -EINVAL, 0, 0 },
                { "3", -EINVAL, 0, 0 },     { "3.5", -EINVAL, 0, 0 },
                { "3...5", -EINVAL, 0, 0 }, { "3..-5", -EINVAL, 0, 0 },
                { "03..5", -EINVAL, 0, 0 }, { "99999999999999999999999999..5", -EINVAL, 0, 0 },
        };
        TEST_EACH(row, rows) {
                uint64_t from = 0, to = 0;
                assert_int_equal(history_diff_parse(row->in, &from, &to), row->want);
                if (row->want < 0)
                        continue;
                assert_int_equal(from, row->from);
                assert_int_equal(to, row->to);
        }
}

TEST_MAIN(cmocka_unit_test(test_history_diff_parse_table))
