/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/source.h"

#include "test.h"

static void test_source_keeps_bytes(void **state UNUSED) {
        char bytes[] = { 'a', '\0', 'b' };
        CLEANUP(source_freep) Source *source = source_new("x.yaml", bytes, sizeof(bytes));
        bytes[0] = 'z'; /* a copy was taken */
        assert_string_equal(source_name(source), "x.yaml");
        assert_int_equal(source_length(source), 3);
        assert_memory_equal(source_bytes(source), "a\0b", 4);
        assert_null(source_new("x", "", SIZE_MAX));
        assert_null(source_free(NULL));
}

static void test_source_get_line_table(void **state UNUSED) {
        static const struct {
                const char *text;
                uint32_t line;
                const char *want; /* NULL: there is none */
        } rows[] = {
                { "one\ntwo\r\nthree", 0, NULL },
                { "one\ntwo\r\nthree", 1, "one" },
                { "one\ntwo\r\nthree", 2, "two" },
                { "one\ntwo\r\nthree", 3, "three" },
                { "one\ntwo\r\nthree", 4, NULL },
                { "one\n", 2, "" },
                { "one\n", 3, NULL },
                { "", 1, "" },
                { "\r\n\r", 1, "" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(source_freep)
                Source *source = source_new("x", row->text, strlen(row->text));
                const char *line = NULL;
                size_t length = 0;
                assert_int_equal(
                                source_get_line(source, row->line, &line, &length),
                                row->want != NULL);
                if (!row->want)
                        continue;
                assert_int_equal(length, strlen(row->want));
                assert_memory_equal(line, row->want, length);
        }
}

static void test_source_span_at_offset_table(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t offset;
                uint32_t line, column;
        } rows[] = {
                { "ab\ncd", 0, 1, 1 },
                { "ab\ncd", 1, 1, 2 },
                { "ab\ncd", 2, 1, 3 }, /* the newline itself */
                { "ab\ncd", 3, 2, 1 },
                { "ab\ncd", 99, 2, 3 },
                { "é\xC3\xA9x", 4, 1, 3 },
                { "é\xC3\xA9x", 3, 1, 2 }, /* inside the second character */
                { "a\xFF\xFE"
                  "b",
                  3, 1, 4 }, /* each broken byte is one */
                { "a\n", 2, 2, 1 },
                { "", 0, 1, 1 },
        };
        TEST_EACH(row, rows) {
                CLEANUP(source_freep)
                Source *source = source_new("x", row->text, strlen(row->text));
                Span span = source_span_at_offset(source, row->offset);
                assert_true(span_is_set(&span));
                assert_ptr_equal(span.source, source);
                assert_int_equal(span.line, row->line);
                assert_int_equal(span.column, row->column);
                assert_int_equal(span.end_column, row->column + 1);
        }
}

TEST_MAIN(cmocka_unit_test(test_source_keeps_bytes), cmocka_unit_test(test_source_get_line_table),
          cmocka_unit_test(test_source_span_at_offset_table))
