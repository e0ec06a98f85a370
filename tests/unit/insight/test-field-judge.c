/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-judge.h"

#include <math.h>

#include "test.h"

/* Numbers of our own in the place of measured ones: a claim whose trials are all recorded. */
static double numbers[FIELD_TRIALS_MAX][FIELD_METRICS_MAX];
static FieldClaim claim;
static FieldMeasured measured;

static void begin(double value) {
        claim = (FieldClaim){ .n_trials = FIELD_TRIALS_MAX };
        measured = (FieldMeasured){ .claim = &claim, .value = value };
        for (size_t i = 0; i < FIELD_TRIALS_MAX; i++)
                claim.trials[i].recorded = numbers[i];
}

/* The same number in all four trials, or one for each. */
static void put4(FieldMetricId id, const double values[FIELD_TRIALS_MAX]) {
        size_t at = claim.n_metrics;
        for (size_t i = 0; i < claim.n_metrics; i++)
                if (claim.metrics[i] == id)
                        at = i;
        claim.metrics[at] = id;
        claim.n_metrics += at == claim.n_metrics;
        for (size_t i = 0; i < FIELD_TRIALS_MAX; i++)
                numbers[i][at] = values[i];
}

static void put(FieldMetricId id, double without, double with) {
        put4(id, (const double[]){ without, with, without, with });
}

static void test_lengths(void **state) {
        (void) state;
        begin(30);
        put(FIELD_TIME_WAIT_LIFE, 61.7, 30.9);
        assert_int_equal(field_judge_length(&measured), FIELD_CONFIRMED);
        assert_int_equal(field_judge_own_length(&measured), FIELD_CONFIRMED);
        put(FIELD_TIME_WAIT_LIFE, 30, 61.7);
        assert_int_equal(field_judge_length(&measured), FIELD_CONTRADICTED);
        assert_int_equal(field_judge_own_length(&measured), FIELD_CONTRADICTED);
        put(FIELD_TIME_WAIT_LIFE, NAN, NAN);
        assert_int_equal(field_judge_length(&measured), FIELD_UNDECIDED);
        assert_int_equal(field_judge_own_length(&measured), FIELD_UNDECIDED);
        assert_int_equal(field_judge_removed(&measured), FIELD_UNDECIDED);
}

static void test_keep_alive(void **state) {
        (void) state;
        begin(NAN);
        put(FIELD_REQUESTS_PER_SECOND, 2000, 9000);
        put(FIELD_CLIENT_TIME_WAIT, 4000, 200);
        assert_int_equal(field_judge_keep_alive(&measured), FIELD_CONFIRMED);
        put(FIELD_REQUESTS_PER_SECOND, 9000, 2000);
        assert_int_equal(field_judge_keep_alive(&measured), FIELD_CONTRADICTED);
}

static void test_reuse(void **state) {
        (void) state;
        begin(1);
        put(FIELD_FAILED, 800, 0);
        put(FIELD_RECYCLED, 0, 900);
        assert_int_equal(field_judge_reuse_client(&measured), FIELD_CONFIRMED);
        put(FIELD_FAILED, 800, 700);
        assert_int_equal(field_judge_reuse_client(&measured), FIELD_CONTRADICTED);
        put(FIELD_FAILED, 0, 0);
        assert_int_equal(field_judge_reuse_client(&measured), FIELD_UNDECIDED);

        begin(1);
        put(FIELD_SERVER_TIME_WAIT, 1000, 998);
        put(FIELD_RECYCLED, 0, 0);
        assert_int_equal(field_judge_reuse_server(&measured), FIELD_CONFIRMED);
        put(FIELD_SERVER_TIME_WAIT, 1000, 100);
        assert_int_equal(field_judge_reuse_server(&measured), FIELD_CONTRADICTED);
}

static void test_fin_timeout(void **state) {
        (void) state;
        begin(10);
        put(FIELD_TIME_WAIT_LIFE, 61.7, 60.6);
        put(FIELD_FIN_WAIT2_LIFE, 61.3, 9.7);
        assert_int_equal(field_judge_fin_timeout(&measured), FIELD_CONFIRMED);
        put(FIELD_TIME_WAIT_LIFE, 61.7, 10);
        assert_int_equal(field_judge_fin_timeout(&measured), FIELD_CONTRADICTED);
        put(FIELD_TIME_WAIT_LIFE, 61.7, NAN);
        assert_int_equal(field_judge_fin_timeout(&measured), FIELD_UNDECIDED);
        measured.value = 90; /* the life is another one above 60 */
        put(FIELD_TIME_WAIT_LIFE, 61.7, 61.7);
        assert_int_equal(field_judge_fin_timeout(&measured), FIELD_UNDECIDED);
}

