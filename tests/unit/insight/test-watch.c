/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/watch.h"

#include "test.h"

static void test_rows_are_whole(void **state UNUSED) {
        for (WatchRowId id = 0; id < WATCH_ROWS; id++) {
                assert_non_null(watch_row(id)->label);
                assert_non_null(watch_row(id)->column);
        }
}

static void test_first_look(void **state UNUSED) {
        Watch watch = { 0 };
        const Snapshot snapshot = {
                .sockstat = { .known = true, .time_wait = 7, .in_use = { 3, 4 } }
        };
        watch_add(&watch, &snapshot, NULL);
        assert_int_equal(watch.value[WATCH_BUCKETS], 7000);
        assert_int_equal(watch.value[WATCH_IN_USE], 7000);
        assert_true(watch.known[WATCH_IN_USE]);
        assert_false(watch.known[WATCH_BUSIEST]);
        assert_false(watch.known[WATCH_OPENS]);
        assert_int_equal(watch.past[WATCH_OPENS].n, 1);
        assert_int_equal(sparkline_peak(&watch.past[WATCH_BUCKETS], 9), 7000);
}

static void test_rates(void **state UNUSED) {
        Watch watch = { 0 };
        const Snapshot snapshot = { 0 };
        SnapshotRates rates = { .interval_us = 1 };
        rates.known[COUNTER_ACTIVE_OPENS] = true;
        rates.per_second[COUNTER_ACTIVE_OPENS] = 1500;
        rates.known[COUNTER_LISTEN_DROPS] = true;
        watch_add(&watch, &snapshot, &rates);
        assert_false(watch.known[WATCH_BUCKETS]);
        assert_int_equal(watch.value[WATCH_OPENS], 1500);
        assert_true(watch.known[WATCH_DROPS]);
        assert_int_equal(watch.value[WATCH_DROPS], 0);
        assert_false(watch.known[WATCH_ACCEPTS]);
}

static void test_the_list_takes_its_share(void **state UNUSED) {
        static const SnapshotTuple tuples[] = { { .use = { .n_time_wait = 250 } } };
        Snapshot listed = { .has_pool = true,
                            .pool = { .size = 1000 },
                            .has_sockets = true,
                            .sockets = { .tuples = tuples, .n_tuples = 1 } };
        Watch watch = { 0 };
        assert_true(watch_wants_list(&watch, 1));
        watch_add_list(&watch, &listed, 250000, 1000000);
        assert_true(watch.has_busiest);
        assert_int_equal(watch.busiest, 25000); /* 25.0 % */
        /* 250 ms in every 50 s */
        assert_false(watch_wants_list(&watch, 1000000 + 49749999));
        assert_true(watch_wants_list(&watch, 1000000 + 49750000));

        watch_add_list(&watch, NULL, 100, 5);
        assert_false(watch.has_busiest);
        assert_false(watch_wants_list(&watch, 19904));
        assert_true(watch_wants_list(&watch, 19905));

        listed.sockets.n_tuples = 0;
        watch_add_list(&watch, &listed, 0, 5);
        assert_true(watch.has_busiest);
        assert_int_equal(watch.busiest, 0);
        const Snapshot snapshot = { 0 };
        watch_add(&watch, &snapshot, NULL);
        assert_true(watch.known[WATCH_BUSIEST]);
}

TEST_MAIN(cmocka_unit_test(test_rows_are_whole), cmocka_unit_test(test_first_look),
          cmocka_unit_test(test_rates), cmocka_unit_test(test_the_list_takes_its_share))
