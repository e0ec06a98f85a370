/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/pending-format.h"

#include "fixture.h"

static const JournalKey keys[] = { { "net.core.somaxconn", "4096", "8192" } };
static const JournalProfile profiles[] = { { .name = "web" } };
static const Pending sample = {
        .tx = TEST_TX,
        .deadline_ms = 60000,
        .instance = TEST_INSTANCE,
        .keys = keys,
        .n_keys = 1,
        .profiles = profiles,
        .n_profiles = 1,
        .gate = "{\"rates\":[]}",
};

static void test_pending_round_trip(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        for (int with = 0; with < 2; with++) {
                Pending pending = sample, got;
                if (!with)
                        pending.gate = NULL;
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(pending_encode(&pending, &out), 0);
                assert_int_equal(pending_decode(out.data, out.length, arena, &got, NULL), 0);
                assert_string_equal(got.tx, TEST_TX);
                assert_int_equal(got.deadline_ms, 60000);
                assert_true(instance_equal(&got.instance, &sample.instance));
                assert_string_equal(got.keys[0].before, "4096");
                assert_string_equal(got.profiles[0].name, "web");
                assert_true(streq_null(got.gate, pending.gate));
        }
}

static void test_pending_refuses(void **state UNUSED) {
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "{", "", "not valid JSON" },
                { "\"v\":1", "\"v\":9", "newer version" },
                { TEST_TX, "x", "'tx'" },
                { TEST_BOOT, "x", "instance" },
                { "\"b\":\"4096\"", "\"b\":1", "key 0" },
                { "\"name\":\"web\"", "\"name\":1", "profile 0" },
                { "\"deadline_ms\":60000", "\"deadline_ms\":\"60000\"", "'deadline_ms'" },
        };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(pending_encode(&sample, &out), 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(strbuf_text(&out), row->from, row->to);
                Pending got;
                Error error = {};
                assert_int_equal(pending_decode(bad, strlen(bad), arena, &got, &error), -EBADMSG);
                test_error_says(&error, row->says);
        }
}

static int encode(const void *pending, StrBuf *out) {
        return pending_encode(pending, out);
}

static void test_pending_out_of_memory(void **state UNUSED) {
        assert_true(test_write_without_memory(encode, &sample) > 5);
}

TEST_MAIN(cmocka_unit_test(test_pending_round_trip), cmocka_unit_test(test_pending_refuses),
          cmocka_unit_test(test_pending_out_of_memory))
