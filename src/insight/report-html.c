/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "diag/text.h"

#define US_PER_S    1000000
#define DASH        "–"
#define NUMBER_TEXT 32U

/* --- texts ----------------------------------------------------------------------------------------------- */

void html_raw(Html *html, const char *markup) {
        strbuf_add(html->out, markup);
}

static void PRINTF_LIKE(2, 0) add_formatted(StrBuf *out, const char *format, va_list arguments) {
        char *text = NULL;
        if (vasprintf(&text, format, arguments) < 0) {
                out->failed = true;
                return;
        }
        strbuf_add(out, text);
        free(text);
}

void html_rawf(Html *html, const char *format, ...) {
        va_list arguments;
        va_start(arguments, format);
        add_formatted(html->out, format, arguments);
        va_end(arguments);
}

static const char *reference_of(char c) {
        switch (c) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        case '\t':
                return " "; /* the kernel separates numbers by tabs */
        default:
                return NULL;
        }
}

void html_text(Html *html, const char *text) {
        if (!text) {
                html_raw(html, DASH);
                return;
        }
        CLEANUP(strbuf_deinit) StrBuf visible = {};
        for (const char *at = text; *at != '\0';) {
                size_t n = strcspn(at, "\t");
                diag_text_add_escaped(&visible, at, n);
                at += n;
                if (*at == '\t') {
                        strbuf_add_char(&visible, '\t');
                        at++;
                }
        }
        html->out->failed |= visible.failed;
        for (const char *at = strbuf_text(&visible); *at != '\0'; at++) {
                const char *reference = reference_of(*at);
                if (reference)
                        strbuf_add(html->out, reference);
                else
                        strbuf_add_char(html->out, *at);
        }
}

void html_textf(Html *html, const char *format, ...) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        va_list arguments;
        va_start(arguments, format);
        add_formatted(&text, format, arguments);
        va_end(arguments);
        html->out->failed |= text.failed;
        html_text(html, strbuf_text(&text));
}

void html_key(Html *html, const char *key) {
        html_raw(html, "<code>");
        for (const char *part = key; *part != '\0';) {
                size_t n = strcspn(part, ".");
                n += part[n] == '.';
                html_textf(html, "%.*s", (int) n, part);
                part += n;
                if (*part != '\0')
                        html_raw(html, "<wbr>");
        }
        html_raw(html, "</code>");
}

/* --- numbers --------------------------------------------------------------------------------------------- */

void html_number(Html *html, uint64_t number) {
        char digits[NUMBER_TEXT];
        int n = snprintf(digits, sizeof(digits), "%" PRIu64, number);
        for (int i = 0; i < n; i++) {
                strbuf_add_char(html->out, digits[i]);
                if (i + 1 < n && (n - i - 1) % 3 == 0)
                        strbuf_add_char(html->out, ',');
        }
}

void html_thousandths(Html *html, uint64_t thousandths) {
        if (thousandths >= UINT64_C(100000)) {
                html_number(html, thousandths / 1000 + (thousandths % 1000 >= 500));
                return;
        }
        html_rawf(html, "%" PRIu64 ".%" PRIu64, thousandths / 1000, thousandths % 1000 / 100);
}

void html_bytes(Html *html, uint64_t bytes) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_add_size(&text, bytes);
        const char *blank = strchr(strbuf_text(&text), ' ');
        if (blank) /* not when memory ran out */
                html_rawf(html, "%.*s&nbsp;%s", (int) (blank - strbuf_text(&text)),
                          strbuf_text(&text), blank + 1);
        html->out->failed |= text.failed;
}

void html_duration(Html *html, uint64_t us) {
        uint64_t seconds = us / US_PER_S;
        if (seconds < 10) {
                html_rawf(html, "%" PRIu64 ".%" PRIu64 "&nbsp;s", seconds, us / 100000 % 10);
                return;
        }
        uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
        seconds %= 60;
        if (hours > 0)
                html_rawf(html, "%" PRIu64 "&nbsp;h", hours);
        if (minutes > 0)
                html_rawf(html, "%s%" PRIu64 "&nbsp;min", hours > 0 ? " " : "", minutes);
        if (hours == 0 && seconds > 0)
                html_rawf(html, "%s%" PRIu64 "&nbsp;s", minutes > 0 ? " " : "", seconds);
}

/* --- times ----------------------------------------------------------------------------------------------- */

