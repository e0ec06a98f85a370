/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-window.h"

#include <inttypes.h>

#include "insight/report-chart.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* --- curves ---------------------------------------------------------------------------------------------- */

/* The changes as marks, and the chart with its one curve. */
static void add_curve(
                Html *html, const Report *report, const char *title, const ChartSeries *series,
                int64_t first, int64_t last) {
        CLEANUP(free_voidp) void *memory = calloc(report->n_changes + 1, sizeof(ChartMark));
        ChartMark *marks = memory;
        if (!marks) {
                html->out->failed = true;
                return;
        }
        for (size_t i = 0; i < report->n_changes; i++)
                marks[i] = (ChartMark){ report->changes[i].time_us, report->changes[i].number };
        const Chart chart = {
                .title = title,
                .y_title = "sockets",
                .unit = CHART_CLOCK_US,
                .first = first,
                .last = last,
                .series = series,
                .n_series = 1,
                .marks = marks,
                .n_marks = report->n_changes,
        };
        if (chart_is_drawable(&chart))
                chart_render(html, &chart);
        else
                html_paragraph(html, "note", "There are too few samples for a curve.");
}

static void add_points(Html *html, const Report *report) {
        CLEANUP(free_voidp) void *memory = calloc(report->n_points + 1, sizeof(ChartPoint));
        ChartPoint *points = memory;
        bool is_after_gap = false;
        size_t n = 0;
        if (!points) {
                html->out->failed = true;
                return;
        }
        for (size_t i = 0; i < report->n_points; i++) {
                const ReportPoint *point = &report->points[i];
                if (point->known)
                        points[n++] = (ChartPoint){ point->time_us, point->time_wait,
                                                    is_after_gap };
                is_after_gap = !point->known;
        }
        const ChartSeries series = { "TIME_WAIT buckets", CHART_MAIN, points, n };
        add_curve(html, report, "TIME_WAIT in the sampled window", &series,
                  report->points[0].time_us, report->points[report->n_points - 1].time_us);
}

/* --- counters -------------------------------------------------------------------------------------------- */

static bool is_told(const SnapshotRates *rates, SnapshotCounterId id, bool trouble) {
        return rates->known[id] && rates->per_second[id] > 0 &&
               snapshot_counter(id)->is_trouble == trouble;
}

static void add_rates(Html *html, const SnapshotRates *rates, bool trouble) {
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                if (!is_told(rates, id, trouble))
                        continue;
                const SnapshotCounter *counter = snapshot_counter(id);
                html_row(html);
                html_cell_text(html, counter->name);
                html_cell(html);
                html_thousandths(html, rates->per_second[id]);
                html_cell(html);
                if (trouble)
                        html_raw(html, "<span class=\"tag warn\">trouble</span> ");
                html_text(html, counter->means);
        }
}

static void add_counters(Html *html, const SnapshotRates *rates) {
        static const HtmlColumn columns[] = {
                { "Counter", false, false },
                { "Per second", true, false },
                { "Means", false, false },
        };
        size_t n[2] = { 0, 0 };
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                n[false] += is_told(rates, id, false);
                n[true] += is_told(rates, id, true);
        }
        html_raw(html, "<h3>Counters</h3>\n");
        if (n[true] == 0)
                html_paragraph(html, NULL, "No counter of trouble moved.");
        if (n[true] + n[false] == 0)
                return;
        html_table(html, "Counters of the kernel in the window", columns, ELEMENTSOF(columns));
        add_rates(html, rates, true);
        add_rates(html, rates, false);
        html_table_end(html);
}

void report_add_window(Html *html, const Report *report) {
        html_section(html, "window", "Sampled window");
        if (report->n_points >= 2) {
                html_raw(html, "<p>");
                html_number(html, report->n_points);
                html_raw(html, " samples from ");
                html_time(html, report->points[0].time_us);
                html_raw(html, " to ");
                html_time(html, report->points[report->n_points - 1].time_us);
                html_raw(html, ".</p>\n");
                add_points(html, report);
        } else {
                html_paragraph(html, NULL, "One sample alone: there is no curve and no rate.");
        }
        if (report->rates)
                add_counters(html, report->rates);
        html_section_end(html);
}

/* --- the day --------------------------------------------------------------------------------------------- */

