/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/text.h"

#include "diag/utf8.h"

#define GUTTER_MIN 2U
/* A line of a hostile file may be 64 KiB long: shown is a part of this many columns. */
#define EXCERPT_MAX    120U
#define EXCERPT_BEFORE 40U

#define COLOUR_RESET   "\033[0m"
#define COLOUR_BOLD    "\033[1m"
#define COLOUR_RED     "\033[1;31m"
#define COLOUR_YELLOW  "\033[1;33m"
#define COLOUR_CYAN    "\033[1;36m"
#define COLOUR_BLUE    "\033[1;34m"

/* One place with its text: what stands under one line of the excerpt. */
typedef struct Mark {
        Span span;
        const char *text; /* NULL for none */
        bool primary;
} Mark;

typedef struct Marks {
        Mark items[DIAG_MAX_LABELS + 1];
        size_t n;
} Marks;

typedef struct Renderer {
        const DiagTextOptions *options;
        StrBuf *out;
        const char *accent; /* the colour of the severity */
        unsigned gutter;
} Renderer;

/* A part of a line, in characters from 1. */
typedef struct Window {
        const char *line;
        size_t length;
        uint32_t first; /* the first character that is shown */
        bool cut;
} Window;

typedef struct Cell {
        size_t n_bytes;
        uint32_t character;
        bool broken; /* not UTF-8: one byte */
        bool hidden;
} Cell;

static Cell cell_read(const char *bytes, size_t n) {
        Cell cell = { .n_bytes = 0 };
        cell.n_bytes = utf8_decode(bytes, n, &cell.character);
        if (cell.n_bytes == 0)
                return (Cell){ .n_bytes = 1, .character = (unsigned char) *bytes, .broken = true };
        cell.hidden = utf8_is_hidden(cell.character);
        return cell;
}

static void cell_add(const Cell *cell, const char *bytes, StrBuf *out) {
        if (cell->broken || (cell->hidden && cell->character < 0x80))
                strbuf_addf(out, "\\x%02x", (unsigned) cell->character);
        else if (cell->hidden)
                strbuf_addf(out, "\\u{%04x}", (unsigned) cell->character);
        else
                strbuf_add_bytes(out, bytes, cell->n_bytes);
}

/* In an excerpt, where a tab shows as one space. */
static unsigned cell_width(const Cell *cell) {
        if (cell->character == '\t' && !cell->broken)
                return 1;
        if (cell->broken || (cell->hidden && cell->character < 0x80))
                return 4;
        return cell->hidden ? 8 : utf8_width(cell->character);
}

void diag_text_add_escaped(StrBuf *out, const char *text, size_t n) {
        for (size_t i = 0; i < n;) {
                Cell cell = cell_read(text + i, n - i);
                cell_add(&cell, text + i, out);
                i += cell.n_bytes;
        }
}

static void renderer_colour(const Renderer *r, const char *colour) {
        if (r->options->colour)
                strbuf_add(r->out, colour);
}

static void renderer_escaped(const Renderer *r, const char *text) {
        diag_text_add_escaped(r->out, text, strlen(text));
}

static const char *severity_colour(DiagSeverity severity) {
        switch (severity) {
        case DIAG_SEVERITY_REFUSE:
        case DIAG_SEVERITY_ACCEPTANCE:
        case DIAG_SEVERITY_CRITICAL:
                return COLOUR_RED;
        case DIAG_SEVERITY_PARTIAL:
        case DIAG_SEVERITY_WARNING:
                return COLOUR_YELLOW;
        case DIAG_SEVERITY_NOTE:
        case DIAG_SEVERITY_NOTICE:
        case DIAG_SEVERITY_INFO:
                break;
        }
        return COLOUR_CYAN;
}

static void render_place(const Renderer *r, const Span *span) {
        renderer_escaped(r, source_name(span->source));
        strbuf_addf(r->out, ":%u:%u", (unsigned) span->line, (unsigned) span->column);
}

static void render_head(const Renderer *r, const Diag *diag) {
        const DiagRow *row = diag_row(diag->id);

        if (span_is_set(&diag->span)) {
                renderer_colour(r, COLOUR_BOLD);
                render_place(r, &diag->span);
                strbuf_add(r->out, ": ");
                renderer_colour(r, COLOUR_RESET);
        }
        renderer_colour(r, r->accent);
        strbuf_addf(r->out, "%s[%s]", diag_severity_word(row->severity), row->code);
        renderer_colour(r, COLOUR_RESET);
        strbuf_add(r->out, ": ");
        renderer_colour(r, COLOUR_BOLD);
        renderer_escaped(r, diag->message);
        renderer_colour(r, COLOUR_RESET);
        strbuf_add_char(r->out, '\n');
}

