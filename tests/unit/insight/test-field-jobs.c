/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-jobs.h"

#include <math.h>

#include "insight/field-report.h"
#include "test.h"

static Arena *arena;
static Error error;

static int setup(void **state) {
        (void) state;
        arena = arena_new();
        return arena ? 0 : -1;
}

static int teardown(void **state) {
        (void) state;
        arena = arena_free(arena);
        return 0;
}

static LabSetting setting(const char *key, const char *text) {
        const LabSetting made = { catalogue_find(key), text };
        assert_non_null(made.spec);
        return made;
}

static const FieldJob *add(FieldJobs *jobs, const FieldTrial *trial, const LabSetting *line) {
        const FieldOrder order = { trial, line, line, line ? 1 : 0, /* churn_ms= */ 200 };
        const FieldJob *job = NULL;
        int r = field_jobs_add(jobs, &order, &job, &error);
        assert_int_equal(r, 0);
        return job;
}

static void test_what_is_the_same_is_one_job(void **state) {
        (void) state;
        const LabSetting ten = setting("net.ipv4.tcp_fin_timeout", "10");
        const LabSetting thirty = setting("net.ipv4.tcp_fin_timeout", "30");
        const FieldTrial without = { .label = "without", .kind = FIELD_LIFE };
        const FieldTrial with = { .label = "with", .kind = FIELD_LIFE, .with = FIELD_WITH_LINE };
        const double told[] = { 1 };
        const FieldTrial recorded = { .label = "told", .kind = FIELD_RECORDED, .recorded = told };
        CLEANUP(field_jobs_freep) FieldJobs *jobs = field_jobs_new(arena);
        const FieldJob *base = add(jobs, &without, &ten);
        assert_ptr_equal(add(jobs, &without, &thirty), base);
        const FieldJob *first = add(jobs, &with, &ten);
        assert_ptr_not_equal(first, base);
        assert_ptr_equal(add(jobs, &with, &ten), first);
        assert_ptr_not_equal(add(jobs, &with, &thirty), first);
        assert_null(add(jobs, &recorded, &ten));
        assert_null(field_job_result(base).data);
}

static void test_line_wins_over_preset(void **state) {
        (void) state;
        const LabSetting line = setting("net.ipv4.tcp_max_tw_buckets", "5000");
        static const LabLoad load = {
                .order = LAB_ORDER_KEEP,
                .requests = 1,
                .destinations = 1,
                .concurrency = 2,
                .max_connections = 5,
        };
        const FieldTrial trial = {
                .label = "with",
                .kind = FIELD_CHURN,
                .load = &load,
                .with = FIELD_WITH_LINE,
                .presets = { { "net.ipv4.tcp_max_tw_buckets", "262144" } },
                .thin = true,
        };
        CLEANUP(field_jobs_freep) FieldJobs *jobs = field_jobs_new(arena);
        const FieldJob *job = add(jobs, &trial, &line);
        assert_int_equal(field_job_setting_count(job), 2);
        int r = field_jobs_run(jobs, NULL, NULL, &error);
        if (r < 0)
                print_error("%s\n", error.text);
        assert_int_equal(r, 0);
        LabSettingState what = LAB_SETTING_REFUSED;
        assert_string_equal(field_job_setting(job, 1, &what)->text, "5000");
        assert_int_equal(what, LAB_SETTING_WRITTEN);
        const char *thin = field_job_setting(job, 0, &what)->text;
        assert_int_equal(what, LAB_SETTING_WRITTEN);
        assert_true(startswith(thin, "0-127,129-383,"));
        assert_true(endswith(thin, ",65409-65535"));
        const FieldResult result = field_job_result(job);
        assert_float_equal(field_metric_value(&result, FIELD_CONNECTIONS), 5, 0);
}

static int stop(void *userdata, size_t n_done, size_t n_jobs, uint32_t elapsed_ms) {
        (void) n_done;
        (void) n_jobs;
        (void) elapsed_ms;
        ++*(int *) userdata;
        return -EINTR;
}

static void test_watch_ends_all(void **state) {
        (void) state;
        const FieldTrial trial = { .label = "without", .kind = FIELD_LIFE };
        CLEANUP(field_jobs_freep) FieldJobs *jobs = field_jobs_new(arena);
        (void) add(jobs, &trial, NULL);
        int n_calls = 0, r = field_jobs_run(jobs, stop, &n_calls, &error);
        assert_int_equal(r, -EINTR);
        assert_int_equal(n_calls, 1);
}

/* A key that this kernel does not have is no case for the judge. */
static void test_absent_key_is_told(void **state) {
        (void) state;
        const LabSetting line = setting("net.ipv4.tcp_tw_recycle", "1");
        const FieldClaim *claim = NULL;
        for (size_t i = 0; i < field_claim_count(); i++)
                if (streq(field_claim_get(i)->name, "recycle"))
                        claim = field_claim_get(i);
        assert_non_null(claim);
        CLEANUP(field_jobs_freep) FieldJobs *jobs = field_jobs_new(arena);
        FieldCase one = {
                .claim = claim, .line = &line, .places = { { "x.conf", 3 } }, .n_places = 1
        };
        for (size_t i = 0; claim && i < claim->n_trials; i++)
                one.jobs[i] = add(jobs, &claim->trials[i], &line);
        assert_int_equal(field_jobs_run(jobs, NULL, NULL, &error), 0);
        field_case_judge(&one);
        assert_int_equal(one.outcome, FIELD_ABSENT);
        assert_float_equal(field_measured_get(&one.measured, 1, FIELD_TIME_WAIT_LIFE), 0.7, 1e-9);
        assert_true(isnan(field_measured_get(&one.measured, 2, FIELD_TIME_WAIT_LIFE)));

        const char *path = "x.conf";
        const FieldReport report = {
                .kernel = "6.1", .files = &path, .n_files = 1, .cases = &one, .n_cases = 1
        };
        json_t *json = field_report_to_json(&report);
        assert_non_null(json);
        json_t *first = json_array_get(json_object_get(json, "claims"), 0);
        assert_string_equal(json_string_value(json_object_get(first, "outcome")), "absent");
        json_t *trials = json_object_get(first, "trials");
        assert_int_equal(json_array_size(trials), 3);
        assert_true(json_is_true(json_object_get(json_array_get(trials, 0), "recorded")));
        json_decref(json);
}

TEST_MAIN(cmocka_unit_test_setup_teardown(test_what_is_the_same_is_one_job, setup, teardown),
          cmocka_unit_test_setup_teardown(test_line_wins_over_preset, setup, teardown),
          cmocka_unit_test_setup_teardown(test_watch_ends_all, setup, teardown),
          cmocka_unit_test_setup_teardown(test_absent_key_is_told, setup, teardown))
