/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-report.h"

#include "test.h"

static LabRunResult *make_run(void) {
        LabRunResult *run = calloc(1, sizeof(*run));
        assert_non_null(run);
        run->tally.connections = 40;
        run->tally.requests = 80;
        run->tally.ended_ns = 2000000000;
        run->tally.started_ns = 1000000000;
        run->tally.ports = 30;
        run->tally.opened = 40;
        run->tally.refused = 3;
        run->tally.opened_before_refusal = 30;
        lab_tally_add_failure(&run->tally, EADDRNOTAVAIL);
        lab_histogram_add(&run->tally.exchange, 5000);
        run->client_peak = 30;
        run->n_samples = 1000;
        for (uint32_t i = 0; i < run->n_samples; i++)
                run->samples[i] = (LabSample){ i, i, 0, i };
        run->client.known[LAB_TW_RECYCLED] = true;
        run->client.value[LAB_TW_RECYCLED] = 10;
        return run;
}

static json_t *at(json_t *value, const char *name) {
        json_t *member = json_object_get(value, name);
        assert_non_null(member);
        return member;
}

static void check_run(json_t *run) {
        assert_string_equal(json_string_value(at(run, "settings")), "present");
        assert_true(json_real_value(at(run, "connections_per_second")) > 39.9);
        json_t *failure = json_array_get(at(run, "failures"), 0);
        assert_string_equal(json_string_value(at(failure, "error")), "EADDRNOTAVAIL");
        assert_int_equal(
                        json_integer_value(at(at(run, "client_ports"), "first_refusal_after")), 30);
        assert_true(json_is_null(at(at(run, "client_ports"), "sustained_per_second")));
        assert_true(json_is_null(at(run, "connect_us"))); /* nothing was measured */
        assert_int_equal(json_integer_value(at(at(run, "exchange_us"), "count")), 1);
        json_t *curve = at(run, "curve");
        assert_int_equal(json_array_size(curve), 100);
        assert_int_equal(json_integer_value(at(json_array_get(curve, 99), "client")), 999);
        json_t *client = at(at(run, "counters"), "client");
        assert_int_equal(json_integer_value(at(client, "TcpExt.TWRecycled")), 10);
        assert_null(json_object_get(client, "TcpExt.PAWSTimewait")); /* not of this kernel */
}

static void test_report_to_json(void **state) {
        (void) state;
        cleanup_free LabRunResult *run = make_run();
        const LabScenario *scenario = lab_scenario_get(0);
        LabStepReport step = { .step = &scenario->steps[0], .runs = { run } };
        const LabScenarioReport played = { scenario, &step };
        const LabChange change = { catalogue_find("net.ipv4.tcp_tw_reuse"), NULL, "1",
                                   LAB_SETTING_WRITTEN };
        const LabReport report = {
                .sets = { "present" },
                .n_sets = 1,
                .kernel = "6.1.0",
                .changes = &change,
                .n_changes = 1,
                .scenarios = &played,
                .n_scenarios = 1,
        };
        json_t *json = lab_report_to_json(&report);
        assert_non_null(json);
        json_t *changed = json_array_get(at(json, "changes"), 0);
        assert_true(json_is_null(at(changed, "present")));
        assert_string_equal(json_string_value(at(changed, "lab")), "written");
        json_t *first = json_array_get(at(json, "scenarios"), 0);
        json_t *runs = at(json_array_get(at(first, "steps"), 0), "runs");
        assert_int_equal(json_array_size(runs), 1);
        check_run(json_array_get(runs, 0));
        json_decref(json);
}

static void test_error_name(void **state) {
        (void) state;
        assert_string_equal(lab_error_name(ETIMEDOUT), "ETIMEDOUT");
        assert_string_equal(lab_error_name(123456), "unknown");
}

TEST_MAIN(cmocka_unit_test(test_report_to_json), cmocka_unit_test(test_error_name))