/* " 4 | ", or with line 0 "   | " */
static void render_gutter(const Renderer *r, uint32_t line) {
        renderer_colour(r, COLOUR_BLUE);
        if (line > 0)
                strbuf_addf(r->out, "%*u |", (int) r->gutter, (unsigned) line);
        else
                strbuf_addf(r->out, "%*s |", (int) r->gutter, "");
        renderer_colour(r, COLOUR_RESET);
}

/* The display width of the characters [from, to) of the line. */
static size_t window_width(const Window *window, uint32_t from, uint32_t to) {
        size_t width = 0;
        uint32_t at = 1;
        for (size_t i = 0; i < window->length && at < to; at++) {
                Cell cell = cell_read(window->line + i, window->length - i);
                if (at >= from)
                        width += cell_width(&cell);
                i += cell.n_bytes;
        }
        return width;
}

static Window window_of(const char *line, size_t length, uint32_t column) {
        Window window = { .line = line, .length = length, .first = 1 };
        window.cut = window_width(&window, 1, UINT32_MAX) > EXCERPT_MAX;
        if (window.cut && column > EXCERPT_BEFORE)
                window.first = column - EXCERPT_BEFORE;
        return window;
}

static void render_line(const Renderer *r, const Window *window, uint32_t number) {
        render_gutter(r, number);
        if (window->length > 0)
                strbuf_add_char(r->out, ' ');
        if (window->first > 1)
                strbuf_add(r->out, "…");

        size_t width = 0;
        uint32_t at = 1;
        for (size_t i = 0; i < window->length; at++) {
                Cell cell = cell_read(window->line + i, window->length - i);
                const char *bytes = window->line + i;
                i += cell.n_bytes;
                if (at < window->first)
                        continue;
                if (window->cut && width + cell_width(&cell) > EXCERPT_MAX) {
                        strbuf_add(r->out, "…");
                        break;
                }
                width += cell_width(&cell);
                if (cell.character == '\t' && !cell.broken)
                        strbuf_add_char(r->out, ' ');
                else
                        cell_add(&cell, bytes, r->out);
        }
        strbuf_add_char(r->out, '\n');
}

static void render_mark(const Renderer *r, const Window *window, const Mark *mark) {
        uint32_t end = mark->span.end_line == mark->span.line ? mark->span.end_column : UINT32_MAX;
        size_t before = window_width(window, window->first, mark->span.column);
        size_t width = window_width(window, mark->span.column, end);
        if (before > EXCERPT_MAX) /* a second place far off in a line that is cut */
                before = EXCERPT_MAX, width = 1;
        if (width > EXCERPT_MAX - before)
                width = EXCERPT_MAX - before;
        if (width == 0)
                width = 1;

        render_gutter(r, 0);
        strbuf_add_repeat(r->out, ' ', (window->first > 1 ? 2 : 1) + before);
        renderer_colour(r, mark->primary ? r->accent : COLOUR_BLUE);
        strbuf_add_repeat(r->out, mark->primary ? '^' : '-', width);
        if (mark->text) {
                strbuf_add_char(r->out, ' ');
                renderer_escaped(r, mark->text);
        }
        renderer_colour(r, COLOUR_RESET);
        strbuf_add_char(r->out, '\n');
}

static bool span_equal(const Span *a, const Span *b) {
        return a->source == b->source && a->line == b->line && a->column == b->column &&
               a->end_line == b->end_line && a->end_column == b->end_column;
}

/* The primary place and the labels. A label of the very same place is the text of the primary. */
static Marks marks_collect(const Diag *diag) {
        Marks marks = { .n = 1 };
        marks.items[0] = (Mark){ .span = diag->span, .primary = true };
        for (size_t i = 0; i < diag->n_labels; i++) {
                const DiagLabel *label = &diag->labels[i];
                if (span_equal(&label->span, &diag->span))
                        marks.items[0].text = label->text;
                else if (span_is_set(&label->span))
                        marks.items[marks.n++] = (Mark){ .span = label->span, .text = label->text };
        }
        return marks;
}

/* The source of the primary first, and each source by line and column. */
static bool mark_is_before(const Mark *a, const Mark *b, const Source *first) {
        if (a->span.source != b->span.source)
                return a->span.source == first;
        if (a->span.line != b->span.line)
                return a->span.line < b->span.line;
        return a->span.column < b->span.column;
}

static void marks_sort(Marks *marks, const Source *first) {
        for (size_t i = 1; i < marks->n; i++)
                for (size_t j = i;
                     j > 0 && mark_is_before(&marks->items[j], &marks->items[j - 1], first); j--) {
                        Mark mark = marks->items[j];
                        marks->items[j] = marks->items[j - 1];
                        marks->items[j - 1] = mark;
                }
}

static unsigned digits_of(uint32_t n) {
        unsigned digits = 1;
        for (; n >= 10; n /= 10)
                digits++;
        return digits;
}

