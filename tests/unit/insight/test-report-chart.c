/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-chart.h"

#include "report-test.h"

static char *render(const Chart *chart) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out, .utc_offset_s = 3600 };
        chart_render(&html, chart);
        return report_test_finish(&out);
}

static void test_curve(void **state UNUSED) {
        static const ChartPoint points[] = {
                { 0, 0, false }, { 1000, 50, false }, { 2000, 100, false }, { 3000, 40, true }
        };
        static const ChartMark marks[] = { { 1500, 7 }, { 9999, 8 } };
        const ChartSeries series = { HOSTILE, CHART_MAIN, points, ELEMENTSOF(points) };
        const Chart chart = { .title = HOSTILE,
                              .y_title = "sockets",
                              .unit = CHART_MS,
                              .last = 4000,
                              .series = &series,
                              .n_series = 1,
                              .marks = marks,
                              .n_marks = 2 };
        assert_true(chart_is_drawable(&chart));
        cleanup_free char *text = render(&chart);
        report_test_check_escaped(text);
        /* the line, broken where it has a gap */
        assert_non_null(strstr(text, "M0 2000h0L2500 1000L5000 0M7500 1200h0\""));
        assert_non_null(strstr(text, "M3750 0V2000"));
        assert_non_null(strstr(text, "#change-7"));
        assert_null(strstr(text, "change-8"));
        assert_non_null(strstr(text, ">3 s</span>"));
        assert_non_null(strstr(text, "from 0 to 100, at the end 40."));
}

static void test_clock(void **state UNUSED) {
        int64_t noon = INT64_C(1795262400000000);
        const ChartPoint points[] = { { noon, 25087, false },
                                      { noon + INT64_C(3600) * 1000000, 1, false } };
        const ChartSeries series = { "n", CHART_BEFORE, points, ELEMENTSOF(points) };
        const Chart chart = { .title = "t",
                              .y_title = "y",
                              .unit = CHART_CLOCK_US,
                              .first = noon,
                              .last = noon + INT64_C(3600) * 1000000,
                              .series = &series,
                              .n_series = 1 };
        cleanup_free char *text = render(&chart);
        assert_non_null(strstr(text, ">13:10</span>"));
        assert_non_null(strstr(text, ">30k</span>"));
        assert_null(strstr(text, "class=\"area\""));
        assert_non_null(strstr(text, "class=\"line before\""));
}

static void test_drawable(void **state UNUSED) {
        static const ChartPoint points[] = { { 0, 1, false }, { 9, 1, false } };
        static const struct {
                int64_t first, last;
                size_t n;
                bool want;
        } rows[] = {
                { 0, 9, 2, true },          { 0, 9, 1, false },  { 0, 9, 0, false },
                { 9, 9, 2, false },         { 9, 0, 2, false },  { INT64_MIN, INT64_MAX, 2, false },
                { 0, INT64_MAX, 2, false }, { -1, 9, 2, false },
        };
        TEST_EACH(row, rows) {
                const ChartSeries series = { "n", CHART_MAIN, points, row->n };
                const Chart chart = {
                        .first = row->first, .last = row->last, .series = &series, .n_series = 1
                };
                assert_int_equal(chart_is_drawable(&chart), row->want);
        }
}

/* Numbers of an enemy lead to odd pictures, to no overflow. */
static void test_extremes(void **state UNUSED) {
        static const int64_t last_us = INT64_C(253402300799) * 1000000;
        static const ChartPoint points[] = { { INT64_MIN, UINT64_MAX, true },
                                             { 0, UINT64_MAX, false },
                                             { 1, 0, false },
                                             { INT64_MAX, UINT64_MAX, true } };
        static const ChartMark marks[] = { { INT64_MIN, 1 }, { 0, 2 }, { INT64_MAX, UINT64_MAX } };
        static const ChartUnit units[] = { CHART_CLOCK_US, CHART_MS };
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                const ChartSeries series = { "n", CHART_MAIN, points, ELEMENTSOF(points) };
                const Chart chart = { .title = "t",
                                      .y_title = "y",
                                      .unit = units[i],
                                      .last = last_us,
                                      .series = &series,
                                      .n_series = 1,
                                      .marks = marks,
                                      .n_marks = ELEMENTSOF(marks) };
                cleanup_free char *text = render(&chart);
                assert_non_null(strstr(text, "M0 0h0L0 2000"));
                assert_true(report_test_count(text, "<span") < 32);
        }
}

static void test_bar(void **state UNUSED) {
        static const struct {
                uint64_t parts[2], whole;
                const char *want; /* behind the back */
        } rows[] = {
                { { 250, 500 },
                  1000,
                  "<rect class=\"p0\" x=\"0\" width=\"250\" height=\"10\"/><rect class=\"p1\" x=\"250\" width=\"500\" height=\"10\"/></svg>" },
                { { 2000, 5 },
                  1000,
                  "<rect class=\"p0\" x=\"0\" width=\"1000\" height=\"10\"/></svg>" },
                { { UINT64_MAX, UINT64_MAX },
                  UINT64_MAX,
                  "<rect class=\"p0\" x=\"0\" width=\"1000\" height=\"10\"/></svg>" },
                { { 1, 1 }, 0, "</svg>" },
                { { 0, 0 }, 5, "</svg>" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                Html html = { .out = &out };
                chart_bar(&html, row->parts, 2, row->whole);
                const char *behind = strstr(strbuf_text(&out), "height=\"10\"/>");
                assert_non_null(behind);
                assert_string_equal(behind + strlen("height=\"10\"/>"), row->want);
        }
}

TEST_MAIN(cmocka_unit_test(test_curve), cmocka_unit_test(test_clock),
          cmocka_unit_test(test_drawable), cmocka_unit_test(test_extremes),
          cmocka_unit_test(test_bar))