static int64_t midnight_before(const Html *html, int64_t us) {
        int64_t shift = html->utc_offset_s * INT64_C(1000000);
        int64_t past = (us + shift) % DAY_US;
        return us - (past < 0 ? past + DAY_US : past);
}

static void add_day(Html *html, const Report *report) {
        const ReportArchive *archive = report->archive;
        CLEANUP(free_voidp) void *memory = calloc(archive->n_points + 1, sizeof(ChartPoint));
        ChartPoint *points = memory;
        if (!points) {
                html->out->failed = true;
                return;
        }
        for (size_t i = 0; i < archive->n_points; i++) {
                const ReportArchivePoint *point = &archive->points[i];
                points[i] = (ChartPoint){ point->time_us, point->time_wait,
                                          point->is_after_restart };
        }
        const ChartSeries series = { "tcp-tw", CHART_MAIN, points, archive->n_points };
        int64_t last_us = points[archive->n_points - 1].x;
        int64_t first_us = midnight_before(html, last_us);
        if (points[0].x < first_us) /* a file of another day's zone, or of several days */
                first_us = points[0].x;
        add_curve(html, report, "TIME_WAIT over the day", &series, first_us,
                  first_us + DAY_US > last_us ? first_us + DAY_US : last_us);
}

void report_add_archive(Html *html, const Report *report) {
        const ReportArchive *archive = report->archive;
        if (!archive && !report->archive_missing)
                return;
        html_section(html, "day", "The day in sysstat's archive");
        if (!archive || archive->n_points == 0) {
                html_paragraph(html, NULL,
                               report->archive_missing ? report->archive_missing
                                                       : "The archive has no sample of sockets.");
        } else {
                html_raw(html, "<p>The column tcp-tw of <code>");
                html_text(html, archive->file);
                html_raw(html, "</code>: ");
                html_number(html, archive->n_points);
                html_raw(html, " samples, times in ");
                html_zone(html);
                html_raw(html, ".</p>\n");
                add_day(html, report);
        }
        html_section_end(html);
}

/* --- changes --------------------------------------------------------------------------------------------- */

static void add_keys(Html *html, const ReportChange *change) {
        for (size_t i = 0; i < change->n_keys; i++) {
                const ReportKeyChange *key = &change->keys[i];
                html_raw(html, i > 0 ? "<br>" : "");
                html_key(html, key->key);
                html_raw(html, " ");
                html_text(html, key->before);
                html_raw(html, " → ");
                html_text(html, key->after);
        }
        if (change->n_keys == 0)
                html_text(html, NULL);
}

static void add_change(Html *html, const ReportChange *change) {
        html_row(html);
        html_cell(html);
        html_rawf(html, "<span id=\"change-%" PRIu64 "\">%" PRIu64 "</span>", change->number,
                  change->number);
        html_cell(html);
        html_time(html, change->time_us);
        html_cell(html);
        if (change->verb) {
                html_text(html, change->verb);
                html_raw(html, ": ");
        }
        html_text(html, change->outcome);
        html_cell_text(html,
                       change->profiles && *change->profiles != '\0' ? change->profiles : NULL);
        html_cell_text(html, change->who);
        html_cell(html);
        add_keys(html, change);
        html_cell_text(html, change->reason);
}

void report_add_changes(Html *html, const Report *report) {
        static const HtmlColumn columns[] = {
                { "Record", true, false },    { "When", false, false }, { "What", false, false },
                { "Profiles", false, false }, { "Who", false, true },   { "Values", false, false },
                { "Reason", false, true },
        };
        html_section(html, "changes", "Changes");
        if (report->changes_missing)
                html_paragraph(html, NULL, report->changes_missing);
        else if (report->n_changes == 0)
                html_paragraph(html, NULL,
                               "twprofile changed nothing in the time that this report shows.");
        if (report->n_changes > 0) {
                html_paragraph(html, NULL,
                               "The records of the audit log in the time that this report shows. The curves are marked with their numbers.");
                html_table(html, "Changes by twprofile", columns, ELEMENTSOF(columns));
                for (size_t i = 0; i < report->n_changes; i++)
                        add_change(html, &report->changes[i]);
                html_table_end(html);
        }
        html_section_end(html);
}
