/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/request.h"

#include "model/plan.h"
#include "test.h"

static void test_request_check_options_table(void **state) {
        (void) state;
        static const struct {
                const char *reason;
                unsigned adopt;
                int want;
        } rows[] = {
                { NULL, 0, 0 },
                { "a ticket, and why: \303\274", 0, 0 },
                { "two\nlines", 0, EXIT_USAGE },
                { "\033[2J", 0, EXIT_USAGE },
                { "\xe2\x80\xae", 0, EXIT_USAGE },
                { "\xff", 0, EXIT_USAGE },
                { NULL, PLAN_ADOPT_DRIFT, EXIT_USAGE },
                { "because", PLAN_ADOPT_DRIFT, 0 },
        };
        TEST_EACH(row, rows) {
                CLEANUP(context_deinit) Context context;
                assert_int_equal(context_init(&context), 0);
                context.options.reason = row->reason;
                context.options.adopt = row->adopt;
                assert_int_equal(request_check_options(&context), row->want);
        }
        char longest[1026];
        memset(longest, 'x', sizeof(longest) - 1);
        longest[1025] = '\0';
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.reason = longest;
        assert_int_equal(request_check_options(&context), EXIT_USAGE);
        context.options.reason = longest + 1;
        assert_int_equal(request_check_options(&context), 0);
}

static void test_request_decode_error_table(void **state) {
        (void) state;
        static const struct {
                const char *name, *parameters;
                int want;
                const char *row; /* of the first finding */
        } rows[] = {
                { "org.twprofile.Busy", "{\"transaction\":\"x\"}", 4, "busy" },
                { "org.twprofile.Refused",
                  "{\"code\":\"drift\",\"message\":\"m\",\"hint\":\"h\",\"findings\":[]}", 4,
                  "drift" },
                { "org.twprofile.Refused", "{\"code\":\"no-such-row\",\"message\":\"m\"}", 4,
                  "not-supported-here" },
                { "org.twprofile.NotFound", "{\"what\":\"there is no profile 'x'\"}", 5,
                  "unknown-profile" },
                { "org.twprofile.Failed",
                  "{\"code\":\"apply-failed\",\"message\":\"m\",\"state\":\"old\"}", 2,
                  "apply-failed" },
                { "org.twprofile.Failed",
                  "{\"code\":\"apply-undone\",\"message\":\"m\",\"state\":\"undone\"}", 6,
                  "apply-undone" },
                { "org.twprofile.Failed",
                  "{\"code\":\"state-unknown\",\"message\":\"m\",\"state\":\"unknown\"}", 8,
                  "state-unknown" },
                { "org.twprofile.Failed", "{}", 2, "apply-failed" },
                { "org.varlink.service.MethodNotFound", "{\"method\":\"x\"}", 2, "protocol" },
                { "org.twprofile.New", "{\"findings\":17}", 2, "protocol" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(context_deinit) Context context;
                assert_int_equal(context_init(&context), 0);
                json_t *parameters = json_loads(row->parameters, 0, NULL);
                assert_non_null(parameters);
                assert_int_equal(request_decode_error(&context, row->name, parameters), row->want);
                assert_true(diag_list_count(context.findings) > 0);
                assert_string_equal(
                                diag_row(diag_list_get(context.findings, 0)->id)->name, row->row);
                json_decref(parameters);
        }
}

/* Recovery completed what a dead helper had decided: that is success, and it has changed something. */
static void test_request_decode_error_of_a_completed_change(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        json_t *parameters = json_loads(
                        "{\"code\":\"helper-lost\",\"message\":\"m\",\"state\":\"new\",\"findings\":[]}",
                        0, NULL);
        assert_non_null(parameters);
        assert_int_equal(request_decode_error(&context, "org.twprofile.Failed", parameters), 0);
        assert_true(context.changed);
        assert_int_equal(diag_list_count_errors(context.findings), 0);
        json_decref(parameters);
}

static void test_request_decode_error_keeps_the_helper_s_findings(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        json_t *parameters = json_loads(
                        "{\"findings\":[{\"code\":\"TW203\",\"name\":\"missing-field\",\"severity\":\"refuse\","
                        "\"message\":\"a profile needs it\"}]}",
                        0, NULL);
        assert_int_equal(
                        request_decode_error(&context, "org.twprofile.Invalid", parameters),
                        EXIT_INVALID);
        assert_int_equal(diag_list_count(context.findings), 1);
        json_decref(parameters);
}

static void test_request_args_to_json(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        const char *const args[] = { "a", "b" };
        context.args = args;
        context.n_args = ELEMENTSOF(args);
        json_t *array = request_args_to_json(&context);
        assert_int_equal(json_array_size(array), 2);
        assert_string_equal(json_string_value(json_array_get(array, 1)), "b");
        json_decref(array);
        const char *const bad[] = { "\xff" };
        context.args = bad;
        context.n_args = 1;
        assert_null(request_args_to_json(&context));
}

TEST_MAIN(cmocka_unit_test(test_request_check_options_table),
          cmocka_unit_test(test_request_decode_error_table),
          cmocka_unit_test(test_request_decode_error_of_a_completed_change),
          cmocka_unit_test(test_request_decode_error_keeps_the_helper_s_findings),
          cmocka_unit_test(test_request_args_to_json))
