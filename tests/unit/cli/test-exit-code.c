/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exit-code.h"
#include "test.h"

static void test_exit_code_table_is_the_contract(void **state) {
        (void) state;
        static const struct {
                int code;
                const char *name;
        } rows[] = {
                { 0, "done" },      { 1, "differs" },   { 2, "failed" }, { 3, "invalid" },
                { 4, "refused" },   { 5, "not-found" }, { 6, "undone" }, { 7, "partly" },
                { 8, "attention" }, { 64, "usage" },
        };
        assert_int_equal(exit_code_count(), ELEMENTSOF(rows));
        TEST_EACH(row, rows) {
                assert_int_equal(exit_code_get(test_row_current)->code, row->code);
                assert_string_equal(exit_code_find(row->code)->name, row->name);
                assert_true(strlen(exit_code_find(row->code)->meaning) < 70);
        }
}

static void test_exit_code_find_unknown(void **state) {
        (void) state;
        assert_null(exit_code_find(9));
        assert_null(exit_code_find(-1));
        assert_null(exit_code_find(255));
}

TEST_MAIN(cmocka_unit_test(test_exit_code_table_is_the_contract),
          cmocka_unit_test(test_exit_code_find_unknown))