static bool time_to_text(int64_t seconds, const char *format, char ret[NUMBER_TEXT]) {
        time_t when = (time_t) seconds;
        struct tm tm;
        return gmtime_r(&when, &tm) && tm.tm_year >= 0 && tm.tm_year < 8100 &&
               strftime(ret, NUMBER_TEXT, format, &tm) > 0;
}

void html_time(Html *html, int64_t us) {
        char machine[NUMBER_TEXT], people[NUMBER_TEXT];
        int64_t seconds = us / US_PER_S;
        if (!time_to_text(seconds, "%Y-%m-%dT%H:%M:%SZ", machine) ||
            !time_to_text(seconds + html->utc_offset_s, "%Y-%m-%d %H:%M:%S", people)) {
                html_raw(html, DASH);
                return;
        }
        html_rawf(html, "<time datetime=\"%s\">%s</time>", machine, people);
}

void html_zone(Html *html) {
        int32_t minutes = html->utc_offset_s / 60;
        uint32_t size = (uint32_t) (minutes < 0 ? -minutes : minutes);
        html_raw(html, "UTC");
        if (minutes != 0)
                html_rawf(html, "%s%02" PRIu32 ":%02" PRIu32, minutes < 0 ? "−" : "+", size / 60,
                          size % 60);
}

/* --- sections -------------------------------------------------------------------------------------------- */

void html_section(Html *html, const char *id, const char *title) {
        html_rawf(html, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">",
                  id, id, id);
        html_text(html, title);
        html_raw(html, "</h2>\n");
}

void html_section_end(Html *html) {
        html_raw(html, "</section>\n");
}

void html_paragraph(Html *html, const char *class, const char *text) {
        if (class)
                html_rawf(html, "<p class=\"%s\">", class);
        else
                html_raw(html, "<p>");
        html_text(html, text);
        html_raw(html, "</p>\n");
}

/* --- tables ---------------------------------------------------------------------------------------------- */

static void add_class(Html *html, const HtmlColumn *column) {
        if (!column->is_number && !column->is_extra)
                return;
        html_rawf(html, " class=\"%s%s%s\"", column->is_number ? "n" : "",
                  column->is_number && column->is_extra ? " " : "", column->is_extra ? "x" : "");
}

/* A table that is too wide scrolls by itself, also by the keyboard. */
void html_table(Html *html, const char *caption, const HtmlColumn *columns, size_t n_columns) {
        html->columns = columns;
        html->n_columns = html->next_column = n_columns;
        html->in_cell = html->in_row = false;
        html_raw(html, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
        html_text(html, caption);
        html_raw(html, "\">\n<table>\n<caption>");
        html_text(html, caption);
        html_raw(html, "</caption>\n<thead><tr>");
        for (size_t i = 0; i < n_columns; i++) {
                html_raw(html, "<th scope=\"col\"");
                add_class(html, &columns[i]);
                html_raw(html, ">");
                html_text(html, columns[i].title);
                html_raw(html, "</th>");
        }
        html_raw(html, "</tr></thead>\n<tbody>");
}

static void end_cell(Html *html) {
        if (html->in_cell)
                html_raw(html, html->next_column == 1 ? "</th>" : "</td>");
        html->in_cell = false;
}

static void end_row(Html *html) {
        end_cell(html);
        assert(html->next_column == html->n_columns); /* the row is whole */
        if (html->in_row)
                html_raw(html, "</tr>");
        html->in_row = false;
}

void html_row(Html *html) {
        end_row(html);
        html_raw(html, "\n<tr>");
        html->next_column = 0;
        html->in_row = true;
}

void html_cell(Html *html) {
        end_cell(html);
        assert(html->next_column < html->n_columns);
        const HtmlColumn *column = &html->columns[html->next_column];
        html_raw(html, html->next_column == 0 ? "<th scope=\"row\"" : "<td");
        add_class(html, column);
        html_raw(html, ">");
        html->next_column++;
        html->in_cell = true;
}

void html_table_end(Html *html) {
        end_row(html);
        html_raw(html, "\n</tbody>\n</table>\n</div>\n");
        html->columns = NULL;
        html->n_columns = html->next_column = 0;
}

void html_cell_text(Html *html, const char *text) {
        html_cell(html);
        html_text(html, text);
}

void html_cell_number(Html *html, uint64_t number) {
        html_cell(html);
        html_number(html, number);
}
