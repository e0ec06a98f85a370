/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/yaml-text.h"

#include "test.h"

#define LIMIT 32U

static void test_text_check_table(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t length;    /* 0: up to the NUL */
                const char *want; /* NULL: good */
                uint32_t line, column;
        } rows[] = {
                { "", 0, NULL, 0, 0 },
                { "a: b\r\n\tc: é中\n", 0, NULL, 0, 0 },
                { "12345678901234567890123456789012", 0, NULL, 0, 0 },
                { "123456789012345678901234567890123", 0, "yaml-too-large", 1, 33 },
                { "\xEF\xBB\xBF"
                  "a: b",
                  0, "yaml-encoding", 1, 1 },
                { "a: \xEF\xBB\xBF", 0, "yaml-control-character", 1, 4 },
                { "\xFF\xFE"
                  "a",
                  0, "yaml-encoding", 1, 1 },
                { "é: \xE9", 0, "yaml-encoding", 1, 4 },
                { "a\nb\0c", 5, "yaml-control-character", 2, 2 },
                { "a\rb", 0, "yaml-control-character", 1, 2 },
                { "a\r", 0, "yaml-control-character", 1, 2 },
                { "a\033b", 0, "yaml-control-character", 1, 2 },
                { "# \x7F", 0, "yaml-control-character", 1, 3 },
                { "# \xC2\x85", 0, "yaml-control-character", 1, 3 },
                { "# \xE2\x80\xA8", 0, "yaml-control-character", 1, 3 },
                { "# \xE2\x80\xAE", 0, "yaml-control-character", 1, 3 },
                { "# \xE2\x81\xA6", 0, "yaml-control-character", 1, 3 },
        };
        TEST_EACH(row, rows) {
                size_t length = row->length ? row->length : strlen(row->text);
                CLEANUP(source_freep) Source *source = source_new("x", row->text, length);
                CLEANUP(diag_list_freep) DiagList *diags = diag_list_new();
                assert_int_equal(yaml_text_check(source, LIMIT, diags), row->want == NULL);
                assert_int_equal(diag_list_count(diags), row->want ? 1 : 0);
                if (!row->want)
                        continue;
                const Diag *diag = diag_list_get(diags, 0);
                assert_string_equal(diag_row(diag->id)->name, row->want);
                assert_int_equal(diag->span.line, row->line);
                assert_int_equal(diag->span.column, row->column);
                assert_non_null(diag->help);
        }
}

static void test_character_name_table(void **state UNUSED) {
        static const struct {
                uint32_t character;
                const char *want;
        } rows[] = {
                { 0, "U+0000 (NUL)" },          { 1, "U+0001" },
                { '\n', "U+000A (line feed)" }, { 0x202E, "U+202E (right-to-left override)" },
                { 0x10FFFF, "U+10FFFF" },
        };
        TEST_EACH(row, rows) {
                CharacterName name = yaml_character_name(row->character);
                assert_string_equal(name.text, row->want);
        }
}

TEST_MAIN(cmocka_unit_test(test_text_check_table), cmocka_unit_test(test_character_name_table))
