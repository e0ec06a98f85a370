/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-metric.h"

#include <math.h>

#include "insight/field-flood.h"
#include "insight/field-scene.h"
#include "insight/lab-run.h"
#include "test.h"

static double get(FieldKind kind, const void *data, FieldMetricId id) {
        return field_metric_value(&(FieldResult){ kind, data }, id);
}

static void test_names_are_there(void **state) {
        (void) state;
        for (int i = 0; i < FIELD_METRICS; i++) {
                assert_true(*field_metric_title((FieldMetricId) i) != '\0');
                assert_true(*field_metric_key((FieldMetricId) i) != '\0');
                assert_non_null(field_metric_unit((FieldMetricId) i));
        }
}

static void test_churn(void **state) {
        (void) state;
        static LabRunResult run;
        run.tally.connections = 600;
        run.tally.requests = 1200;
        run.tally.ended_ns = 2000000000;
        run.tally.failures[0] = (LabFailure){ EADDRNOTAVAIL, 40 };
        run.tally.failures[1] = (LabFailure){ ETIMEDOUT, 2 };
        run.client_peak = 500;
        run.server.value[LAB_OUT_RSTS] = 7;
        run.client.value[LAB_OUT_RSTS] = 3;
        assert_float_equal(get(FIELD_CHURN, &run, FIELD_CONNECTIONS), 600, 0);
        assert_float_equal(get(FIELD_CHURN, &run, FIELD_REQUESTS_PER_SECOND), 600, 0);
        assert_float_equal(get(FIELD_CHURN, &run, FIELD_FAILED), 42, 0);
        assert_float_equal(get(FIELD_CHURN, &run, FIELD_CLIENT_TIME_WAIT), 500, 0);
        assert_float_equal(get(FIELD_CHURN, &run, FIELD_RESETS), 10, 0);
        assert_true(isnan(get(FIELD_CHURN, &run, FIELD_FIRST_REFUSAL)));
        assert_true(isnan(get(FIELD_CHURN, &run, FIELD_TIME_WAIT_LIFE)));
        assert_true(isnan(get(FIELD_CHURN, NULL, FIELD_CONNECTIONS)));
}

static void test_life_flood_and_scene(void **state) {
        (void) state;
        const FieldLife life = { .time_wait = 100, .time_wait_ms = 61700, .close_wait = 99 };
        assert_float_equal(get(FIELD_LIFE, &life, FIELD_BUCKETS), 100, 0);
        assert_float_equal(get(FIELD_LIFE, &life, FIELD_TIME_WAIT_LIFE), 61.7, 1e-9);
        assert_true(isnan(get(FIELD_LIFE, &life, FIELD_FIN_WAIT2_LIFE)));
        assert_float_equal(get(FIELD_LIFE, &life, FIELD_CLOSE_WAIT_FIRST), 99, 0);

        static FieldFlood flood = { .kept = 49 };
        flood.server.value[LAB_LISTEN_DROPS] = 451;
        assert_float_equal(get(FIELD_FLOOD, &flood, FIELD_HALF_OPEN), 49, 0);
        assert_float_equal(get(FIELD_FLOOD, &flood, FIELD_LISTEN_DROPS), 451, 0);

        FieldScene scene = { .made_ms = 1500, .late_time_wait = 12 };
        scene.counts[TCP_STATE_LAST_ACK] = 7;
        assert_float_equal(get(FIELD_SCENE, &scene, FIELD_STATE_LAST_ACK), 7, 0);
        assert_float_equal(get(FIELD_SCENE, &scene, FIELD_STATE_SYN_RECV), 0, 0);
        assert_float_equal(get(FIELD_SCENE, &scene, FIELD_MADE), 1.5, 1e-9);
        assert_true(isnan(get(FIELD_SCENE, &scene, FIELD_LATE_TIME_WAIT)));
        scene.was_late = true;
        assert_float_equal(get(FIELD_SCENE, &scene, FIELD_LATE_TIME_WAIT), 12, 0);
}

static void test_is_whole(void **state) {
        (void) state;
        static const struct {
                double value;
                bool is_whole;
        } rows[] = {
                { 0, true },    { -3, true },    { 25087, true }, { 1e15, true },
                { 0.5, false }, { -0.1, false }, { 60.1, false }, { 1e16, false },
        };
        TEST_EACH(row, rows)
                assert_int_equal(field_metric_is_whole(row->value), row->is_whole);
        assert_false(field_metric_is_whole(NAN));
}

TEST_MAIN(cmocka_unit_test(test_names_are_there), cmocka_unit_test(test_is_whole),
          cmocka_unit_test(test_churn), cmocka_unit_test(test_life_flood_and_scene))
