/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-window.h"

#include "report-test.h"

#define NOON INT64_C(1795262400000000)
#define S    INT64_C(1000000)

static const ReportPoint points[] = {
        { .time_us = NOON, .known = true, .time_wait = 30000 },
        { .time_us = NOON + 10 * S },
        { .time_us = NOON + 20 * S, .known = true, .time_wait = 20000 },
        { .time_us = NOON + 40 * S, .known = true, .time_wait = 10000 },
};

static const ReportKeyChange keys[] = { { HOSTILE, HOSTILE, HOSTILE }, { "key", NULL, "1" } };

static const ReportChange changes[] = {
        { .number = 7,
          .time_us = NOON + 20 * S,
          .who = HOSTILE,
          .verb = HOSTILE,
          .profiles = HOSTILE,
          .outcome = HOSTILE,
          .reason = HOSTILE,
          .keys = keys,
          .n_keys = 2 },
        { .number = 8, .time_us = NOON + 7200 * S, .profiles = "" },
};

static void test_window(void **state UNUSED) {
        SnapshotRates rates = { .interval_us = 40 * S };
        rates.known[COUNTER_TIME_WAIT] = rates.known[COUNTER_RESETS_SENT] =
                        rates.known[COUNTER_PASSIVE_OPENS] = true;
        rates.per_second[COUNTER_TIME_WAIT] = 470500;
        rates.per_second[COUNTER_RESETS_SENT] = 1500;
        const Report report = { .points = points,
                                .n_points = ELEMENTSOF(points),
                                .changes = changes,
                                .n_changes = ELEMENTSOF(changes),
                                .rates = &rates };
        cleanup_free char *text = report_test_render(report_add_window, &report);
        assert_non_null(strstr(text, "M0 0h0M5000 667h0L10000 1334\""));
        assert_non_null(strstr(text, "#change-7"));
        assert_null(strstr(text, "#change-8"));
        assert_non_null(strstr(text, "TcpExt.TW</th><td class=\"n\">471</td>"));
        const char *trouble = strstr(text, "Tcp.OutRsts</th><td class=\"n\">1.5</td>");
        assert_non_null(trouble);
        assert_true(trouble < strstr(text, "TcpExt.TW</th>"));
        assert_null(strstr(text, "Tcp.PassiveOpens"));
}

static void test_one_sample(void **state UNUSED) {
        const Report report = { .points = points, .n_points = 1 };
        cleanup_free char *text = report_test_render(report_add_window, &report);
        assert_non_null(strstr(text, "One sample alone"));
        assert_null(strstr(text, "<svg"));
}

/* Two samples of one moment, or of no possible one, have no curve. */
static void test_no_time(void **state UNUSED) {
        static const int64_t times[] = { NOON, INT64_MAX, INT64_MIN };
        for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                const ReportPoint same[] = { { .time_us = times[i], .known = true },
                                             { .time_us = times[i], .known = true } };
                const Report report = { .points = same, .n_points = 2 };
                cleanup_free char *text = report_test_render(report_add_window, &report);
                assert_non_null(strstr(text, "too few samples"));
        }
}

static void test_day(void **state UNUSED) {
        static const ReportArchivePoint day[] = { { NOON - 3600 * S, 5, false },
                                                  { NOON, 10, false },
                                                  { NOON + 3600 * S, 3, true } };
        const ReportArchive archive = { .file = HOSTILE, .points = day, .n_points = 3 };
        const Report report = {
                .archive = &archive, .changes = changes, .n_changes = 2, .utc_offset_s = 3600
        };
        cleanup_free char *text = report_test_render(report_add_archive, &report);
        report_test_check_escaped(text);
        /* 12:00, 13:00 and 14:00 of a day whose clock is an hour before UTC */
        assert_non_null(strstr(text, "M5000 1000h0L5416 0M5833 1400h0\""));
        assert_int_equal(report_test_count(text, "class=\"flag"), 2);
        assert_non_null(strstr(text, "UTC+01:00"));
}

static void test_day_missing(void **state UNUSED) {
        const Report none = { 0 }, missing = { .archive_missing = HOSTILE };
        const ReportArchive empty = { .file = "sa21" };
        const Report without = { .archive = &empty };
        cleanup_free char *text = report_test_render(report_add_archive, &missing);
        report_test_check_escaped(text);
        cleanup_free char *other = report_test_render(report_add_archive, &without);
        assert_non_null(strstr(other, "no sample of sockets"));
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out };
        report_add_archive(&html, &none);
        assert_int_equal(out.length, 0);
}

static void test_changes(void **state UNUSED) {
        const Report report = { .changes = changes, .n_changes = 2 };
        cleanup_free char *text = report_test_render(report_add_changes, &report);
        report_test_check_escaped(text);
        assert_non_null(strstr(text, "id=\"change-7\""));
        assert_non_null(strstr(text, "<code>key</code> – → 1"));
        const Report nothing = { .changes_missing = NULL },
                     missing = { .changes_missing = HOSTILE };
        cleanup_free char *empty = report_test_render(report_add_changes, &nothing);
        assert_non_null(strstr(empty, "changed nothing"));
        cleanup_free char *unknown = report_test_render(report_add_changes, &missing);
        report_test_check_escaped(unknown);
        assert_null(strstr(unknown, "changed nothing"));
}

TEST_MAIN(cmocka_unit_test(test_window), cmocka_unit_test(test_one_sample),
          cmocka_unit_test(test_no_time), cmocka_unit_test(test_day),
          cmocka_unit_test(test_day_missing), cmocka_unit_test(test_changes))
