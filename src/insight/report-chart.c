/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-chart.h"

#include <inttypes.h>
#include <time.h>

/* Of the drawing, which is stretched: fine enough that no step shows. */
#define WIDTH       UINT64_C(10000)
#define HEIGHT      UINT64_C(2000)

#define US_PER_S    INT64_C(1000000)
#define MS_PER_S    INT64_C(1000)
#define MAX_TICKS   7U
#define LAST_TIME   (INT64_C(253402300799) * US_PER_S) /* 9999-12-31 23:59:59 */
#define MAX_Y_TICKS 5U
#define DAYS        (INT64_C(2) * 86400) /* from which on dates say more than times */

/* --- scales ---------------------------------------------------------------------------------------------- */

/* Seconds between two words below the drawing: what clocks and people count by. */
static const int64_t steps_s[] = { 1,   2,    5,    10,   15,    30,    60,    120,   300,  600,
                                   900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400 };

static int64_t unit_of(const Chart *chart) {
        return chart->unit == CHART_CLOCK_US ? US_PER_S : MS_PER_S;
}

/* In the chart's unit. */
static int64_t step_of(const Chart *chart) {
        int64_t unit = unit_of(chart), length = chart->last - chart->first;
        for (size_t i = 0; i < ELEMENTSOF(steps_s); i++)
                if (length / (steps_s[i] * unit) < MAX_TICKS)
                        return steps_s[i] * unit;
        return length / (int64_t) (MAX_TICKS - 1);
}

static uint64_t highest_of(const Chart *chart) {
        uint64_t highest = 1;
        for (size_t i = 0; i < chart->n_series; i++)
                for (size_t k = 0; k < chart->series[i].n_points; k++)
                        if (chart->series[i].points[k].y > highest)
                                highest = chart->series[i].points[k].y;
        return highest;
}

/* 1, 2 or 5 times a power of ten, so that MAX_Y_TICKS of them reach the highest. */
static uint64_t y_step_of(uint64_t highest) {
        static const uint64_t digits[] = { 1, 2, 5 };
        for (uint64_t power = 1; power <= UINT64_MAX / 100; power *= 10)
                for (size_t i = 0; i < ELEMENTSOF(digits); i++)
                        if (highest / (digits[i] * power) < MAX_Y_TICKS)
                                return digits[i] * power;
        return UINT64_MAX / MAX_Y_TICKS;
}

typedef struct Scale {
        const Chart *chart;
        uint64_t y_step, top; /* the drawing's upper edge is a multiple of the step */
} Scale;

static Scale scale_of(const Chart *chart) {
        uint64_t highest = highest_of(chart), step = y_step_of(highest);
        uint64_t n = highest / step + (highest % step != 0);
        return (Scale){ .chart = chart, .y_step = step, .top = n * step };
}

static uint64_t x_of(const Scale *scale, int64_t x) {
        const Chart *chart = scale->chart;
        if (x <= chart->first)
                return 0;
        if (x >= chart->last)
                return WIDTH;
        return (uint64_t) ((unsigned __int128) (x - chart->first) * WIDTH / (uint64_t) (chart->last - chart->first));
}

static uint64_t y_of(const Scale *scale, uint64_t y) {
        return HEIGHT - (uint64_t) ((unsigned __int128) y * HEIGHT / scale->top);
}

/* In hundredths of a per cent of the width. */
static void add_left(Html *html, uint64_t x) {
        html_rawf(html, "left:%" PRIu64 ".%02" PRIu64 "%%", x / 100, x % 100);
}

/* --- drawing --------------------------------------------------------------------------------------------- */

static bool is_inside(const Chart *chart, int64_t x) {
        return x >= chart->first && x <= chart->last;
}

