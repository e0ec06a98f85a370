/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/answer.h"

#include "test.h"
#include "varlink/message.h"

/* The answer to a result with these findings, as error name, with "reply" for none. */
static json_t *answer_of(int exit_code, DiagId id, const char *profile) {
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        /* a finding that is no cause comes first, and must not be taken for one */
        (void) diag_add(findings, DIAG_CHANGED_ON_DISK, (Span){ 0 }, "a note");
        Diag *diag = diag_add(findings, id, (Span){ 0 }, "the cause");
        diag_set_help(findings, diag, "the cure");
        if (profile)
                diag_set_profile(findings, diag, profile);
        EngineResult result = {
                .findings = findings, .tx = "", .outcome = "x", .exit_code = exit_code
        };
        return answer_result(&result);
}

static void test_result_table(void **state) {
        (void) state;
        static const struct {
                int exit_code;
                DiagId id;
                const char *error, *member, *value;
        } rows[] = {
                { 0, DIAG_ACCEPTED, NULL, NULL, NULL },
                { 7, DIAG_KEY_PENDING, NULL, NULL, NULL },
                { 3, DIAG_OUT_OF_RANGE, "org.twprofile.Invalid", NULL, NULL },
                { 4, DIAG_DRIFT, "org.twprofile.Refused", "code", "drift" },
                { 4, DIAG_DRIFT, "org.twprofile.Refused", "message", "the cause" },
                { 4, DIAG_DRIFT, "org.twprofile.Refused", "hint", "the cure" },
                { 4, DIAG_BUSY, "org.twprofile.Busy", "transaction", "" },
                { 4, DIAG_OTHER_UNDECIDED, "org.twprofile.Busy", "transaction", "" },
                { 4, DIAG_CHANGE_UNDECIDED, "org.twprofile.Busy", "transaction", "" },
                { 5, DIAG_UNKNOWN_PROFILE, "org.twprofile.NotFound", "what", "web" },
                { 2, DIAG_STATE_UNWRITABLE, "org.twprofile.Failed", "state", "old" },
                { 2, DIAG_STATE_UNWRITABLE, "org.twprofile.Failed", "code", "state-unwritable" },
                { 6, DIAG_APPLY_UNDONE, "org.twprofile.Failed", "state", "undone" },
                { 8, DIAG_STATE_UNKNOWN, "org.twprofile.Failed", "state", "unknown" },
        };
        TEST_EACH(row, rows) {
                json_t *message = answer_of(row->exit_code, row->id, "web");
                assert_non_null(message);
                VarlinkReply reply;
                assert_int_equal(varlink_reply_decode(message, &reply), 0);
                assert_false(reply.continues);
                assert_true(streq_null(reply.error, row->error));
                if (row->member)
                        assert_string_equal(
                                        json_string_value(json_object_get(
                                                        reply.parameters, row->member)),
                                        row->value);
                if (row->error)
                        assert_int_equal(
                                        json_array_size(json_object_get(
                                                        reply.parameters, "findings")),
                                        2);
                else
                        assert_int_equal(
                                        json_integer_value(json_object_get(
                                                        json_object_get(reply.parameters, "result"),
                                                        "exit_code")),
                                        row->exit_code);
                json_decref(message);
        }
}

/* Whoever is refused learns which change is in the way, and until when. */
static void test_busy_names_the_change(void **state) {
        (void) state;
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        (void) diag_add(findings, DIAG_CHANGE_UNDECIDED, (Span){ 0 }, "another one");
        EngineResult result = { .findings = findings,
                                .tx = "0b0e4c9e-0000-4000-8000-000000000000",
                                .deadline_ms = 98765,
                                .outcome = "refused",
                                .exit_code = 4 };
        json_t *message = answer_result(&result);
        VarlinkReply reply;
        assert_int_equal(varlink_reply_decode(message, &reply), 0);
        assert_string_equal(reply.error, "org.twprofile.Busy");
        assert_string_equal(
                        json_string_value(json_object_get(reply.parameters, "transaction")),
                        "0b0e4c9e-0000-4000-8000-000000000000");
        assert_int_equal(
                        json_integer_value(json_object_get(reply.parameters, "deadline_ms")),
                        98765);
        json_decref(message);
}

/* An engine that forgot to say why still gives a whole answer. */
static void test_result_without_cause(void **state) {
        (void) state;
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        static const int codes[] = { 2, 3, 4, 5, 6, 8 };
        TEST_EACH(code, codes) {
                EngineResult result = {
                        .findings = findings, .tx = "", .outcome = "x", .exit_code = *code
                };
                json_t *message = answer_result(&result);
                assert_non_null(message);
                VarlinkReply reply;
                assert_int_equal(varlink_reply_decode(message, &reply), 0);
                assert_non_null(reply.error);
                json_decref(message);
        }
}

static void test_lost_table(void **state) {
        (void) state;
        static const struct {
                EngineResult result;
                const char *state, *code, *text;
        } rows[] = {
                { { .tx = "", .outcome = "unchanged" },
                  "settled",
                  "helper-lost",
                  "had not begun, or it was complete" },
                { { .tx = "t", .outcome = "recovered" }, "undone", "helper-lost", "taken back" },
                { { .tx = "t", .outcome = "recovered", .generation_before = 3, .generation = 4 },
                  "new",
                  "helper-lost",
                  "was completed" },
                { { .tx = "t", .outcome = "unknown", .exit_code = 8 },
                  "unknown",
                  "state-unknown",
                  "could not settle" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
                EngineResult result = row->result;
                result.findings = findings;
                json_t *message = answer_lost(&result, "signal: killed, KILL");
                VarlinkReply reply;
                assert_int_equal(varlink_reply_decode(message, &reply), 0);
                assert_string_equal(reply.error, "org.twprofile.Failed");
                json_t *p = reply.parameters;
                assert_string_equal(json_string_value(json_object_get(p, "state")), row->state);
                assert_string_equal(json_string_value(json_object_get(p, "code")), row->code);
                const char *text = json_string_value(json_object_get(p, "message"));
                assert_non_null(strstr(text, row->text));
                assert_non_null(strstr(text, "(signal: killed, KILL)"));
                json_decref(message);
        }
}

static void test_lost_when_recovery_failed(void **state) {
        (void) state;
        json_t *message = answer_lost(NULL, "signal: killed, KILL");
        VarlinkReply reply;
        assert_int_equal(varlink_reply_decode(message, &reply), 0);
        assert_string_equal(
                        json_string_value(json_object_get(reply.parameters, "state")), "unknown");
        assert_true(json_is_null(json_object_get(reply.parameters, "result")));
        json_decref(message);
}

static void test_progress(void **state) {
        (void) state;
        json_t *message = answer_progress("apply", 2, 8, NULL);
        char *text = json_dumps(message, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(
                        text, "{\"continues\":true,\"parameters\":{\"progress\":"
                              "{\"done\":2,\"step\":\"apply\",\"text\":\"\",\"total\":8}}}");
        free(text);
        json_decref(message);
}

TEST_MAIN(cmocka_unit_test(test_result_table), cmocka_unit_test(test_result_without_cause),
          cmocka_unit_test(test_busy_names_the_change), cmocka_unit_test(test_lost_table),
          cmocka_unit_test(test_lost_when_recovery_failed), cmocka_unit_test(test_progress))
