/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-histogram.h"
#include "test.h"

static void test_percentile_is_at_most_an_eighth_above(void **state) {
        (void) state;
        for (uint64_t ns = 1; ns < UINT64_C(10000000000); ns = ns * 21 / 20 + 1) {
                LabHistogram one = {};
                lab_histogram_add(&one, ns);
                lab_histogram_add(&one, ns * 3); /* so that the maximum does not help */
                uint64_t p50 = lab_histogram_percentile(&one, 500);
                assert_in_range(p50, ns, ns + ns / 8);
        }
}

static void test_percentile_of_a_series(void **state) {
        (void) state;
        LabHistogram all = {};
        for (uint64_t i = 1; i <= 1000; i++)
                lab_histogram_add(&all, i * 1000);
        static const struct {
                unsigned permille;
                uint64_t true_ns;
        } rows[] = { { 1, 1000 }, { 500, 500000 }, { 900, 900000 }, { 990, 990000 } };
        TEST_EACH(row, rows)
                assert_in_range(lab_histogram_percentile(&all, row->permille), row->true_ns,
                                row->true_ns + row->true_ns / 8);
        assert_int_equal(lab_histogram_percentile(&all, 1000), 1000000);
        assert_int_equal(lab_histogram_mean(&all), 500500);
        assert_int_equal(all.n, 1000);
}

static void test_extremes(void **state) {
        (void) state;
        LabHistogram none = {};
        assert_int_equal(lab_histogram_percentile(&none, 500), 0);
        assert_int_equal(lab_histogram_mean(&none), 0);
        LabHistogram longest = {};
        lab_histogram_add(&longest, 0);
        lab_histogram_add(&longest, UINT64_C(1) << 60);
        assert_int_equal(lab_histogram_percentile(&longest, 500), 0);
        assert_int_equal(lab_histogram_percentile(&longest, 999), UINT64_C(1) << 60);
}

static void test_merge(void **state) {
        (void) state;
        LabHistogram a = {}, b = {};
        lab_histogram_add(&a, 100);
        lab_histogram_add(&b, 5000);
        lab_histogram_merge(&a, &b);
        assert_int_equal(a.n, 2);
        assert_int_equal(a.sum_ns, 5100);
        assert_int_equal(a.max_ns, 5000);
        assert_int_equal(lab_histogram_percentile(&a, 1000), 5000);
}

TEST_MAIN(cmocka_unit_test(test_percentile_is_at_most_an_eighth_above),
          cmocka_unit_test(test_percentile_of_a_series), cmocka_unit_test(test_extremes),
          cmocka_unit_test(test_merge))
