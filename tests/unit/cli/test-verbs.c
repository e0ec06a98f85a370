/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"
#include "diag/utf8.h"
#include "test.h"

static void test_verbs_rows_are_sound(void **state) {
        (void) state;
        for (size_t i = 0; i < command_count(); i++) {
                const Command *command = command_get(i);
                assert_ptr_equal(command_find(command->name), command);
                assert_non_null(command->run);
                assert_true(command->min_args <= command->max_args);
                assert_true(utf8_count(command->help, strlen(command->help)) <= 52);
                assert_false(endswith(command->help, "."));
                assert_int_equal(command->options & OPT_COMMON, 0);
                assert_non_null(command_group_title(command->group));
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(command_get(k)->name, command->name);
        }
}

static void test_verbs_find_nearest(void **state) {
        (void) state;
        static const struct {
                const char *in, *want;
        } rows[] = {
                { "enabel", "enable" }, { "statsu", "status" }, { "rolback", "rollback" },
                { "frobnicate", NULL }, { "", NULL },
        };
        TEST_EACH(row, rows) {
                const Command *near = command_find_nearest(row->in);
                assert_true(row->want ? near && streq(near->name, row->want) : !near);
                assert_null(command_find(row->in));
        }
}

static void test_verbs_of_two_words(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf rest = {};
        assert_true(command_is_family("audit", &rest));
        assert_non_null(strstr(strbuf_text(&rest), "verify"));
        assert_false(command_is_family("aud", NULL));
        assert_false(command_is_family("verify", NULL));
        assert_null(command_find("audit"));
        assert_non_null(command_find("audit verify"));
        assert_ptr_equal(command_find_nearest("audit verfy"), command_find("audit verify"));
}

TEST_MAIN(cmocka_unit_test(test_verbs_of_two_words), cmocka_unit_test(test_verbs_rows_are_sound),
          cmocka_unit_test(test_verbs_find_nearest))
