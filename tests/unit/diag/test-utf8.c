/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/utf8.h"

#include "test.h"

static void test_decode_table(void **state UNUSED) {
        static const struct {
                const char *bytes;
                size_t want; /* bytes taken; 0: not UTF-8 */
                uint32_t character;
        } rows[] = {
                { "a", 1, 'a' },
                { "\x7F", 1, 0x7F },
                { "\xC2\x80", 2, 0x80 },
                { "\xDF\xBF", 2, 0x7FF },
                { "\xE0\xA0\x80", 3, 0x800 },
                { "\xED\x9F\xBF", 3, 0xD7FF },
                { "\xEE\x80\x80", 3, 0xE000 },
                { "\xEF\xBF\xBF", 3, 0xFFFF },
                { "\xF0\x90\x80\x80", 4, 0x10000 },
                { "\xF4\x8F\xBF\xBF", 4, 0x10FFFF },
                { "\x80", 0, 0 },             /* continuation alone */
                { "\xC0\x80", 0, 0 },         /* overlong NUL */
                { "\xC1\xBF", 0, 0 },         /* overlong */
                { "\xE0\x9F\xBF", 0, 0 },     /* overlong */
                { "\xF0\x8F\xBF\xBF", 0, 0 }, /* overlong */
                { "\xED\xA0\x80", 0, 0 },     /* surrogate */
                { "\xF4\x90\x80\x80", 0, 0 }, /* beyond Unicode */
                { "\xF5\x80\x80\x80", 0, 0 },
                { "\xFF", 0, 0 },
                { "\xC3", 0, 0 },     /* cut off */
                { "\xE4\xB8", 0, 0 }, /* cut off */
                { "\xC3z", 0, 0 },
                { "\xE4\xB8z", 0, 0 },
        };
        TEST_EACH(row, rows) {
                uint32_t character = 0;
                assert_int_equal(
                                utf8_decode(row->bytes, strlen(row->bytes), &character), row->want);
                assert_int_equal(character, row->character);
                assert_int_equal(utf8_is_valid(row->bytes, strlen(row->bytes)), row->want > 0);
        }
        uint32_t character = 1;
        assert_int_equal(utf8_decode("", 1, &character), 1);
        assert_int_equal(character, 0);
}

static void test_count_table(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t want;
        } rows[] = { { "", 0 }, { "abc", 3 }, { "é中", 2 }, { "a\xFF\xFE", 3 } };
        TEST_EACH(row, rows)
                assert_int_equal(utf8_count(row->text, strlen(row->text)), row->want);
}

static void test_width_table(void **state UNUSED) {
        static const struct {
                uint32_t character;
                unsigned want;
        } rows[] = {
                { 'a', 1 },     { 0xE9, 1 },   { 0x301, 0 },    { 0x370, 1 },   { 0x4E2D, 2 },
                { 0xAC00, 2 },  { 0xFF21, 2 }, { 0x1F600, 2 },  { 0x200D, 0 },  { 0x2026, 1 },
                { 0x20000, 2 }, { 0xFE0F, 0 }, { 0x10FFFF, 1 }, { 0xE0100, 0 },
        };
        TEST_EACH(row, rows)
                assert_int_equal(utf8_width(row->character), row->want);
}

static void test_hidden_table(void **state UNUSED) {
        static const struct {
                uint32_t character;
                bool want;
        } rows[] = {
                { 0, true },       { '\n', true },   { '\t', true },   { ' ', false },
                { 0x7E, false },   { 0x7F, true },   { 0x85, true },   { 0xA0, false },
                { 0x200D, false }, { 0x200E, true }, { 0x2028, true }, { 0x202E, true },
                { 0x202F, false }, { 0x2066, true }, { 0xFEFF, true }, { 0x4E2D, false },
        };
        TEST_EACH(row, rows)
                assert_int_equal(utf8_is_hidden(row->character), row->want);
}

TEST_MAIN(cmocka_unit_test(test_decode_table), cmocka_unit_test(test_count_table),
          cmocka_unit_test(test_width_table), cmocka_unit_test(test_hidden_table))
