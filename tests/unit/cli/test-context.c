/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/context.h"
#include "test.h"

static void test_context_fail_gives_the_row_s_exit_code(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        assert_int_equal(
                        context_fail(&context, DIAG_NOT_PERMITTED, "use sudo", "no %s", "way"),
                        EXIT_REFUSED);
        assert_int_equal(diag_list_count(context.findings), 1);
        const Diag *diag = diag_list_get(context.findings, 0);
        assert_string_equal(diag->message, "no way");
        assert_string_equal(diag->help, "use sudo");
        assert_int_equal(context_finish(&context), EXIT_REFUSED);
}

static void test_context_fail_usage(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        assert_int_equal(context_fail_usage(&context, "what is '%s'?", "x"), EXIT_USAGE);
        assert_int_equal(diag_list_get(context.findings, 0)->id, DIAG_USAGE);
}

static void test_context_row_of_errno_table(void **state) {
        (void) state;
        static const struct {
                int r;
                DiagId want;
        } rows[] = {
                { -ENOMEM, DIAG_OUT_OF_MEMORY }, { -EACCES, DIAG_NOT_PERMITTED },
                { -EPERM, DIAG_NOT_PERMITTED },  { -EBADMSG, DIAG_PROTOCOL },
                { -EIO, DIAG_IO_FAILED },        { -ENOENT, DIAG_IO_FAILED },
        };
        TEST_EACH(row, rows)
                assert_int_equal(context_row_of_errno(row->r), row->want);
}

static void test_context_take_result_replaces(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        assert_int_equal(context_take_result(&context, json_integer(1)), 0);
        assert_int_equal(context_take_result(&context, json_integer(2)), 0);
        assert_int_equal(json_integer_value(context.result), 2);
        assert_int_equal(context_take_result(&context, NULL), -ENOMEM);
}

static void test_context_begin_again_forgets(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        (void) context_fail(&context, DIAG_DRIFT, NULL, "it was");
        strbuf_add(&context.text, "said");
        assert_int_equal(context_take_result(&context, json_integer(1)), 0);
        assert_true(context_has_finding(&context, DIAG_DRIFT));
        assert_false(context_has_finding(&context, DIAG_BUSY));

        assert_int_equal(context_begin_again(&context), 0);
        assert_false(context_has_finding(&context, DIAG_DRIFT));
        assert_string_equal(strbuf_text(&context.text), "");
        assert_null(context.result);
        assert_int_equal(context_finish(&context), EXIT_OK);
}

TEST_MAIN(cmocka_unit_test(test_context_fail_gives_the_row_s_exit_code),
          cmocka_unit_test(test_context_fail_usage),
          cmocka_unit_test(test_context_row_of_errno_table),
          cmocka_unit_test(test_context_take_result_replaces),
          cmocka_unit_test(test_context_begin_again_forgets))