/* ":::" leads to a place in another file, whose text may not be at hand. */
static void render_other_source(const Renderer *r, const Mark *mark) {
        strbuf_add_repeat(r->out, ' ', r->gutter + 1);
        renderer_colour(r, COLOUR_BLUE);
        strbuf_add(r->out, "::: ");
        renderer_colour(r, COLOUR_RESET);
        render_place(r, &mark->span);
        if (source_length(mark->span.source) == 0 && mark->text) {
                strbuf_add(r->out, ": ");
                renderer_escaped(r, mark->text);
        }
        strbuf_add_char(r->out, '\n');
}

static void render_excerpt(Renderer *r, const Diag *diag) {
        Marks marks = marks_collect(diag);
        marks_sort(&marks, diag->span.source);
        for (size_t i = 0; i < marks.n; i++)
                if (digits_of(marks.items[i].span.line) > r->gutter)
                        r->gutter = digits_of(marks.items[i].span.line);

        Window window = { .line = NULL };
        const Mark *previous = NULL;
        for (const Mark *mark = marks.items; mark < marks.items + marks.n; mark++) {
                const Span *span = &mark->span;
                bool other = previous ? span->source != previous->span.source
                                      : span->source != diag->span.source;
                bool open = !previous || other;
                bool same_line = !open && previous->span.line == span->line;
                previous = mark;

                /* Without its text, as when a finding came as JSON, a place can only be named. */
                bool has_text = source_length(span->source) > 0;
                if (other || (!has_text && mark->text))
                        render_other_source(r, mark);
                const char *line;
                size_t length;
                if (!has_text || !source_get_line(span->source, span->line, &line, &length))
                        continue;
                if (open) {
                        render_gutter(r, 0);
                        strbuf_add_char(r->out, '\n');
                }
                if (!same_line) {
                        window = window_of(line, length, span->column);
                        render_line(r, &window, span->line);
                }
                render_mark(r, &window, mark);
        }
}

static void render_remark(const Renderer *r, const char *word, const char *text) {
        strbuf_add_repeat(r->out, ' ', r->gutter + 1);
        renderer_colour(r, COLOUR_BLUE);
        strbuf_add(r->out, "= ");
        renderer_colour(r, COLOUR_RESET);
        renderer_colour(r, COLOUR_BOLD);
        strbuf_addf(r->out, "%s:", word);
        renderer_colour(r, COLOUR_RESET);
        strbuf_add_char(r->out, ' ');
        renderer_escaped(r, text);
        strbuf_add_char(r->out, '\n');
}

static void render_diag(Renderer *r, const Diag *diag) {
        r->accent = severity_colour(diag_row(diag->id)->severity);
        r->gutter = GUTTER_MIN;

        render_head(r, diag);
        if (span_is_set(&diag->span))
                render_excerpt(r, diag);
        else
                for (size_t i = 0; i < diag->n_labels; i++)
                        if (span_is_set(&diag->labels[i].span))
                                render_other_source(
                                                r, &(Mark){ .span = diag->labels[i].span,
                                                            .text = diag->labels[i].text });
        for (size_t i = 0; i < diag->n_notes; i++)
                render_remark(r, "note", diag->notes[i]);
        const DiagRow *row = diag_row(diag->id);
        for (size_t i = 0; i < row->n_sources; i++)
                render_remark(r, "source", row->sources[i]);
        if (diag->help)
                render_remark(r, "help", diag->help);
}

/* Where each finding has one line, a list of lines is easier to read than lines with gaps. */
static void add_separated(StrBuf *out, const StrBuf *text, bool *was_long) {
        const char *first_end = strchr(strbuf_text(text), '\n');
        bool is_long = first_end && first_end[1] != '\0';
        if (out->length > 0 && (is_long || *was_long))
                strbuf_add_char(out, '\n');
        strbuf_add(out, strbuf_text(text));
        *was_long = is_long;
}

void diag_text_render(const DiagList *list, const DiagTextOptions *options, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf all = {};
        size_t n_left = 0, n_shown = 0;
        bool was_long = false;

        for (size_t i = 0; i < diag_list_count(list); i++) {
                const Diag *diag = diag_list_get(list, i);
                if (options->shows && !options->shows(diag))
                        continue;
                if (options->limit > 0 && n_shown == options->limit) {
                        n_left++;
                        continue;
                }
                CLEANUP(strbuf_deinit) StrBuf text = {};
                render_diag(&(Renderer){ .options = options, .out = &text }, diag);
                add_separated(&all, &text, &was_long);
                if (text.failed)
                        all.failed = true;
                n_shown++;
        }
        CLEANUP(strbuf_deinit) StrBuf rest = {};
        if (n_left > 0)
                strbuf_addf(&rest, "… and %zu more\n", n_left);
        if (!diag_list_is_complete(list))
                strbuf_add(&rest, "memory ran out: some findings are missing\n");
        if (rest.length > 0)
                add_separated(&all, &rest, &was_long);
        strbuf_add(out, strbuf_text(&all));
        if (all.failed || rest.failed)
                out->failed = true;
}
