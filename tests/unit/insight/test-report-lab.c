/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-lab.h"

#include "report-test.h"

static const ReportLabPoint points[] = { { 0, 0 }, { 1000, 2000 }, { 2000, 1000 } };

static void test_lab(void **state UNUSED) {
        const ReportLabRun before = { .settings = "present",
                                      .connections = 2000,
                                      .per_second = 666363,
                                      .failures = 614,
                                      .failure = HOSTILE,
                                      .peak = 2000,
                                      .has_connect = true,
                                      .connect_mean_ns = 338723,
                                      .connect_p99_ns = 3407871,
                                      .points = points,
                                      .n_points = 3 };
        const ReportLabRun after = { .settings = HOSTILE, .points = points, .n_points = 2 };
        const ReportLabStep steps[] = { { .name = HOSTILE, .runs = { before, after }, .n_runs = 2 },
                                        { .name = "", .runs = { after }, .n_runs = 1 } };
        const ReportLabScenario scenario = { HOSTILE, HOSTILE, HOSTILE, steps, 2 };
        const ReportLabChange changes[] = { { HOSTILE, HOSTILE, HOSTILE, HOSTILE },
                                            { "key", NULL, "1", "written" },
                                            { "other", "2", "2", "written" } };
        const ReportLab lab = { HOSTILE, changes, 3, &scenario, 1 };
        const Report report = { .lab = &lab };
        cleanup_free char *text = report_test_render(report_add_lab, &report);
        report_test_check_escaped(text);
        assert_non_null(strstr(
                        text,
                        "<td class=\"n\">2,000</td><td class=\"n\">666</td><td class=\"n\">614 <small>"));
        assert_non_null(strstr(text, ">339</td><td class=\"n x\">3,408</td>"));
        assert_non_null(strstr(
                        text,
                        "<code>key</code></th><td class=\"n\">–</td><td class=\"n\"><strong>1</strong>"));
        assert_non_null(strstr(text, "<span class=\"quiet\">2</span>"));
        /* before dashed, with the profile full; of one set alone full */
        assert_int_equal(report_test_count(text, "<figure"), 2);
        assert_int_equal(report_test_count(text, "<path class=\"line before\""), 2);
        assert_int_equal(report_test_count(text, "<path class=\"area\""), 2);
        assert_non_null(strstr(text, "M0 2000h0L5000 0L10000 1000\""));
}

static void test_nothing(void **state UNUSED) {
        const ReportLab lab = { .kernel = "6.18.44" };
        const Report none = { 0 }, empty = { .lab = &lab };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out };
        report_add_lab(&html, &none);
        assert_int_equal(out.length, 0);
        report_add_lab(&html, &empty);
        assert_non_null(strstr(strbuf_text(&out), "Linux 6.18.44"));
        assert_null(strstr(strbuf_text(&out), "<table"));
}

TEST_MAIN(cmocka_unit_test(test_lab), cmocka_unit_test(test_nothing))
