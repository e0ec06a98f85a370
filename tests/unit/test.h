/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What every unit test includes instead of cmocka's headers.
 *
 *         static void test_thing_when_so(void **state) {
 *                 static const struct { const char *in; int want; } rows[] = { … };
 *                 TEST_EACH(row, rows)
 *                         assert_int_equal(thing(row->in), row->want);
 *         }
 *         TEST_MAIN(cmocka_unit_test(test_thing_when_so))
 *
 * TEST_EACH names the row (its index) when an assertion in its body fails.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/macro.h"

/* What tests/meson.build returns for "cannot run here". Print the reason first. */
#define TEST_SKIP 77

static size_t test_row_current __attribute__((unused));
static const char *test_row_table __attribute__((unused));

/* NOLINTBEGIN(bugprone-macro-parentheses): the name that is declared takes no brackets */
#define TEST_EACH(row, rows)                                                                     \
        for (test_row_current = 0, test_row_table = #rows;                                       \
             test_row_current < ELEMENTSOF(rows) || (test_row_table = NULL); test_row_current++) \
                for (typeof(&(rows)[0]) row = &(rows)[test_row_current], test_once_ = row;       \
                     test_once_; test_once_ = NULL)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline int test_report_row(void **state) {
        (void) state;
        if (test_row_table)
                print_error("  … in row %zu of %s\n", test_row_current, test_row_table);
        test_row_table = NULL;
        return 0;
}

#define TEST_MAIN(...)                                                    \
        int main(void) {                                                  \
                struct CMUnitTest tests[] = { __VA_ARGS__ };              \
                for (size_t i = 0; i < ELEMENTSOF(tests); i++)            \
                        if (!tests[i].teardown_func)                      \
                                tests[i].teardown_func = test_report_row; \
                return cmocka_run_group_tests(tests, NULL, NULL);         \
        }
