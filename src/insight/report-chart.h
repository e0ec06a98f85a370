/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A curve over time as inline SVG, with the words round it in HTML: the drawing stretches to the width of the window, the
 * words keep their size. Colours come from the report's style, so that they follow light, dark and print. Pure.
 *
 * Where a mark stands for a change, a line goes through the drawing and its number stands above.
 */

#include "insight/report-html.h"

typedef struct ChartPoint {
        int64_t x; /* in the chart's unit */
        uint64_t y;
        bool is_after_gap; /* no line leads here from the point before */
} ChartPoint;

typedef enum ChartStyle {
        CHART_MAIN,   /* a full line with its area */
        CHART_BEFORE, /* dashed: what the other is compared with */
} ChartStyle;

typedef struct ChartSeries {
        const char *name;
        ChartStyle style;
        const ChartPoint *points; /* x never falls */
        size_t n_points;
} ChartSeries;

typedef struct ChartMark {
        int64_t x;
        uint64_t number; /* as in the list of changes */
} ChartMark;

typedef enum ChartUnit {
        CHART_CLOCK_US, /* CLOCK_REALTIME, microseconds since the epoch: shown as the time of the day */
        CHART_MS,       /* milliseconds since a start: shown as seconds */
} ChartUnit;

typedef struct Chart {
        const char *title;
        const char *y_title;
        ChartUnit unit;
        int64_t first, last; /* what x goes from and to */
        const ChartSeries *series;
        size_t n_series;
        const ChartMark *marks; /* by x; what lies outside is left out */
        size_t n_marks;
} Chart;

/* Whether there is something to draw: two points somewhere, and time between first and last, from 0 to the year 9999. */
bool chart_is_drawable(const Chart *chart);
/* A <figure>; the chart is drawable. */
void chart_render(Html *html, const Chart *chart);

/* --- bars ------------------------------------------------------------------------------------------------ */

/* A bar in a table, as SVG: `parts` of `whole` one behind the other, in classes p0, p1 … of the style. Decoration: the
 * numbers stand beside it. What is more than the whole is cut. */
void chart_bar(Html *html, const uint64_t *parts, size_t n_parts, uint64_t whole);
