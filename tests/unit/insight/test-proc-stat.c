/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/proc-stat.h"

#include "base/strbuf.h"
#include "test.h"

static void test_softnet(void **state UNUSED) {
        Snapshot got = { 0 };
        softnet_stat_parse(
                        "01a72ff6 00000000 00000021 00000000 00000000\n"
                        "018a0764 0000000a 0000000c 00000000 00000001\n",
                        &got);
        assert_true(got.known[COUNTER_BACKLOG_DROPPED]);
        assert_int_equal(got.counters[COUNTER_BACKLOG_DROPPED], 10);
        assert_true(got.known[COUNTER_BUDGET_SPENT]);
        assert_int_equal(got.counters[COUNTER_BUDGET_SPENT], 0x2d);
}

static void test_softnet_broken(void **state UNUSED) {
        static const char *const rows[] = {
                "",
                "\n",
                "00000001\n",
                "00000001 00000002\n",
                "00000001 00000002 0000000g\n",
                "00000001 00000002 -1\n",
                "00000001 00000002 0x3\n",
                "00000001 00000002 00000000000000003\n",
                /* one good line is not all processors */
                "00000001 00000002 00000003\nbroken\n",
                "1 ffffffffffffffff 3\n1 1 3\n",
        };
        TEST_EACH(row, rows) {
                Snapshot got = { 0 };
                softnet_stat_parse(*row, &got);
                assert_false(got.known[COUNTER_BACKLOG_DROPPED]);
                assert_false(got.known[COUNTER_BUDGET_SPENT]);
        }
}

static void test_softnet_many_columns(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf line = {};
        for (size_t i = 0; i < 64; i++)
                strbuf_add(&line, "0a ");
        Snapshot got = { 0 };
        softnet_stat_parse(strbuf_text(&line), &got); /* no newline at its end either */
        assert_int_equal(got.counters[COUNTER_BUDGET_SPENT], 10);
}

static void test_conntrack(void **state UNUSED) {
        /* Linux 6.18 */
        Snapshot got = { 0 };
        conntrack_stat_parse(
                        "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop "
                        "early_drop icmp_error  expect_new expect_create expect_delete search_restart\n"
                        "00000010  00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000000 "
                        "00000002 00000003 00000004 00000005  00000000 00000000 00000000 00000000\n"
                        "00000010  00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000000 "
                        "00000020 00000030 00000040 00000005  00000000 00000000 00000000 00000000\n",
                        &got);
        assert_int_equal(got.counters[COUNTER_TRACKING_INSERT_FAILED], 0x22);
        assert_int_equal(got.counters[COUNTER_TRACKING_DROPPED], 0x33);
        assert_int_equal(got.counters[COUNTER_TRACKING_EARLY_DROPPED], 0x44);

        /* columns in another order, as other versions have them */
        got = (Snapshot){ 0 };
        conntrack_stat_parse("entries drop early_drop\n0 7 8\n", &got);
        assert_int_equal(got.counters[COUNTER_TRACKING_DROPPED], 7);
        assert_int_equal(got.counters[COUNTER_TRACKING_EARLY_DROPPED], 8);
        assert_false(got.known[COUNTER_TRACKING_INSERT_FAILED]);
}

static void test_conntrack_broken(void **state UNUSED) {
        static const char *const rows[] = {
                "",
                "entries drop\n",
                "entries drop",
                "entries drop\n0\n",
                "entries drop\n0 z\n",
                "drop drop drop drop drop\n1 2\n",
                "entries dropped\n0 1\n",
        };
        TEST_EACH(row, rows) {
                Snapshot got = { 0 };
                conntrack_stat_parse(*row, &got);
                assert_false(got.known[COUNTER_TRACKING_DROPPED]);
        }
}

TEST_MAIN(cmocka_unit_test(test_softnet), cmocka_unit_test(test_softnet_broken),
          cmocka_unit_test(test_softnet_many_columns), cmocka_unit_test(test_conntrack),
          cmocka_unit_test(test_conntrack_broken))
