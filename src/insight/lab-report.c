/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-report.h"

#define CURVE_POINTS 100U
#define NS_PER_US    1000.0

const char *lab_error_name(int error) {
        const char *name = strerrorname_np(error);
        return name ? name : "unknown";
}

static json_t *failures_to_json(const LabTally *tally) {
        json_t *array = json_array();
        for (size_t i = 0; array && i < LAB_ERRORS_MAX && tally->failures[i].n > 0; i++) {
                const LabFailure *failure = &tally->failures[i];
                if (json_array_append_new(
                                    array,
                                    json_pack("{s:s, s:I}", "error", lab_error_name(failure->error),
                                              "count", (json_int_t) failure->n)) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

static json_t *latency_to_json(const LabHistogram *histogram) {
        if (histogram->n == 0)
                return json_null();
        return json_pack(
                        "{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t) histogram->n,
                        "mean", (double) lab_histogram_mean(histogram) / NS_PER_US, "p50",
                        (double) lab_histogram_percentile(histogram, 500) / NS_PER_US, "p90",
                        (double) lab_histogram_percentile(histogram, 900) / NS_PER_US, "p99",
                        (double) lab_histogram_percentile(histogram, 990) / NS_PER_US, "max",
                        (double) histogram->max_ns / NS_PER_US);
}

/* At most CURVE_POINTS, the last one always among them. */
static json_t *curve_to_json(const LabRunResult *run) {
        json_t *array = json_array();
        uint32_t n = run->n_samples;
        uint32_t points = n < CURVE_POINTS ? n : CURVE_POINTS;
        for (uint32_t i = 0; array && i < points; i++) {
                const LabSample *sample =
                                &run->samples[(uint32_t) ((uint64_t) (i + 1) * n / points) - 1];
                if (json_array_append_new(
                                    array,
                                    json_pack("{s:I, s:I, s:I, s:I}", "ms",
                                              (json_int_t) sample->at_ms, "client",
                                              (json_int_t) sample->client_time_wait, "server",
                                              (json_int_t) sample->server_time_wait, "connections",
                                              (json_int_t) sample->connections)) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

static json_t *counters_to_json(const LabCounters *counters) {
        json_t *object = json_object();
        for (int i = 0; object && i < LAB_COUNTER_COUNT; i++)
                if (counters->known[i] &&
                    json_object_set_new(
                                    object, lab_counter_name((LabCounterId) i),
                                    json_integer((json_int_t) counters->value[i])) < 0) {
                        json_decref(object);
                        return NULL;
                }
        return object;
}

static json_t *ports_to_json(const LabTally *tally) {
        double sustained = lab_tally_sustained_rate(tally);
        unsigned knee = lab_tally_knee(tally);
        json_t *object = json_pack(
                        "{s:I, s:I, s:I}", "ports", (json_int_t) tally->ports, "opened",
                        (json_int_t) tally->opened, "refused", (json_int_t) tally->refused);
        if (!object)
                return NULL;
        json_t *first = tally->refused > 0 ? json_integer((json_int_t) tally->opened_before_refusal)
                                           : json_null();
        int r = json_object_set_new(object, "first_refusal_after", first);
        if (r == 0)
                r = json_object_set_new(
                                object, "sustained_per_second",
                                sustained < 0 ? json_null() : json_real(sustained));
        if (r == 0)
                r = json_object_set_new(
                                object, "connect_knee_permille",
                                knee == 0 ? json_null() : json_integer(knee));
        if (r == 0)
                return object;
        json_decref(object);
        return NULL;
}

static json_t *run_to_json(const char *set, const LabRunResult *run) {
        const LabTally *tally = &run->tally;
        double ms = (double) (tally->ended_ns - tally->started_ns) / 1e6;
        return json_pack(
                        "{s:s, s:f, s:I, s:I, s:f, s:o?, s:o?, s:{s:I, s:I}, s:o?, s:o?, s:o?, s:{s:o?, s:o?}}",
                        "settings", set, "ms", ms, "connections", (json_int_t) tally->connections,
                        "requests", (json_int_t) tally->requests, "connections_per_second",
                        lab_tally_rate(tally), "failures", failures_to_json(tally), "client_ports",
                        ports_to_json(tally), "time_wait_peak", "client",
                        (json_int_t) run->client_peak, "server", (json_int_t) run->server_peak,
                        "curve", curve_to_json(run), "connect_us",
                        latency_to_json(&tally->connect_call), "exchange_us",
                        latency_to_json(&tally->exchange), "counters", "client",
                        counters_to_json(&run->client), "server", counters_to_json(&run->server));
}

static int add_runs(const LabReport *report, const LabStepReport *step, json_t *runs) {
        for (size_t i = 0; i < report->n_sets; i++)
                if (json_array_append_new(runs, run_to_json(report->sets[i], step->runs[i])) < 0)
                        return -ENOMEM;
        return 0;
}

static json_t *scenario_to_json(const LabReport *report, const LabScenarioReport *scenario) {
        json_t *steps = json_array();
        for (size_t i = 0; steps && i < scenario->scenario->n_steps; i++) {
                json_t *runs = json_array();
                json_t *step = json_pack(
                                "{s:s, s:o?}", "name", scenario->steps[i].step->name, "runs", runs);
                if (!step || add_runs(report, &scenario->steps[i], runs) < 0 ||
                    json_array_append(steps, step) < 0) {
                        json_decref(steps);
                        steps = NULL;
                }
                json_decref(step);
        }
        return json_pack(
                        "{s:s, s:s, s:s, s:o?}", "name", scenario->scenario->name, "title",
                        scenario->scenario->title, "shows", scenario->scenario->shows, "steps",
                        steps);
}

static json_t *changes_to_json(const LabReport *report) {
        json_t *array = json_array();
        for (size_t i = 0; array && i < report->n_changes; i++) {
                const LabChange *change = &report->changes[i];
                if (json_array_append_new(
                                    array,
                                    json_pack("{s:s, s:s?, s:s, s:s}", "key", change->spec->key,
                                              "present", change->present, "wanted", change->wanted,
                                              "lab", lab_setting_state_name(change->state))) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

json_t *lab_report_to_json(const LabReport *report) {
        json_t *scenarios = json_array();
        for (size_t i = 0; scenarios && i < report->n_scenarios; i++)
                if (json_array_append_new(
                                    scenarios, scenario_to_json(report, &report->scenarios[i])) <
                    0) {
                        json_decref(scenarios);
                        return NULL;
                }
        return json_pack(
                        "{s:s, s:b, s:o?, s:o?}", "kernel", report->kernel, "user_namespace",
                        report->user_namespace, "changes", changes_to_json(report), "scenarios",
                        scenarios);
}