static void test_unmoved(void **state) {
        (void) state;
        static const FieldMetricId ids[] = {
                FIELD_BUCKETS,          FIELD_TIME_WAIT_LIFE,  FIELD_FIN_WAIT2_LIFE,
                FIELD_CLOSE_WAIT_FIRST, FIELD_CLOSE_WAIT_LAST, FIELD_KEEPALIVE_INTERVAL,
        };
        begin(1);
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                put(ids[i], 100, 101);
        assert_int_equal(field_judge_unmoved(&measured), FIELD_CONFIRMED);
        assert_int_equal(field_judge_close_wait(&measured), FIELD_CONFIRMED);
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                put(ids[i], 100, 50);
                assert_int_equal(field_judge_unmoved(&measured), FIELD_CONTRADICTED);
                put(ids[i], 100, 101);
        }
        put(FIELD_CLOSE_WAIT_LAST, 100, 2);
        assert_int_equal(field_judge_close_wait(&measured), FIELD_CONTRADICTED);
        put(FIELD_TIME_WAIT_LIFE, 60, NAN);
        assert_int_equal(field_judge_unmoved(&measured), FIELD_UNDECIDED);
}

static void test_limits(void **state) {
        (void) state;
        begin(5000);
        put(FIELD_CONNECTIONS, 6000, 6000);
        put(FIELD_CLIENT_TIME_WAIT, 6000, 5000);
        put(FIELD_OVERFLOW, 0, 1000);
        put(FIELD_RESETS, 0, 1000);
        assert_int_equal(field_judge_buckets(&measured), FIELD_CONFIRMED);
        put(FIELD_RESETS, 0, 0);
        assert_int_equal(field_judge_buckets(&measured), FIELD_CONTRADICTED);
        measured.value = 262144;
        assert_int_equal(field_judge_buckets(&measured), FIELD_UNDECIDED);

        begin(8192);
        put4(FIELD_HALF_OPEN, (const double[]){ 500, 500, 49, 500 });
        put4(FIELD_LISTEN_DROPS, (const double[]){ 0, 0, 451, 0 });
        assert_int_equal(field_judge_syn_backlog(&measured), FIELD_CONFIRMED);
        put4(FIELD_HALF_OPEN, (const double[]){ 49, 500, 49, 500 });
        assert_int_equal(field_judge_syn_backlog(&measured), FIELD_CONTRADICTED);

        begin(65000);
        put(FIELD_FIRST_REFUSAL, 110, 250);
        assert_int_equal(field_judge_ports(&measured), FIELD_CONFIRMED);
        put(FIELD_FIRST_REFUSAL, 110, 110);
        assert_int_equal(field_judge_ports(&measured), FIELD_CONTRADICTED);
        put(FIELD_FIRST_REFUSAL, 110, NAN);
        assert_int_equal(field_judge_ports(&measured), FIELD_UNDECIDED);
}

static void test_table(void **state) {
        (void) state;
        begin(NAN);
        put4(FIELD_STATE_TIME_WAIT, (const double[]){ 25087, 682, 25087, 4753 });
        put4(FIELD_STATE_CLOSING, (const double[]){ 4, 2, 4, 4 });
        put4(FIELD_LATE_TIME_WAIT, (const double[]){ NAN, NAN, 25087, NAN });
        put4(FIELD_OVERFLOW, (const double[]){ NAN, NAN, 0, 20334 });
        put4(FIELD_RESETS, (const double[]){ NAN, NAN, 0, 20333 });
        put4(FIELD_MADE, (const double[]){ NAN, NAN, 2, 2 });
        assert_int_equal(field_judge_table(&measured), FIELD_CONFIRMED);
        put4(FIELD_STATE_CLOSING, (const double[]){ 4, 2, 3, 4 });
        assert_int_equal(field_judge_table(&measured), FIELD_CONTRADICTED);
        put4(FIELD_STATE_CLOSING, (const double[]){ 4, 2, 4, 4 });
        put4(FIELD_RESETS, (const double[]){ NAN, NAN, 0, 0 });
        assert_int_equal(field_judge_table(&measured), FIELD_CONTRADICTED);
        put4(FIELD_MADE, (const double[]){ NAN, NAN, 70, 2 });
        assert_int_equal(field_judge_table(&measured), FIELD_UNDECIDED);
}

TEST_MAIN(cmocka_unit_test(test_lengths), cmocka_unit_test(test_keep_alive),
          cmocka_unit_test(test_reuse), cmocka_unit_test(test_fin_timeout),
          cmocka_unit_test(test_unmoved), cmocka_unit_test(test_limits),
          cmocka_unit_test(test_table))
