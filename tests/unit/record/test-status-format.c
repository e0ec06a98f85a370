/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/status-format.h"

#include "fixture.h"

static char *encode(const Status *status) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(status_encode(status, &out), 0);
        return test_text_of(&out);
}

static void check_round_trip(const Status *status) {
        cleanup_free char *text = encode(status);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(status_deinit) Status got = {};
        assert_int_equal(status_decode(text, strlen(text), arena, &got, NULL), 0);

        cleanup_free char *again = encode(&got);
        assert_string_equal(text, again);
        assert_true(instance_equal(&got.instance, &status->instance));
        assert_int_equal(got.highest_generation, status->highest_generation);
        assert_true(streq_null(got.last_outcome, status->last_outcome));
        assert_true(streq_null(got.last_tx, status->last_tx));
        assert_int_equal(got.last_time_us, status->last_time_us);
        assert_true(streq_null(got.undecided_tx, status->undecided_tx));
        assert_int_equal(got.undecided_deadline_ms, status->undecided_deadline_ms);
        assert_int_equal(got.attention, status->attention);
        assert_ptr_equal(got.generation, got.owned_generation);
        assert_int_equal(got.generation != NULL, status->generation != NULL);
        if (got.generation)
                test_generations_equal(status->generation, got.generation);
}

static void test_round_trip(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 100);
        Status rows[] = {
                { .instance = TEST_INSTANCE },
                { .instance = TEST_INSTANCE, .generation = generation, .highest_generation = 7 },
                { .instance = TEST_INSTANCE,
                  .generation = generation,
                  .highest_generation = 9,
                  .last_outcome = "applied",
                  .last_tx = TEST_TX,
                  .last_time_us = 1700000000000001 },
                { .instance = TEST_INSTANCE,
                  .highest_generation = 1,
                  .last_outcome = "dropped-by-reboot",
                  .undecided_tx = TEST_TX_OTHER,
                  .undecided_deadline_ms = 60000,
                  .attention = true },
        };
        TEST_EACH(row, rows)
                check_round_trip(row);
}

static void test_encoding_is_as_documented(void **state) {
        (void) state;
        Status status = { .instance = TEST_INSTANCE,
                          .highest_generation = 3,
                          .last_outcome = "reverted",
                          .last_tx = TEST_TX,
                          .last_time_us = 5,
                          .undecided_tx = TEST_TX_OTHER,
                          .undecided_deadline_ms = 6,
                          .attention = true };
        cleanup_free char *text = encode(&status);
        assert_string_equal(
                        text,
                        "{\"attention\":true,\"highest_generation\":3,\"instance\":{\"boot\":\"" TEST_BOOT
                        "\",\"netns_cookie\":\"18446744073709551615\",\"netns_inode\":\"4026531840\"},"
                        "\"last\":{\"outcome\":\"reverted\",\"time_us\":5,\"tx\":\"" TEST_TX "\"},"
                        "\"undecided\":{\"deadline_ms\":6,\"tx\":\"" TEST_TX_OTHER "\"},\"v\":1}");
}

static void test_decode_refuses(void **state) {
        (void) state;
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "{", "", "not valid JSON" },
                { "\"v\":1", "\"v\":2", "newer version" },
                { "\"v\":1", "\"v\":1,\"token\":\"x\"", "unknown member 'token'" },
                { "\"attention\":true", "\"attention\":1", "'attention' is not" },
                { TEST_BOOT, "boot", "instance: member 'boot' is not" },
                { "\"outcome\":\"reverted\"", "\"outcome\":\"re verted\"",
                  "'last': member 'outcome'" },
                { "\"time_us\":5", "\"time_us\":\"5\"", "'last': member 'time_us'" },
                { "\"deadline_ms\":6,", "", "'undecided': no member 'deadline_ms'" },
                { "\"highest_generation\":7", "\"highest_generation\":6", "above the highest" },
                { "\"number\":7", "\"number\":0", "start at 1" },
                { "\"generation\":{", "\"generation\":[],\"x\":{",
                  "'generation' is not an object" },
        };
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        Status status = { .instance = TEST_INSTANCE,
                          .generation = generation,
                          .highest_generation = 7,
                          .last_outcome = "reverted",
                          .last_time_us = 5,
                          .undecided_tx = TEST_TX,
                          .undecided_deadline_ms = 6,
                          .attention = true };
        cleanup_free char *text = encode(&status);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(text, row->from, row->to);
                Status got = {};
                Error error = {};
                assert_int_equal(status_decode(bad, strlen(bad), arena, &got, &error), -EBADMSG);
                test_error_says(&error, row->says);
                assert_null(got.owned_generation);
        }
}

static void test_quarantined_round_trip(void **state) {
        (void) state;
        const Quarantine rows[] = {
                { .name = "web", .cause = "deadline", .tx = TEST_TX, .time_us = 5 },
                { .name = "db", .cause = "gate", .tx = TEST_TX_OTHER, .time_us = 6 },
        };
        Status status = { .instance = TEST_INSTANCE, .quarantined = rows, .n_quarantined = 2 };
        cleanup_free char *text = encode(&status);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(status_deinit) Status got = {};
        assert_int_equal(status_decode(text, strlen(text), arena, &got, NULL), 0);
        assert_int_equal(got.n_quarantined, 2);
        assert_string_equal(got.quarantined[1].cause, "gate");

        cleanup_free char *bad = test_replace(text, "\"cause\":\"gate\"", "\"cause\":\"\"");
        Error error = {};
        assert_int_equal(status_decode(bad, strlen(bad), arena, &got, &error), -EBADMSG);
        test_error_says(&error, "'quarantined': member 'cause'");
}

static void test_encode_refuses_a_bad_text(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        GenerationFile file = { "web", "/x", "\xFF", 1 };
        GenerationProfile profile = { .name = "web", .files = &file, .n_files = 1 };
        generation->profiles = &profile;
        Status status = { .instance = TEST_INSTANCE, .generation = generation };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(status_encode(&status, &out), -EINVAL);
}

static int encode_status(const void *status, StrBuf *out) {
        return status_encode(status, out);
}

static void test_out_of_memory(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        Status status = { .instance = TEST_INSTANCE,
                          .generation = generation,
                          .highest_generation = 7,
                          .last_outcome = "applied",
                          .last_tx = TEST_TX,
                          .undecided_tx = TEST_TX };
        assert_true(test_write_without_memory(encode_status, &status) > 50);
}

TEST_MAIN(cmocka_unit_test(test_round_trip), cmocka_unit_test(test_encoding_is_as_documented),
          cmocka_unit_test(test_decode_refuses), cmocka_unit_test(test_quarantined_round_trip),
          cmocka_unit_test(test_encode_refuses_a_bad_text), cmocka_unit_test(test_out_of_memory))