/* A point alone is a line of no length, which round ends make a dot. */
static void add_path(Html *html, const Scale *scale, const ChartSeries *series) {
        bool is_open = false;
        for (size_t i = 0; i < series->n_points; i++) {
                const ChartPoint *point = &series->points[i];
                if (!is_inside(scale->chart, point->x))
                        continue;
                bool begins = !is_open || point->is_after_gap;
                html_rawf(html, "%c%" PRIu64 " %" PRIu64, begins ? 'M' : 'L', x_of(scale, point->x),
                          y_of(scale, point->y));
                if (begins)
                        html_raw(html, "h0");
                is_open = true;
        }
}

static void close_area(Html *html, const Scale *scale, int64_t first, int64_t last) {
        html_rawf(html, "L%" PRIu64 " %" PRIu64 "H%" PRIu64 "Z", x_of(scale, last), HEIGHT,
                  x_of(scale, first));
}

static void add_area(Html *html, const Scale *scale, const ChartSeries *series) {
        const ChartPoint *begin = NULL, *end = NULL;
        html_raw(html, "<path class=\"area\" d=\"");
        for (size_t i = 0; i < series->n_points; i++) {
                const ChartPoint *point = &series->points[i];
                if (!is_inside(scale->chart, point->x))
                        continue;
                if (begin && point->is_after_gap) {
                        close_area(html, scale, begin->x, end->x);
                        begin = NULL;
                }
                html_rawf(html, "%c%" PRIu64 " %" PRIu64, begin ? 'L' : 'M', x_of(scale, point->x),
                          y_of(scale, point->y));
                begin = begin ? begin : point;
                end = point;
        }
        if (begin)
                close_area(html, scale, begin->x, end->x);
        html_raw(html, "\"/>\n");
}

static const char *class_of(const ChartSeries *series) {
        return series->style == CHART_MAIN ? "main" : "before";
}

static void draw_series(Html *html, const Scale *scale, const ChartSeries *series) {
        if (series->style == CHART_MAIN)
                add_area(html, scale, series);
        html_rawf(html, "<path class=\"line %s\" d=\"", class_of(series));
        add_path(html, scale, series);
        html_raw(html, "\"/>\n");
}

static void draw_grid(Html *html, const Scale *scale) {
        html_raw(html, "<path class=\"grid\" d=\"");
        for (uint64_t y = 0; y < scale->top; y += scale->y_step)
                html_rawf(html, "M0 %" PRIu64 "H%" PRIu64, y_of(scale, y), WIDTH);
        html_rawf(html, "M0 0H%" PRIu64 "\"/>\n", WIDTH);
}

static void draw_marks(Html *html, const Scale *scale) {
        const Chart *chart = scale->chart;
        for (size_t i = 0; i < chart->n_marks; i++) {
                const ChartMark *mark = &chart->marks[i];
                if (!is_inside(chart, mark->x))
                        continue;
                html_rawf(html,
                          "<path class=\"mark\" d=\"M%" PRIu64 " 0V%" PRIu64
                          "\"><title>change %" PRIu64 "</title></path>\n",
                          x_of(scale, mark->x), HEIGHT, mark->number);
        }
}

/* What the drawing shows, for those who do not see it. */
static void describe(Html *html, const Chart *chart) {
        for (size_t i = 0; i < chart->n_series; i++) {
                const ChartSeries *series = &chart->series[i];
                uint64_t lowest = UINT64_MAX, highest = 0;
                for (size_t k = 0; k < series->n_points; k++) {
                        uint64_t y = series->points[k].y;
                        lowest = y < lowest ? y : lowest;
                        highest = y > highest ? y : highest;
                }
                if (series->n_points == 0)
                        continue;
                html_text(html, series->name);
                html_raw(html, ": from ");
                html_number(html, lowest);
                html_raw(html, " to ");
                html_number(html, highest);
                html_raw(html, ", at the end ");
                html_number(html, series->points[series->n_points - 1].y);
                html_raw(html, ". ");
        }
}

