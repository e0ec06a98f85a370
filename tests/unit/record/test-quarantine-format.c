/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/quarantine-format.h"

#include "fixture.h"

static const Quarantine sample = {
        .name = "web", .cause = "deadline", .tx = TEST_TX, .time_us = 1700000000000000
};

static void test_quarantine_round_trip(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(quarantine_encode(&sample, &out), 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Quarantine got;
        assert_int_equal(quarantine_decode(out.data, out.length, arena, &got, NULL), 0);
        assert_string_equal(got.name, "web");
        assert_string_equal(got.cause, "deadline");
        assert_string_equal(got.tx, TEST_TX);
        assert_true(sha256_equal(&got.digest, &sample.digest));
        assert_int_equal(got.time_us, sample.time_us);
        assert_null(got.evidence);

        Quarantine gated = sample;
        gated.evidence = "TcpExt.ListenOverflows at 97.5/s";
        strbuf_reset(&out);
        assert_int_equal(quarantine_encode(&gated, &out), 0);
        assert_int_equal(quarantine_decode(out.data, out.length, arena, &got, NULL), 0);
        assert_string_equal(got.evidence, gated.evidence);
}

static void test_quarantine_refuses(void **state UNUSED) {
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "{", "", "not valid JSON" },
                { "\"v\":1", "\"v\":2", "newer version" },
                { "\"name\":\"web\"", "\"name\":1", "'name'" },
                { "\"cause\":\"deadline\"", "\"cause\":\"Dead line\"", "'cause'" },
                { TEST_TX, "x", "'tx'" },
                { "\"name\"", "\"evidence\":\"a\\nb\",\"name\"", "'evidence'" },
                { "\"name\"", "\"evidence\":7,\"name\"", "'evidence'" },
        };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(quarantine_encode(&sample, &out), 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(strbuf_text(&out), row->from, row->to);
                Quarantine got;
                Error error = {};
                assert_int_equal(
                                quarantine_decode(bad, strlen(bad), arena, &got, &error), -EBADMSG);
                test_error_says(&error, row->says);
        }
}

static int encode(const void *quarantine, StrBuf *out) {
        return quarantine_encode(quarantine, out);
}

static void test_quarantine_out_of_memory(void **state UNUSED) {
        assert_true(test_write_without_memory(encode, &sample) > 5);
}

TEST_MAIN(cmocka_unit_test(test_quarantine_round_trip), cmocka_unit_test(test_quarantine_refuses),
          cmocka_unit_test(test_quarantine_out_of_memory))
