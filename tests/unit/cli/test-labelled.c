/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/labelled.h"
#include "test.h"

static void test_labelled_add_table(void **state) {
        (void) state;
        static const struct {
                const char *label, *text;
                size_t width;
                const char *want;
        } rows[] = {
                { "Default", "2", 80, "Default:      2\n" },
                { "", "2", 80, "              2\n" },
                { "Default", NULL, 80, "" },
                { "Default", "", 80, "" },
                { "Default", " \n ", 80, "" },
                { "Range", "one two three", 24, "Range:        one two\n              three\n" },
                { "twelve chars", "x", 80, "twelve chars: x\n" },
                { "Value", "a\033[1mb", 80, "Value:        a\\x1b[1mb\n" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                labelled_add(&out, row->label, row->text, row->width);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

static void test_labelled_add_list(void **state) {
        (void) state;
        static const char *const texts[] = { "one", "two" };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        labelled_add_list(&out, "Sources", texts, 0, 80);
        assert_string_equal(strbuf_text(&out), "");
        labelled_add_list(&out, "Sources", texts, 2, 80);
        assert_string_equal(strbuf_text(&out), "Sources:      one\n              two\n");
}

TEST_MAIN(cmocka_unit_test(test_labelled_add_table), cmocka_unit_test(test_labelled_add_list))