static void draw(Html *html, const Scale *scale) {
        const Chart *chart = scale->chart;
        unsigned id = ++html->n_charts;
        html_rawf(html,
                  "<svg viewBox=\"0 0 %" PRIu64 " %" PRIu64
                  "\" preserveAspectRatio=\"none\" role=\"img\""
                  " aria-labelledby=\"chart%u-title chart%u-text\">\n<title id=\"chart%u-title\">",
                  WIDTH, HEIGHT, id, id, id);
        html_text(html, chart->title);
        html_rawf(html, "</title>\n<desc id=\"chart%u-text\">", id);
        describe(html, chart);
        html_raw(html, "</desc>\n");
        draw_grid(html, scale);
        for (size_t i = 0; i < chart->n_series; i++)
                draw_series(html, scale, &chart->series[i]);
        draw_marks(html, scale);
        html_raw(html, "</svg>\n");
}

/* --- words ----------------------------------------------------------------------------------------------- */

/* "500", "25k", "1.5M" */
static void add_y_word(Html *html, uint64_t y) {
        static const struct {
                uint64_t unit;
                const char *name;
        } units[] = { { UINT64_C(1000000000), "G" }, { 1000000, "M" }, { 1000, "k" } };
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                if (y < units[i].unit)
                        continue;
                html_rawf(html, "%" PRIu64, y / units[i].unit);
                if (y % units[i].unit * 10 / units[i].unit > 0)
                        html_rawf(html, ".%" PRIu64, y % units[i].unit * 10 / units[i].unit);
                html_raw(html, units[i].name);
                return;
        }
        html_rawf(html, "%" PRIu64, y);
}

static void add_y_words(Html *html, const Scale *scale) {
        html_raw(html, "<div class=\"ys\" aria-hidden=\"true\">");
        uint64_t n = scale->top / scale->y_step;
        for (uint64_t i = 0; i <= n; i++) {
                html_rawf(html, "<span style=\"bottom:%" PRIu64 "%%\">", i * 100 / n);
                add_y_word(html, i * scale->y_step);
                html_raw(html, "</span>");
        }
        html_raw(html, "</div>\n");
}

static void add_clock(Html *html, int64_t us, const char *format) {
        time_t seconds = (time_t) (us / US_PER_S);
        struct tm tm;
        char text[32];
        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), format, &tm) > 0)
                html_raw(html, text);
}

static const char *clock_format_of(const Chart *chart, int64_t step) {
        if (chart->last - chart->first > DAYS * US_PER_S)
                return "%Y-%m-%d";
        return step < 60 * US_PER_S ? "%H:%M:%S" : "%H:%M";
}

/* The first tick at or behind the chart's beginning; clocks count from local midnight. */
static int64_t first_tick(const Html *html, const Chart *chart, int64_t step) {
        int64_t shift = chart->unit == CHART_CLOCK_US ? html->utc_offset_s * US_PER_S : 0;
        int64_t past = (chart->first + shift) % step;
        if (chart->unit == CHART_MS)
                past = 0;
        past = past < 0 ? past + step : past;
        return past == 0 ? chart->first : chart->first + step - past;
}

static void add_x_word(Html *html, const Scale *scale, int64_t x, int64_t step, bool is_extra) {
        const Chart *chart = scale->chart;
        uint64_t at = x_of(scale, x);
        const char *edge = at < WIDTH / 20           ? " class=\"begin\""
                           : at > WIDTH - WIDTH / 20 ? " class=\"end\""
                                                     : "";
        if (is_extra)
                edge = " class=\"x\"";
        html_rawf(html, "<span%s style=\"", edge);
        add_left(html, at);
        html_raw(html, "\">");
        if (chart->unit == CHART_CLOCK_US)
                add_clock(html, x + html->utc_offset_s * US_PER_S, clock_format_of(chart, step));
        else
                html_rawf(html, "%" PRId64 " s", (x - chart->first) / MS_PER_S);
        html_raw(html, "</span>");
}

