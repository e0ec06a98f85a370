/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/prose.h"
#include "test.h"

static void test_prose_add_table(void **state) {
        (void) state;
        static const struct {
                const char *in;
                size_t indent, width;
                const char *want;
        } rows[] = {
                { "", 2, 20, "" },
                { "  \n\n ", 2, 20, "" },
                { "one two", 2, 20, "  one two\n" },
                { "one two three", 0, 7, "one two\nthree\n" },
                { "one two three", 0, 6, "one\ntwo\nthree\n" },
                { "a\nb\n\nc\n", 0, 20, "a b\n\nc\n" },
                { "unbreakably long", 0, 4, "unbreakably\nlong\n" },
                { "\303\244\303\244 \303\266\303\266", 0, 5,
                  "\303\244\303\244 \303\266\303\266\n" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                prose_add(&out, row->in, row->indent, row->width);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

static void test_prose_add_escapes(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        prose_add(&out, "a \033[2J b", 0, 80);
        assert_null(strchr(strbuf_text(&out), '\033'));
}

TEST_MAIN(cmocka_unit_test(test_prose_add_table), cmocka_unit_test(test_prose_add_escapes))
