/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/envelope.h"

#include "cli/command.h"
#include "test.h"

static json_t *build(Context *context, int code) {
        json_t *document = envelope_build(context, code);
        assert_non_null(document);
        assert_int_equal(json_object_size(document), 8);
        assert_int_equal(json_integer_value(json_object_get(document, "schema_version")), 1);
        assert_int_equal(json_integer_value(json_object_get(document, "exit_code")), code);
        return document;
}

static void test_envelope_build_good(void **state) {
        (void) state;
        static const int codes[] = { EXIT_OK, EXIT_DIFFERS };
        TEST_EACH(code, codes) {
                CLEANUP(context_deinit) Context context;
                assert_int_equal(context_init(&context), 0);
                context.command = command_find("status");
                context.changed = true;
                assert_int_equal(context_take_result(&context, json_pack("{s:i}", "x", 1)), 0);
                json_t *document = build(&context, *code);
                assert_true(json_is_true(json_object_get(document, "ok")));
                assert_true(json_is_true(json_object_get(document, "changed")));
                assert_true(json_is_null(json_object_get(document, "error")));
                assert_string_equal(
                                json_string_value(json_object_get(document, "command")), "status");
                json_decref(document);
        }
}

static void test_envelope_build_error_is_the_deciding_finding(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        (void) diag_add(context.findings, DIAG_NOT_ENABLED, (Span){}, "just a note");
        int code = context_fail(&context, DIAG_BUSY, "try again", "busy with \xff bytes");
        json_t *document = build(&context, code);
        assert_true(json_is_false(json_object_get(document, "ok")));
        assert_true(json_is_null(json_object_get(document, "command")));
        assert_true(json_is_null(json_object_get(document, "result")));
        assert_int_equal(json_array_size(json_object_get(document, "findings")), 2);
        json_t *error = json_object_get(document, "error");
        assert_string_equal(json_string_value(json_object_get(error, "name")), "busy");
        assert_string_equal(json_string_value(json_object_get(error, "hint")), "try again");
        assert_non_null(strstr(json_string_value(json_object_get(error, "message")), "busy with"));
        json_decref(document);
}

static void test_envelope_build_without_a_finding(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        json_t *document = build(&context, EXIT_ATTENTION);
        json_t *error = json_object_get(document, "error");
        assert_string_equal(json_string_value(json_object_get(error, "name")), "internal");
        assert_true(json_is_null(json_object_get(error, "hint")));
        json_decref(document);
}

static void test_envelope_notes_are_counted_where_a_plan_shows_them(void **state) {
        (void) state;
        static const struct {
                const char *verb, *root, *want;
                bool dry_run, two;
                int code;
        } rows[] = {
                { "enable", NULL, "note[TW703]: skipped\n2 notes: twprofile plan shows them\n",
                  .two = true },
                { "disable", NULL, "note[TW703]: skipped\n1 note: twprofile plan shows it\n" },
                { "rollback", "/i",
                  "note[TW703]: skipped\n1 note: twprofile plan --root=/i shows it\n",
                  .code = EXIT_PARTLY },
                { "enable", NULL, "note[TW703]: skipped\n1 note: --dry-run shows it\n",
                  .code = EXIT_REFUSED },
                { "enable", NULL, "note[TW703]: skipped\nnote[TW705]: b\n", .dry_run = true },
                { "plan", NULL, "note[TW703]: skipped\nnote[TW705]: b\n" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(context_deinit) Context context;
                assert_int_equal(context_init(&context), 0);
                context.command = command_find(row->verb);
                context.options.dry_run = row->dry_run;
                context.options.root = row->root;
                (void) diag_add(context.findings, DIAG_KEY_SKIPPED, (Span){}, "skipped");
                (void) diag_add(context.findings, DIAG_BOUND_SATISFIED, (Span){}, "b");
                if (row->two)
                        (void) diag_add(context.findings, DIAG_ACCEPTED, (Span){}, "a");
                CLEANUP(strbuf_deinit) StrBuf out = {};
                envelope_render_findings(&context, row->code, &out);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

TEST_MAIN(cmocka_unit_test(test_envelope_notes_are_counted_where_a_plan_shows_them),
          cmocka_unit_test(test_envelope_build_good),
          cmocka_unit_test(test_envelope_build_error_is_the_deciding_finding),
          cmocka_unit_test(test_envelope_build_without_a_finding))