static void add_x_words(Html *html, const Scale *scale) {
        const Chart *chart = scale->chart;
        int64_t step = step_of(chart);
        size_t n = 0;
        html_raw(html, "<div class=\"xs\" aria-hidden=\"true\">");
        for (int64_t x = first_tick(html, chart, step); x <= chart->last; x += step)
                add_x_word(html, scale, x, step, n++ % 2 == 1);
        html_raw(html, "</div>\n");
}

/* Numbers of marks that stand too close would lie over each other: the later ones stand a step lower. */
static void add_flags(Html *html, const Scale *scale) {
        const Chart *chart = scale->chart;
        uint64_t before = 0;
        unsigned level = 0;
        for (size_t i = 0; i < chart->n_marks; i++) {
                if (!is_inside(chart, chart->marks[i].x))
                        continue;
                uint64_t at = x_of(scale, chart->marks[i].x);
                level = i > 0 && at - before < WIDTH / 12 ? (level + 1) % 4 : 0;
                before = at;
                html_rawf(html, "<a class=\"flag l%u\" href=\"#change-%" PRIu64 "\" style=\"",
                          level, chart->marks[i].number);
                add_left(html, at);
                html_rawf(html, "\">%" PRIu64 "</a>", chart->marks[i].number);
        }
}

static void add_legend(Html *html, const Chart *chart) {
        html_raw(html, "<ul class=\"legend\">");
        for (size_t i = 0; i < chart->n_series; i++) {
                html_rawf(html,
                          "<li><svg class=\"key\" viewBox=\"0 0 24 8\" aria-hidden=\"true\">"
                          "<path class=\"line %s\" d=\"M1 4H23\"/></svg>",
                          class_of(&chart->series[i]));
                html_text(html, chart->series[i].name);
                html_raw(html, "</li>");
        }
        html_raw(html, "</ul>\n");
}

/* -------------------------------------------------------------------------------------------------------- */

bool chart_is_drawable(const Chart *chart) {
        if (chart->first < 0 || chart->last <= chart->first || chart->last > LAST_TIME)
                return false;
        for (size_t i = 0; i < chart->n_series; i++)
                if (chart->series[i].n_points >= 2)
                        return true;
        return false;
}

void chart_render(Html *html, const Chart *chart) {
        assert(chart_is_drawable(chart));
        Scale scale = scale_of(chart);
        html_raw(html, "<figure class=\"chart\">\n<figcaption>");
        html_text(html, chart->title);
        html_raw(html, " <small>");
        html_text(html, chart->y_title);
        html_raw(html, "</small></figcaption>\n<div class=\"plot\">\n");
        add_y_words(html, &scale);
        html_raw(html, "<div class=\"field\">\n");
        draw(html, &scale);
        add_flags(html, &scale);
        html_raw(html, "</div>\n");
        add_x_words(html, &scale);
        html_raw(html, "</div>\n");
        add_legend(html, chart);
        html_raw(html, "</figure>\n");
}

/* --- bars ------------------------------------------------------------------------------------------------ */

void chart_bar(Html *html, const uint64_t *parts, size_t n_parts, uint64_t whole) {
        uint64_t at = 0;
        html_raw(html,
                 "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                 "<rect class=\"back\" width=\"1000\" height=\"10\"/>");
        for (size_t i = 0; i < n_parts && whole > 0; i++) {
                uint64_t part = parts[i] > whole ? whole : parts[i];
                uint64_t width = (uint64_t) ((unsigned __int128) part * 1000 / whole);
                width = width > 1000 - at ? 1000 - at : width;
                if (width > 0)
                        html_rawf(html,
                                  "<rect class=\"p%zu\" x=\"%" PRIu64 "\" width=\"%" PRIu64
                                  "\" height=\"10\"/>",
                                  i, at, width);
                at += width;
        }
        html_raw(html, "</svg>");
}
