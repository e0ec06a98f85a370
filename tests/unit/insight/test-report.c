/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report.h"

#include "report-test.h"

static char *render(const Report *report) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        report_render(report, &out);
        return report_test_finish(&out);
}

static void test_least(void **state UNUSED) {
        const Snapshot sample = { .time_us = 1 };
        const ReportPoint point = { .time_us = 1 };
        const Report report = {
                .version = "1", .sample = &sample, .points = &point, .n_points = 1
        };
        cleanup_free char *text = render(&report);
        assert_true(startswith(text, "<!DOCTYPE html>\n<html lang=\"en\">\n") != NULL);
        assert_non_null(strstr(text, "<title>TCP sockets and TIME_WAIT</title>"));
        static const char *const there[] = { "sockets", "window", "changes", "settings" };
        static const char *const not_there[] = { "advice", "day", "lab" };
        for (size_t i = 0; i < ELEMENTSOF(there); i++) {
                char id[64];
                (void) snprintf(id, sizeof(id), "<section id=\"%s\"", there[i]);
                assert_int_equal(report_test_count(text, id), 1);
                (void) snprintf(id, sizeof(id), "<a href=\"#%s\">", there[i]);
                assert_int_equal(report_test_count(text, id), 1);
        }
        for (size_t i = 0; i < ELEMENTSOF(not_there); i++) {
                char id[64];
                (void) snprintf(id, sizeof(id), "#%s\"", not_there[i]);
                assert_null(strstr(text, id));
        }
        assert_non_null(strstr(text, "</body>\n</html>\n"));
}

static void test_tiles(void **state UNUSED) {
        const SnapshotTuple tuples[] = { { .use = { .n_time_wait = 20 } },
                                         { .use = { .n_time_wait = 137 } } };
        Snapshot sample = { .has_sockets = true,
                            .has_pool = true,
                            .pool = { .size = 1000 },
                            .sockets = { .tuples = tuples, .n_tuples = 2 } };
        sample.sockets.states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT] = 25087;
        SnapshotRates rates = { .interval_us = 1 };
        rates.known[COUNTER_ACTIVE_OPENS] = true;
        rates.per_second[COUNTER_ACTIVE_OPENS] = 470500;
        const ReportPoint point = { .time_us = 1 };
        const Report report = { .version = HOSTILE,
                                .host = HOSTILE,
                                .sample = &sample,
                                .rates = &rates,
                                .points = &point,
                                .n_points = 1 };
        cleanup_free char *text = render(&report);
        report_test_check_escaped(text);
        assert_non_null(strstr(text, "<dd class=\"v\">25,087</dd>"));
        assert_non_null(strstr(text, "<dd class=\"v\">13.7&nbsp;%</dd>"));
        assert_non_null(strstr(text, "<dd class=\"v\">471<small> per s</small></dd>"));
        assert_null(strstr(text, "Connections accepted"));
}

/* Nothing is fetched, nothing runs. */
static void test_whole(void **state UNUSED) {
        const Snapshot sample = { .time_us = 1 };
        const ReportPoint point = { .time_us = 1 };
        const Report report = {
                .version = "1", .sample = &sample, .points = &point, .n_points = 1
        };
        cleanup_free char *text = render(&report);
        static const char *const banned[] = { "<script", "<link",    "<img", "<iframe", "src=",
                                              "http://", "https://", "url(", "@import" };
        for (size_t i = 0; i < ELEMENTSOF(banned); i++)
                assert_null(strstr(text, banned[i]));
        assert_non_null(strstr(text, "default-src 'none'; style-src 'unsafe-inline'"));
}

TEST_MAIN(cmocka_unit_test(test_least), cmocka_unit_test(test_tiles), cmocka_unit_test(test_whole))
