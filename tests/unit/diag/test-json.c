/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/json.h"

#include "test.h"

static char *dumped(const DiagList *list) {
        CLEANUP(json_decrefp) json_t *array = diag_json_encode(list);
        return json_dumps(array, JSON_COMPACT);
}

static void test_encode_all_fields(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Source *source = source_new("a.yaml", "x: 1", 4);
        diag_list_take_source(list, source);
        Span span = source_span_at_offset(source, 3);
        Diag *diag = diag_add(list, DIAG_OUT_OF_RANGE, span, "too \"big\"");
        diag_set_key(list, diag, "net.a");
        diag_set_profile(list, diag, "web");
        diag_add_label(list, diag, span, "here");
        diag_add_label(list, diag, (Span){ 0 }, "nowhere");
        diag_add_note(list, diag, "because");
        diag_set_help(list, diag, "smaller");

        cleanup_free char *text = dumped(list);
        assert_string_equal(
                        text,
                        "[{\"code\":\"TW417\",\"name\":\"out-of-range\",\"severity\":\"refuse\","
                        "\"message\":\"too \\\"big\\\"\",\"key\":\"net.a\",\"profile\":\"web\","
                        "\"place\":{\"file\":\"a.yaml\",\"line\":1,\"column\":4,\"end_line\":1,\"end_column\":5},"
                        "\"labels\":[{\"place\":{\"file\":\"a.yaml\",\"line\":1,\"column\":4,\"end_line\":1,"
                        "\"end_column\":5},\"text\":\"here\"},{\"text\":\"nowhere\"}],"
                        "\"notes\":[\"because\"],\"help\":\"smaller\"}]");
}

static void test_encode_leaves_out_what_is_not_known(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "m");
        cleanup_free char *text = dumped(list);
        assert_string_equal(
                        text, "[{\"code\":\"TW543\",\"name\":\"busy\",\"severity\":\"refuse\","
                              "\"message\":\"m\"}]");
}

static void test_encode_replaces_what_is_not_utf8(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "caf\xE9 \xC3\xA9\n");
        CLEANUP(json_decrefp) json_t *array = diag_json_encode(list);
        json_t *message = json_object_get(json_array_get(array, 0), "message");
        assert_string_equal(json_string_value(message), "caf\xEF\xBF\xBD \xC3\xA9\n");
}

static void test_round_trip(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Source *a = source_new("a.yaml", "x", 1);
        diag_list_take_source(list, a);
        for (size_t i = 0; i < diag_row_count(); i++) {
                char file[16];
                (void) snprintf(file, sizeof(file), "%zu.yaml", i % 7);
                Source *source = source_new(file, "x", 1);
                diag_list_take_source(list, source);
                Diag *diag = diag_add(
                                list, (DiagId) i, source_span_at_offset(source, 0), "m%zu", i);
                diag_add_label(list, diag, source_span_at_offset(a, 0), "l");
                diag_add_note(list, diag, "n");
        }
        cleanup_free char *before = dumped(list);

        CLEANUP(json_decrefp) json_t *array = diag_json_encode(list);
        CLEANUP(diag_list_freep) DiagList *again = diag_list_new();
        assert_int_equal(diag_json_decode(array, again), 0);
        cleanup_free char *after = dumped(again);
        assert_string_equal(before, after);
}

static void test_decode_of_a_newer_helper(void **state UNUSED) {
        CLEANUP(json_decrefp)
        json_t *array = json_loads(
                        "[{\"name\":\"new\",\"message\":\"m\",\"key\":\"k\",\"help\":\"h\",\"more\":1,"
                        "\"labels\":[{\"text\":\"1\"},{\"text\":\"2\"},{\"text\":\"3\"}],"
                        "\"notes\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}]",
                        0, NULL);
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        assert_int_equal(diag_json_decode(array, list), 0);
        const Diag *diag = diag_list_get(list, 0);
        assert_int_equal(diag->id, DIAG_FOREIGN);
        assert_string_equal(diag->message, "m");
        assert_string_equal(diag->key, "k");
        assert_string_equal(diag->help, "h");
        assert_int_equal(diag->n_labels, DIAG_MAX_LABELS);
        assert_int_equal(diag->n_notes, DIAG_MAX_NOTES);
        assert_string_equal(diag->notes[0], "the helper calls it new (no code)");
}

static void test_decode_refuses_wrong_shapes(void **state UNUSED) {
        static const char *const rows[] = {
                "{}",
                "[1]",
                "[{}]",
                "[{\"name\":\"busy\"}]",
                "[{\"message\":\"m\"}]",
                "[{\"name\":1,\"message\":\"m\"}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"key\":1}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"code\":1}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"profile\":{}}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"help\":[]}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"labels\":{}}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"labels\":[{}]}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"notes\":\"n\"}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"notes\":[1]}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"place\":1}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"place\":{\"file\":\"a\",\"line\":0,\"column\":1,\"end_line\":1,\"end_column\":1}}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"place\":{\"file\":\"a\",\"line\":1,\"column\":4294967296,\"end_line\":1,\"end_column\":1}}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"place\":{\"file\":\"a\",\"line\":1,\"column\":1,\"end_line\":\"1\",\"end_column\":1}}]",
                "[{\"name\":\"busy\",\"message\":\"m\",\"place\":{\"file\":\"a\",\"line\":1,\"column\":1,\"end_line\":1}}]",
                "[{\"name\":\"busy\",\"message\":\"m\"},{\"name\":\"busy\",\"message\":\"m\",\"labels\":[{\"text\":\"l\",\"place\":{}}]}]",
        };
        TEST_EACH(row, rows) {
                CLEANUP(json_decrefp) json_t *array = json_loads(*row, 0, NULL);
                assert_non_null(array);
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                assert_int_equal(diag_json_decode(array, list), -EINVAL);
                assert_int_equal(diag_list_count(list), 0); /* all or nothing */
        }
}

TEST_MAIN(cmocka_unit_test(test_encode_all_fields),
          cmocka_unit_test(test_encode_leaves_out_what_is_not_known),
          cmocka_unit_test(test_encode_replaces_what_is_not_utf8),
          cmocka_unit_test(test_round_trip), cmocka_unit_test(test_decode_of_a_newer_helper),
          cmocka_unit_test(test_decode_refuses_wrong_shapes))
