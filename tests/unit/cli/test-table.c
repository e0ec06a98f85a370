/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/table.h"

#include "test.h"

static void render(Terminal terminal, const char *const (*rows)[2], size_t n, StrBuf *out) {
        Table *table = NULL;
        Error error = {};
        assert_int_equal(table_new(&table, terminal, &error), 0);
        table_add_column(table, "NAME", 0);
        table_add_column(table, "WHY", TABLE_COLUMN_WRAP);
        for (size_t i = 0; i < n; i++)
                table_add_row(table, rows[i]);
        assert_int_equal(table_render(table, out, &error), 0);
        (void) table_free(table);
}

static void test_table_render_breaks_prose_between_words(void **state) {
        (void) state;
        static const char *const rows[][2] = {
                { "abcdefghij", "one two three four five six" },
                { "k", NULL },
        };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        render((Terminal){ .width = 30 }, rows, ELEMENTSOF(rows), &out);
        assert_string_equal(
                        strbuf_text(&out), "NAME       WHY\n"
                                           "abcdefghij one two three four\n"
                                           "           five six\n"
                                           "k          -\n");
}

static void test_table_render_never_cuts_names(void **state) {
        (void) state;
        static const char *const rows[][2] = { { "a.very.long.key.that.is.wider.than.the.terminal",
                                                 "why" } };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        render((Terminal){ .width = 40 }, rows, ELEMENTSOF(rows), &out);
        assert_non_null(
                        strstr(strbuf_text(&out),
                               "a.very.long.key.that.is.wider.than.the.terminal why\n"));
}

static void test_table_render_never_breaks_words(void **state) {
        (void) state;
        static const char *const rows[][2] = { { "abcdefghijklmnopqrstuvwxyzabcdefghijklmn",
                                                 "a-long-word-of-its-own and more" } };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        render((Terminal){ .width = 45 }, rows, ELEMENTSOF(rows), &out);
        assert_non_null(strstr(strbuf_text(&out), " a-long-word-of-its-own\n"));
        assert_non_null(strstr(strbuf_text(&out), " and more\n"));
}

static void test_table_without_the_library(void **state UNUSED) {
        Error error = {};
        CLEANUP(table_freep) Table *table = NULL;
        assert_int_equal(table_new_plain(&table, (Terminal){ .width = 20 }, &error), 0);
        table_add_column(table, "NAME", 0);
        table_add_column(table, "N", TABLE_COLUMN_RIGHT);
        table_add_column(table, "NONE", TABLE_COLUMN_OPTIONAL);
        table_add_column(table, "WHY", TABLE_COLUMN_WRAP);
        table_add_row(table,
                      (const char *const[]){ "a", "100", NULL, "it is longer than the line" });
        table_add_row(table, (const char *const[]){ "longer", "7", NULL, NULL });
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(table_render(table, &out, &error), 0);
        assert_string_equal(
                        strbuf_text(&out), "NAME     N WHY\n"
                                           "a      100 it is longer\n"
                                           "           than the line\n"
                                           "longer   7 -\n");
}

static void test_table_leaves_empty_columns_out(void **state) {
        (void) state;
        static const char *const rows[][3] = { { "a", NULL, "b" }, { "c", NULL, "d" } };
        Error error = {};
        CLEANUP(table_freep) Table *table = NULL;
        assert_int_equal(table_new(&table, (Terminal){ .width = 80 }, &error), 0);
        table_add_column(table, "ONE", 0);
        table_add_column(table, "EMPTY", TABLE_COLUMN_OPTIONAL);
        table_add_column(table, "THREE", TABLE_COLUMN_OPTIONAL);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                table_add_row(table, rows[i]);
        assert_int_equal(table_width(table), 9);
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(table_render(table, &out, &error), 0);
        assert_string_equal(strbuf_text(&out), "ONE THREE\na   b\nc   d\n");
}

static void test_table_render_escapes(void **state) {
        (void) state;
        static const char *const rows[][2] = { { "a\033[2Jb\nc", "\xe2\x80\xae"
                                                                 "x\n" } };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        render((Terminal){ .width = 80 }, rows, ELEMENTSOF(rows), &out);
        assert_null(strchr(strbuf_text(&out), '\033'));
        assert_null(strstr(strbuf_text(&out), "\xe2\x80\xae"));
        size_t lines = 0;
        for (const char *p = strbuf_text(&out); *p; p++)
                lines += *p == '\n' ? 1 : 0;
        assert_int_equal(lines, 2);
}

static void test_table_render_colours_the_head_only(void **state) {
        (void) state;
        static const char *const rows[][2] = { { "a", "b" } };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        render((Terminal){ .width = 80, .colour = true, .is_terminal = true }, rows, 1, &out);
        const char *second = strchr(strbuf_text(&out), '\n');
        assert_non_null(strchr(strbuf_text(&out), '\033'));
        assert_null(strchr(second, '\033'));
}

TEST_MAIN(cmocka_unit_test(test_table_render_breaks_prose_between_words),
          cmocka_unit_test(test_table_render_never_cuts_names),
          cmocka_unit_test(test_table_render_never_breaks_words),
          cmocka_unit_test(test_table_without_the_library),
          cmocka_unit_test(test_table_leaves_empty_columns_out),
          cmocka_unit_test(test_table_render_escapes),
          cmocka_unit_test(test_table_render_colours_the_head_only))
