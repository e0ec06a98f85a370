/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-report.h"

#include <math.h>

#include "test.h"

static FieldOutcome judge(const FieldMeasured *measured) {
        return measured->value > 1000 ? FIELD_CONFIRMED : FIELD_UNDECIDED;
}

static FieldCase make(const FieldClaim *claim, const LabSetting *line) {
        FieldCase one = { .claim = claim,
                          .line = line,
                          .places = { { "a.conf", line ? 4 : 0 } },
                          .n_places = 1 };
        field_case_judge(&one);
        return one;
}

/* The last number is what a judge gets; what is no number is NAN. */
static void test_field_case_judge_takes_the_value(void **state) {
        (void) state;
        const FieldClaim claim = { .name = "x", .verdict = "true", .judge = judge };
        LabSetting line = { catalogue_find("net.ipv4.ip_local_port_range"), "1024 \t65000" };
        assert_int_equal(make(&claim, &line).outcome, FIELD_CONFIRMED);
        line.text = "12";
        assert_int_equal(make(&claim, &line).outcome, FIELD_UNDECIDED);
        line.text = "5000 what";
        assert_true(isnan(make(&claim, &line).measured.value));
        assert_true(isnan(make(&claim, NULL).measured.value));
}

static void test_field_report_to_json(void **state) {
        (void) state;
        const double told[] = { 61.7, NAN, 200 };
        const FieldClaim claim = {
                .name = "x",
                .says = "s",
                .verdict = "false",
                .tried = "t",
                .fact = "f",
                .trials = { { .label = "told", .kind = FIELD_RECORDED, .recorded = told } },
                .n_trials = 1,
                .metrics = { FIELD_TIME_WAIT_LIFE, FIELD_FIN_WAIT2_LIFE, FIELD_BUCKETS },
                .n_metrics = 3,
                .judge = judge,
        };
        FieldCase one = make(&claim, NULL);
        const FieldStray stray = { { "a.conf", 9 }, "vm.swappiness = 1" };
        const FieldReport report = {
                .kernel = "6.1", .cases = &one, .n_cases = 1, .strays = &stray, .n_strays = 1
        };
        json_t *json = field_report_to_json(&report);
        assert_non_null(json);
        char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(json);
        assert_non_null(strstr(text, "\"places\":[{\"file\":\"a.conf\",\"line\":null}]"));
        assert_non_null(strstr(
                        text,
                        "\"measured\":{\"fin_wait2_seconds\":null,\"time_wait\":200,\"time_wait_seconds\":61.7"));
        assert_non_null(strstr(
                        text,
                        "\"uncovered\":[{\"file\":\"a.conf\",\"line\":9,\"text\":\"vm.swappiness = 1\"}]"));
        assert_non_null(strstr(text, "\"outcome\":\"undecided\""));
        free(text);
}

TEST_MAIN(cmocka_unit_test(test_field_case_judge_takes_the_value),
          cmocka_unit_test(test_field_report_to_json))
