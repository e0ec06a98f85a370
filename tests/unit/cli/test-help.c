/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/help.h"
#include "diag/utf8.h"
#include "test.h"

/* No line of any help is wider than a terminal. */
static void check_width(const Command *command) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        help_render(command, &out);
        for (const char *line = strbuf_text(&out); *line;) {
                size_t n = strcspn(line, "\n");
                if (utf8_count(line, n) > 80)
                        fail_msg("too wide: %.*s", (int) n, line);
                line += n + (line[n] == '\n' ? 1 : 0);
        }
}

static void test_help_render_fits(void **state) {
        (void) state;
        check_width(NULL);
        for (size_t i = 0; i < command_count(); i++)
                check_width(command_get(i));
}

static void test_help_render_of_enable_says_both_in_the_first_line(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        help_render(command_find("enable"), &out);
        assert_non_null(startswith(strbuf_text(&out), "Apply profiles now and at every boot.\n"));
}

static void test_help_render_has_every_verb_and_exit_code(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        help_render(NULL, &out);
        for (size_t i = 0; i < command_count(); i++)
                assert_non_null(strstr(strbuf_text(&out), command_get(i)->help));
        for (size_t i = 0; i < exit_code_count(); i++)
                assert_non_null(strstr(strbuf_text(&out), exit_code_get(i)->meaning));
}

static void test_help_to_json_has_the_tables(void **state) {
        (void) state;
        json_t *all = help_to_json(NULL), *one = help_to_json(command_find("list"));
        assert_int_equal(json_array_size(json_object_get(all, "verbs")), command_count());
        assert_int_equal(json_array_size(json_object_get(all, "options")), option_count());
        assert_int_equal(json_array_size(json_object_get(all, "exit_codes")), exit_code_count());
        assert_int_equal(json_array_size(json_object_get(one, "verbs")), 1);
        json_decref(all);
        json_decref(one);
}

static void test_help_render_owners(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        help_render_owners(OPT_TO, &out);
        assert_string_equal(strbuf_text(&out), "rollback");
}

TEST_MAIN(cmocka_unit_test(test_help_render_fits),
          cmocka_unit_test(test_help_render_of_enable_says_both_in_the_first_line),
          cmocka_unit_test(test_help_render_has_every_verb_and_exit_code),
          cmocka_unit_test(test_help_to_json_has_the_tables),
          cmocka_unit_test(test_help_render_owners))
