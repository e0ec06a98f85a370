/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/result-json.h"

#include "test.h"

static void test_encode_whole(void **state) {
        (void) state;
        static const EngineChange changes[] = {
                { .key = "net.core.somaxconn",
                  .origin = "4096",
                  .before = "4096",
                  .wanted = "8192",
                  .after = "8192",
                  .outcome = "set",
                  .profile = "web" },
                { .key = "net.ipv4.tcp_fin_timeout", .outcome = "gone", .note = "odd \xff byte" },
        };
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        (void) diag_add(findings, DIAG_KEY_PENDING, (Span){ 0 }, "the module is missing");
        EngineResult result = {
                .findings = findings,
                .tx = "0b0e4c9e-0000-4000-8000-000000000000",
                .generation_before = 3,
                .generation = 4,
                .changed = true,
                .outcome = "partly",
                .fragment = "net.core.somaxconn = 8192\n",
                .changes = changes,
                .n_changes = ELEMENTSOF(changes),
                .exit_code = 7,
                .token = "0b0e4c9e-42",
                .deadline_ms = 123456,
        };

        json_t *json = result_json_encode(&result);
        assert_non_null(json);
        json_t *first_findings = json_object_get(json, "findings");
        assert_int_equal(json_array_size(first_findings), 1);
        assert_string_equal(
                        json_string_value(
                                        json_object_get(json_array_get(first_findings, 0), "name")),
                        "key-pending");
        assert_int_equal(json_object_del(json, "findings"), 0);

        char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(
                        text,
                        "{\"changed\":true,\"changes\":["
                        "{\"after\":\"8192\",\"before\":\"4096\",\"key\":\"net.core.somaxconn\",\"note\":null,"
                        "\"origin\":\"4096\",\"outcome\":\"set\",\"profile\":\"web\",\"wanted\":\"8192\"},"
                        "{\"after\":null,\"before\":null,\"key\":\"net.ipv4.tcp_fin_timeout\","
                        "\"note\":\"odd \xEF\xBF\xBD byte\",\"origin\":null,\"outcome\":\"gone\",\"profile\":null,"
                        "\"wanted\":null}],\"deadline_ms\":123456,"
                        "\"exit_code\":7,\"fragment\":\"net.core.somaxconn = 8192\\n\",\"generation\":4,"
                        "\"generation_before\":3,\"outcome\":\"partly\",\"token\":\"0b0e4c9e-42\","
                        "\"transaction\":\"0b0e4c9e-0000-4000-8000-000000000000\"}");
        free(text);
        json_decref(json);
}

static void test_encode_empty(void **state) {
        (void) state;
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        EngineResult result = { .findings = findings, .tx = "", .outcome = "unchanged" };
        json_t *json = result_json_encode(&result);
        char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(
                        text,
                        "{\"changed\":false,\"changes\":[],\"deadline_ms\":null,\"exit_code\":0,\"findings\":[],"
                        "\"fragment\":null,"
                        "\"generation\":0,\"generation_before\":0,\"outcome\":\"unchanged\",\"token\":null,"
                        "\"transaction\":\"\"}");
        free(text);
        json_decref(json);
}

static void test_text(void **state) {
        (void) state;
        json_t *null = result_json_text(NULL), *text = result_json_text("10\t20");
        assert_true(json_is_null(null));
        assert_string_equal(json_string_value(text), "10\t20");
        json_decref(null);
        json_decref(text);
}

TEST_MAIN(cmocka_unit_test(test_encode_whole), cmocka_unit_test(test_encode_empty),
          cmocka_unit_test(test_text))
