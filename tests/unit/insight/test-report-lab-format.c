/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-lab-format.h"

#include <jansson.h>
#include <stdio.h>

#include "report-test.h"

static json_t *recorded(void) {
        json_t *document = json_load_file("tests/report/lab.json", 0, NULL);
        assert_non_null(document);
        return document;
}

/* Takes the reference over. */
static int decode(json_t *document, Arena *arena, ReportLab *ret) {
        Error error = {};
        cleanup_free char *text = json_dumps(document, 0);
        json_decref(document);
        assert_non_null(text);
        int r = report_lab_decode(text, strlen(text), arena, ret, &error);
        assert_int_equal(r < 0, error_is_set(&error));
        return r;
}

static void test_recorded(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        ReportLab lab = {};
        assert_non_null(arena);
        assert_int_equal(
                        decode(json_pack("{s:o, s:s}", "result", recorded(), "command", "lab"),
                               arena, &lab),
                        0);
        assert_string_equal(lab.kernel, "6.18.44");
        assert_int_equal(lab.n_changes, 9);
        assert_string_equal(lab.changes[0].key, "net.ipv4.ip_local_port_range");
        assert_int_equal(lab.n_scenarios, 3);
        const ReportLabScenario *scenario = &lab.scenarios[0];
        assert_string_equal(scenario->name, "client-closes");
        assert_int_equal(scenario->n_steps, 1);
        assert_int_equal(scenario->steps[0].n_runs, 2);
        const ReportLabRun *before = &scenario->steps[0].runs[0];
        assert_string_equal(before->settings, "present");
        assert_int_equal(before->connections, 2000);
        assert_int_equal(before->per_second, 666363);
        assert_int_equal(before->failures, 614);
        assert_string_equal(before->failure, "EADDRNOTAVAIL");
        assert_int_equal(before->peak, 2000);
        assert_int_equal(before->reused, 0);
        assert_true(before->has_connect);
        assert_int_equal(before->n_points, 16);
        assert_int_equal(scenario->steps[0].runs[1].reused, 4000);
        assert_int_equal(lab.scenarios[2].steps[0].runs[0].resets, 400);
}

/* The member at the end of `path` is replaced; a number stands for a place in an array. */
static void replace(json_t *document, const char *path, json_t *value) {
        char name[64];
        json_t *at = document;
        for (;;) {
                size_t n = strcspn(path, ".");
                assert_true(n < sizeof(name));
                (void) snprintf(name, sizeof(name), "%.*s", (int) n, path);
                if (path[n] == '\0')
                        break;
                at = json_is_array(at) ? json_array_get(at, (size_t) strtoul(name, NULL, 10))
                                       : json_object_get(at, name);
                assert_non_null(at);
                path += n + 1;
        }
        assert_int_equal(json_object_set_new(at, name, value), 0);
}

static void test_refused(void **state UNUSED) {
        static const struct {
                const char *path, *value;
        } rows[] = {
                { "kernel", "7" },
                { "changes", "{}" },
                { "scenarios", "null" },
                { "changes.0.key", "null" },
                { "changes.0.present", "5" },
                { "scenarios.0.steps", "\"\"" },
                { "scenarios.0.steps.0.runs", "[{},{},{}]" },
                { "scenarios.0.steps.0.runs.0.connections", "-1" },
                { "scenarios.0.steps.0.runs.0.connections", "1.5" },
                { "scenarios.0.steps.0.runs.0.connections_per_second", "-1" },
                { "scenarios.0.steps.0.runs.0.connections_per_second", "1e300" },
                { "scenarios.0.steps.0.runs.0.failures",
                  "[{\"error\":\"E\",\"count\":9223372036854775807}]" },
                { "scenarios.0.steps.0.runs.0.time_wait_peak", "[]" },
                { "scenarios.0.steps.0.runs.0.curve",
                  "[{\"ms\":5,\"client\":0,\"server\":0},{\"ms\":4,\"client\":0,\"server\":0}]" },
                { "scenarios.0.steps.0.runs.0.curve", "[{\"ms\":-5,\"client\":0,\"server\":0}]" },
                { "scenarios.0.steps.0.runs.0.connect_us", "{}" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        assert_non_null(arena);
        TEST_EACH(row, rows) {
                ReportLab lab = {};
                json_t *document = recorded();
                json_t *value = json_loads(row->value, JSON_DECODE_ANY, NULL);
                assert_non_null(value);
                replace(document, row->path, value);
                assert_int_equal(decode(document, arena, &lab), -EBADMSG);
                assert_null(lab.kernel);
        }
}

static void test_lacks(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        ReportLab lab = {};
        json_t *document = recorded();
        assert_non_null(arena);
        replace(document, "changes.0.present", json_null());
        replace(document, "scenarios.0.steps.0.runs.0.connect_us", json_null());
        replace(document, "scenarios.0.steps.0.runs.0.counters", json_object());
        assert_int_equal(decode(document, arena, &lab), 0);
        assert_null(lab.changes[0].present);
        assert_false(lab.scenarios[0].steps[0].runs[0].has_connect);
        assert_int_equal(lab.scenarios[0].steps[0].runs[0].resets, 0);
}

TEST_MAIN(cmocka_unit_test(test_recorded), cmocka_unit_test(test_refused),
          cmocka_unit_test(test_lacks))
