/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-style.h"

#include "report-test.h"

/* It names no other file, and cannot end its element. */
static void test_needs_nothing(void **state UNUSED) {
        static const char *const banned[] = { "url(", "@import", "http", "<", "expression" };
        for (size_t i = 0; i < ELEMENTSOF(banned); i++)
                assert_null(strstr(report_style(), banned[i]));
}

static void test_has_all_forms(void **state UNUSED) {
        static const char *const wanted[] = { "prefers-color-scheme:dark", "@media print",
                                              "max-width:640px", "--text:", "--page:" };
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                assert_non_null(strstr(report_style(), wanted[i]));
        assert_int_equal(
                        report_test_count(report_style(), "{"),
                        report_test_count(report_style(), "}"));
}

/* Every colour of light has one of dark. */
static void test_dark_has_all_colours(void **state UNUSED) {
        const char *dark = strstr(report_style(), "prefers-color-scheme:dark");
        assert_non_null(dark);
        size_t n = 0;
        for (const char *at = strstr(report_style(), "--"); at && at < dark;
             at = strstr(at + 2, "--")) {
                char name[32];
                size_t length = strcspn(at, ":");
                assert_true(length < sizeof(name) - 1);
                (void) snprintf(name, sizeof(name), "%.*s:", (int) length, at);
                assert_non_null(strstr(dark, name));
                n++;
        }
        assert_true(n > 15);
}

TEST_MAIN(cmocka_unit_test(test_needs_nothing), cmocka_unit_test(test_has_all_forms),
          cmocka_unit_test(test_dark_has_all_colours))
