/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a report's HTML is made of: texts, numbers, times, tables. Pure.
 *
 * Whatever somebody else chose (names of profiles, reasons, recordings) goes through html_text(): it is text wherever it
 * stands, in an element or in a quoted attribute. Control characters, those that change the direction of writing, and what is
 * no UTF-8 are shown as \xNN or \u{NNNN}, as on a terminal.
 *
 * Failure is the buffer's: sticky, told by strbuf_finish().
 */

#include "base/strbuf.h"

typedef struct HtmlColumn {
        const char *title;
        bool is_number; /* to the right */
        bool is_extra;  /* left out where the window is narrow */
} HtmlColumn;

typedef struct Html {
        StrBuf *out;
        int32_t utc_offset_s; /* of the times that are shown: local time minus UTC */
        unsigned n_charts;    /* so far: ids have to differ */
        /* the table under way */
        const HtmlColumn *columns;
        size_t n_columns, next_column;
        bool in_row, in_cell;
} Html;

/* Markup of our own. */
void html_raw(Html *html, const char *markup);
void html_rawf(Html *html, const char *format, ...) PRINTF_LIKE(2, 3);
/* Text of anybody's; NULL is a dash. */
void html_text(Html *html, const char *text);
/* Formatted first, then escaped. */
void html_textf(Html *html, const char *format, ...) PRINTF_LIKE(2, 3);

/* A <code> element; a name with dots may break behind each where there is little room. */
void html_key(Html *html, const char *key);

/* "25,087" */
void html_number(Html *html, uint64_t number);
/* "0.4", "12.5", "1,234": one decimal below a hundred */
void html_thousandths(Html *html, uint64_t thousandths);
/* "512 bytes", "6.3 MB" */
void html_bytes(Html *html, uint64_t bytes);
/* "0.4 s", "45 s", "2 min 5 s", "26 h 3 min" */
void html_duration(Html *html, uint64_t us);

/* A <time> element, in the report's time zone. `us`: CLOCK_REALTIME, microseconds since the epoch. */
void html_time(Html *html, int64_t us);
/* "UTC", "UTC+01:00" */
void html_zone(Html *html);

/* --- sections -------------------------------------------------------------------------------------------- */

/* A section with its heading, ended by html_section_end(). `id` is what links lead to. */
void html_section(Html *html, const char *id, const char *title);
void html_section_end(Html *html);
/* A paragraph of our own words; `class` may be NULL. */
void html_paragraph(Html *html, const char *class, const char *text);

/* --- tables ---------------------------------------------------------------------------------------------- */

/* A table with its caption. Rows and cells are begun in turn, and end where the next begins:
 *
 *         html_table(html, "Sockets by state", columns, ELEMENTSOF(columns));
 *         html_row(html);
 *         html_cell(html);        the first of each row is its header
 *         html_text(html, …);
 *         html_table_end(html);
 */
void html_table(Html *html, const char *caption, const HtmlColumn *columns, size_t n_columns);
void html_row(Html *html);
void html_cell(Html *html);
void html_table_end(Html *html);

/* Cells with one thing in them. */
void html_cell_text(Html *html, const char *text);
void html_cell_number(Html *html, uint64_t number);
