/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-lab.h"

#include "insight/report-chart.h"

#define NS_PER_US 1000U

static void add_changes(Html *html, const ReportLab *lab) {
        static const HtmlColumn columns[] = {
                { "Setting", false, false },
                { "Before", true, false },
                { "With the profile", true, false },
                { "In the lab", false, true },
        };
        if (lab->n_changes == 0)
                return;
        html_table(html, "What was changed", columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < lab->n_changes; i++) {
                const ReportLabChange *change = &lab->changes[i];
                html_row(html);
                html_cell(html);
                html_key(html, change->key);
                html_cell_text(html, change->present);
                html_cell(html);
                bool is_new = !change->present || !streq(change->present, change->wanted);
                html_raw(html, is_new ? "<strong>" : "<span class=\"quiet\">");
                html_text(html, change->wanted);
                html_raw(html, is_new ? "</strong>" : "</span>");
                html_cell_text(html, change->state);
        }
        html_table_end(html);
}

/* --- runs ------------------------------------------------------------------------------------------------ */

static void add_failures(Html *html, const ReportLabRun *run) {
        html_number(html, run->failures);
        if (run->failures > 0 && run->failure) {
                html_raw(html, " <small>");
                html_text(html, run->failure);
                html_raw(html, "</small>");
        }
}

static void add_us(Html *html, const ReportLabRun *run, uint64_t ns) {
        if (run->has_connect)
                html_thousandths(html, ns * 1000 / NS_PER_US);
        else
                html_text(html, NULL);
}

static void add_run(Html *html, const ReportLabStep *step, const ReportLabRun *run) {
        html_row(html);
        html_cell(html);
        if (*step->name != '\0') {
                html_text(html, step->name);
                html_raw(html, ", ");
        }
        html_text(html, run->settings);
        html_cell_number(html, run->connections);
        html_cell(html);
        html_thousandths(html, run->per_second);
        html_cell(html);
        add_failures(html, run);
        html_cell_number(html, run->peak);
        html_cell_number(html, run->reused);
        html_cell_number(html, run->resets);
        html_cell(html);
        add_us(html, run, run->connect_mean_ns);
        html_cell(html);
        add_us(html, run, run->connect_p99_ns);
}

static void add_runs(Html *html, const ReportLabScenario *scenario) {
        static const HtmlColumn columns[] = {
                { "Settings", false, false },      { "Connections", true, false },
                { "per s", true, false },          { "Refused", true, false },
                { "TIME_WAIT peak", true, false }, { "Reused", true, true },
                { "Resets", true, true },          { "connect() mean, µs", true, true },
                { "99 %, µs", true, true },
        };
        html_table(html, scenario->title, columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < scenario->n_steps; i++)
                for (size_t k = 0; k < scenario->steps[i].n_runs; k++)
                        add_run(html, &scenario->steps[i], &scenario->steps[i].runs[k]);
        html_table_end(html);
}

/* --- curves ---------------------------------------------------------------------------------------------- */

static const ChartPoint *points_of(Html *html, const ReportLabRun *run, Arena *arena) {
        ChartPoint *points = arena_alloc_array(arena, run->n_points + 1, sizeof(ChartPoint));
        if (!points) {
                html->out->failed = true;
                return NULL;
        }
        for (size_t i = 0; i < run->n_points; i++)
                points[i] = (ChartPoint){ run->points[i].ms, run->points[i].time_wait, false };
        return points;
}

/* The last set, the one with the profiles, is drawn full; what was before is dashed. */
static void add_curve(
                Html *html, const ReportLabScenario *scenario, const ReportLabStep *step,
                Arena *arena) {
        ChartSeries series[LAB_SETS_MAX] = {};
        int64_t last = 0;
        for (size_t i = 0; i < step->n_runs; i++) {
                const ReportLabRun *run = &step->runs[i];
                series[i] = (ChartSeries){
                        .name = run->settings,
                        .style = i + 1 == step->n_runs ? CHART_MAIN : CHART_BEFORE,
                        .points = points_of(html, run, arena),
                        .n_points = run->n_points,
                };
                if (!series[i].points)
                        return;
                if (run->n_points > 0 && run->points[run->n_points - 1].ms > last)
                        last = run->points[run->n_points - 1].ms;
        }
        const char *title = *step->name != '\0' ? arena_format(arena, "%s, %s", scenario->name,
                                                               step->name)
                                                : scenario->name;
        const Chart chart = {
                .title = title ? title : "",
                .y_title = "TIME_WAIT",
                .unit = CHART_MS,
                .last = last,
                .series = series,
                .n_series = step->n_runs,
        };
        if (chart_is_drawable(&chart))
                chart_render(html, &chart);
}

static void add_curves(Html *html, const ReportLabScenario *scenario) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena) {
                html->out->failed = true;
                return;
        }
        html_raw(html, "<div class=\"charts\">\n");
        for (size_t i = 0; i < scenario->n_steps; i++)
                add_curve(html, scenario, &scenario->steps[i], arena);
        html_raw(html, "</div>\n");
}

/* -------------------------------------------------------------------------------------------------------- */

void report_add_lab(Html *html, const Report *report) {
        const ReportLab *lab = report->lab;
        if (!lab)
                return;
        html_section(html, "lab", "Lab: before and after");
        html_raw(html, "<p>Real connections between two network namespaces on Linux ");
        html_text(html, lab->kernel);
        html_raw(html,
                 ", with the settings before and with the profile. Nothing of it reached the host.</p>\n");
        add_changes(html, lab);
        for (size_t i = 0; i < lab->n_scenarios; i++) {
                const ReportLabScenario *scenario = &lab->scenarios[i];
                html_raw(html, "<h3>");
                html_text(html, scenario->name);
                html_raw(html, "</h3>\n");
                html_paragraph(html, NULL, scenario->shows);
                add_runs(html, scenario);
                add_curves(html, scenario);
        }
        html_section_end(html);
}
