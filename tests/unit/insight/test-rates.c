/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/rates.h"

#include "test.h"

static Snapshot at(int64_t us, uint64_t count) {
        Snapshot snapshot = { .monotonic_us = us, .netns = 7 };
        snapshot.known[COUNTER_TIME_WAIT] = true;
        snapshot.counters[COUNTER_TIME_WAIT] = count;
        return snapshot;
}

static void test_rates(void **state UNUSED) {
        static const struct {
                uint64_t before, after;
                int64_t us;
                bool known;
                uint64_t want;
        } rows[] = {
                { 5, 5, 1000000, true, 0 },
                { 5, 15, 1000000, true, 10000 },
                { 0, 1, 10000000, true, 100 },
                { 0, 1, 3000000, true, 333 },
                { 0, 1000, 500000, true, 2000000 },
                { 6, 5, 1000000, false, 0 }, /* started anew */
                { 0, UINT64_MAX, 1000000000, true, UINT64_MAX },
                { 0, UINT64_MAX, 1, true, UINT64_MAX },
        };
        TEST_EACH(row, rows) {
                const Snapshot a = at(50, row->before), b = at(50 + row->us, row->after);
                SnapshotRates rates;
                assert_true(rates_between(&a, &b, &rates));
                assert_int_equal(rates.interval_us, row->us);
                assert_int_equal(rates.known[COUNTER_TIME_WAIT], row->known);
                assert_true(rates.per_second[COUNTER_TIME_WAIT] == row->want);
                assert_false(rates.known[COUNTER_RESETS_SENT]);
        }
}

static void test_no_rates(void **state UNUSED) {
        SnapshotRates rates = { .interval_us = 3 };
        Snapshot a = at(50, 1), b = at(60, 2);
        b.netns = 8;
        assert_false(rates_between(&a, &b, &rates));
        b = at(50, 2);
        assert_false(rates_between(&a, &b, &rates));
        b = at(40, 2);
        assert_false(rates_between(&a, &b, &rates));
        assert_int_equal(rates.interval_us, 3);

        /* one of them does not know it */
        b = at(60, 2);
        b.known[COUNTER_TIME_WAIT] = false;
        assert_true(rates_between(&a, &b, &rates));
        assert_false(rates.known[COUNTER_TIME_WAIT]);
}

TEST_MAIN(cmocka_unit_test(test_rates), cmocka_unit_test(test_no_rates))
