/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-load.h"
#include "test.h"

static LabTally *tally;

static int start(void **state) {
        (void) state;
        tally = calloc(1, sizeof(*tally));
        return tally ? 0 : -1;
}

static int stop(void **state) {
        free(tally);
        return test_report_row(state);
}

static void test_failures_are_counted_by_errno(void **state) {
        (void) state;
        for (int i = 0; i < 5; i++)
                lab_tally_add_failure(tally, EADDRNOTAVAIL);
        lab_tally_add_failure(tally, ECONNRESET);
        lab_tally_add_failure(tally, EADDRNOTAVAIL);
        assert_int_equal(tally->failures[0].error, EADDRNOTAVAIL);
        assert_int_equal(tally->failures[0].n, 6);
        assert_int_equal(tally->failures[1].error, ECONNRESET);
        assert_int_equal(tally->failures[2].n, 0);
}

static void test_failures_beyond_the_table_are_not_lost(void **state) {
        (void) state;
        uint64_t n = 0;
        for (int error = 1; error <= 20; error++)
                lab_tally_add_failure(tally, error);
        for (size_t i = 0; i < LAB_ERRORS_MAX; i++)
                n += tally->failures[i].n;
        assert_int_equal(n, 20);
}

static void test_rates(void **state) {
        (void) state;
        assert_true(lab_tally_rate(tally) < 1e-9);
        assert_true(lab_tally_sustained_rate(tally) < 0);
        tally->started_ns = 1000000000;
        tally->ended_ns = 3000000000;
        tally->connections = 500;
        assert_true(lab_tally_rate(tally) > 249.9 && lab_tally_rate(tally) < 250.1);
        /* a hundred at once, then a hundred each second */
        tally->opened = 500;
        tally->refused = 7;
        tally->opened_before_refusal = 100;
        tally->refusal_ns = 1000000000;
        tally->last_opened_ns = 5000000000;
        assert_true(lab_tally_sustained_rate(tally) > 99.9 &&
                    lab_tally_sustained_rate(tally) < 100.1);
}

static void fill(size_t first, size_t end, uint64_t ns) {
        for (size_t i = first; i < end; i++)
                for (int k = 0; k < 10; k++)
                        lab_histogram_add(&tally->cost[i], ns);
}

static void test_knee_is_where_the_cost_stays_high(void **state) {
        (void) state;
        fill(0, 32, 20000);
        fill(32, 64, 200000);
        assert_int_equal(lab_tally_knee(tally), 500);
}

static void test_knee_is_no_single_peak(void **state) {
        (void) state;
        fill(0, 64, 20000);
        for (int k = 0; k < 50; k++)
                lab_histogram_add(&tally->cost[40], 900000);
        assert_int_equal(lab_tally_knee(tally), 0);
}

static void test_knee_needs_what_was_measured(void **state) {
        (void) state;
        assert_int_equal(lab_tally_knee(tally), 0);
        fill(0, 20, 20000);
        assert_int_equal(lab_tally_knee(tally), 0);
}

#define WITH_TALLY(test) cmocka_unit_test_setup_teardown(test, start, stop)

TEST_MAIN(WITH_TALLY(test_failures_are_counted_by_errno),
          WITH_TALLY(test_failures_beyond_the_table_are_not_lost), WITH_TALLY(test_rates),
          WITH_TALLY(test_knee_is_where_the_cost_stays_high),
          WITH_TALLY(test_knee_is_no_single_peak), WITH_TALLY(test_knee_needs_what_was_measured))
