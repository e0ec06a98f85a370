/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/table.h"

#include <dlfcn.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>

#include "cli/prose.h"
#include "diag/text.h"
#include "diag/utf8.h"

#define LIBRARY         "libsmartcols.so.1"
#define MIN_PROSE_WIDTH 14U

/* The functions of the library that are used, by the types of its header. */
#define FUNCTIONS(X)                  \
        X(scols_new_table)            \
        X(scols_unref_table)          \
        X(scols_table_new_column)     \
        X(scols_table_new_line)       \
        X(scols_line_set_data)        \
        X(scols_table_enable_colors)  \
        X(scols_table_set_termforce)  \
        X(scols_table_set_termwidth)  \
        X(scols_column_get_header)    \
        X(scols_cell_set_color)       \
        X(scols_column_set_wrapfunc)  \
        X(scols_column_set_safechars) \
        X(scols_wrapnl_chunksize)     \
        X(scols_wrapnl_nextchunk)     \
        X(scols_print_table_to_string)

#define MEMBER(name) typeof(name) *name##_fn;
#define ROW(name)    { #name, offsetof(Functions, name##_fn) },

typedef struct Functions {
        FUNCTIONS(MEMBER)
} Functions;

typedef struct Column {
        const char *title;
        TableColumnFlags flags;
        size_t width; /* of the widest cell, in characters */
        size_t longest_word;
        bool has_text; /* some row says something in it */
} Column;

struct Table {
        Functions functions;
        struct libscols_table *table;
        Column columns[TABLE_MAX_COLUMNS];
        size_t n_columns;
        char **cells; /* owned, escaped, row by row */
        size_t n_cells, capacity;
        Terminal terminal;
        bool failed;
};

/* Never closed: the library stays until the process ends. */
static bool load_functions(Functions *ret) {
        static const struct {
                const char *name;
                size_t offset;
        } rows[] = { FUNCTIONS(ROW) };

        void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                void *symbol = dlsym(library, rows[i].name);
                if (!symbol)
                        return false;
                memcpy((char *) ret + rows[i].offset, &symbol, sizeof(symbol));
        }
        return true;
}

int table_new_plain(Table **ret, Terminal terminal, Error *reterr) {
        Table *t = calloc(1, sizeof(Table));
        if (!t)
                return error_set(reterr, -ENOMEM, "cannot make a table");
        t->terminal = terminal;
        *ret = t;
        return 0;
}

int table_new(Table **ret, Terminal terminal, Error *reterr) {
        CLEANUP(table_freep) Table *t = NULL;
        int r = table_new_plain(&t, terminal, reterr);
        if (r < 0)
                return r;
        if (!load_functions(&t->functions)) {
                *ret = TAKE_PTR(t);
                return 0;
        }
        /* the library measures characters by the locale; without one UTF-8 would be escaped */
        if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
                (void) setlocale(LC_CTYPE, "C.UTF-8");
        assert(t && t->functions.scols_new_table_fn && t->functions.scols_table_enable_colors_fn &&
               t->functions.scols_table_set_termforce_fn); /* load_functions() finds all or fails */
        t->table = t->functions.scols_new_table_fn();
        if (!t->table)
                return error_set(reterr, -ENOMEM, "cannot make a table");
        (void) t->functions.scols_table_enable_colors_fn(t->table, terminal.colour ? 1 : 0);
        (void) t->functions.scols_table_set_termforce_fn(t->table, SCOLS_TERMFORCE_ALWAYS);
        *ret = TAKE_PTR(t);
        return 0;
}

Table *table_free(Table *table) {
        if (!table)
                return NULL;
        if (table->table)
                table->functions.scols_unref_table_fn(table->table);
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        free(table->cells);
        free(table);
        return NULL;
}

static void note_width(Column *column, const char *text) {
        size_t width = utf8_count(text, strlen(text));
        if (width > column->width)
                column->width = width;
        while (*text) {
                size_t n = strcspn(text, " "), shown = utf8_count(text, n);
                if (shown > column->longest_word)
                        column->longest_word = shown;
                text += n + (text[n] == ' ' ? 1 : 0);
        }
}

void table_add_column(Table *table, const char *title, TableColumnFlags flags) {
        assert(table->n_columns < TABLE_MAX_COLUMNS && table->n_cells == 0);
        Column *column = &table->columns[table->n_columns++];
        *column = (Column){ .title = title, .flags = flags };
        note_width(column, title);
}

static void add_cell(Table *table, char *text) {
        if (table->n_cells == table->capacity) {
                size_t capacity = table->capacity > 0 ? table->capacity * 2 : 64;
                char **cells = realloc(table->cells, capacity * sizeof(char *));
                if (!cells) {
                        free(text);
                        table->failed = true;
                        return;
                }
                table->cells = cells;
                table->capacity = capacity;
        }
        table->cells[table->n_cells++] = text;
}

void table_add_row(Table *table, const char *const *cells) {
        for (size_t i = 0; i < table->n_columns && !table->failed; i++) {
                CLEANUP(strbuf_deinit) StrBuf cell = {};
                const char *text = cells[i] ? cells[i] : "-";
                diag_text_add_escaped(&cell, text, strlen(text));
                char *escaped = NULL;
                if (strbuf_finish(&cell, &escaped) < 0) {
                        table->failed = true;
                        return;
                }
                note_width(&table->columns[i], escaped);
                table->columns[i].has_text |= cells[i] != NULL;
                add_cell(table, escaped);
        }
}

static bool is_shown(const Column *column) {
        return column->has_text || (column->flags & TABLE_COLUMN_OPTIONAL) == 0;
}

static bool is_prose(const Column *column) {
        return (column->flags & TABLE_COLUMN_WRAP) != 0;
}

size_t table_width(const Table *table) {
        size_t width = 0;
        for (size_t i = 0; i < table->n_columns; i++)
                if (is_shown(&table->columns[i]))
                        width += table->columns[i].width + (width > 0 ? 1 : 0);
        return width;
}

/* As narrow as prose may become: no word is broken, and no column of single words where there is a choice. */
static size_t least_width(const Column *column) {
        size_t least = column->longest_word > MIN_PROSE_WIDTH ? column->longest_word
                                                              : MIN_PROSE_WIDTH;
        return least < column->width ? least : column->width;
}

/* What the other columns leave of the line. */
static size_t width_for_prose(const Table *table, size_t *ret_total) {
        size_t taken = 0, least = 0;
        for (size_t i = 0; i < table->n_columns; i++) {
                const Column *column = &table->columns[i];
                if (!is_shown(column))
                        continue;
                taken += is_prose(column) ? 1 : column->width + 1;
                if (is_prose(column) && least_width(column) > least)
                        least = least_width(column);
        }
        size_t left = table->terminal.width > taken ? table->terminal.width - taken : 0;
        if (left < least)
                left = least;
        *ret_total = taken + left;
        return left;
}

/* Lines of words without the last newline. */
static int break_prose(const char *text, size_t width, StrBuf *out) {
        prose_add(out, text, 0, width);
        if (out->failed)
                return -ENOMEM;
        if (out->length > 0)
                out->data[--out->length] = '\0';
        return 0;
}

static int open_column(Table *table, const Column *column) {
        const Functions *f = &table->functions;
        int flags = (is_prose(column) ? SCOLS_FL_WRAP : 0) |
                    ((column->flags & TABLE_COLUMN_RIGHT) != 0 ? SCOLS_FL_RIGHT : 0);
        struct libscols_column *native = f->scols_table_new_column_fn(
                        table->table, column->title, 0.1, flags);
        if (!native)
                return -ENOMEM;
        /* we break the lines between words; the library would break inside of them */
        if (is_prose(column)) {
                (void) f->scols_column_set_wrapfunc_fn(
                                native, f->scols_wrapnl_chunksize_fn, f->scols_wrapnl_nextchunk_fn,
                                NULL);
                (void) f->scols_column_set_safechars_fn(native, "\n");
        }
        if (table->terminal.colour)
                (void) f->scols_cell_set_color_fn(f->scols_column_get_header_fn(native), "bold");
        return 0;
}

static int add_line(Table *table, char *const *cells, size_t prose_width) {
        const Functions *f = &table->functions;
        struct libscols_line *line = f->scols_table_new_line_fn(table->table, NULL);
        if (!line)
                return -ENOMEM;
        for (size_t i = 0, shown = 0; i < table->n_columns; i++) {
                if (!is_shown(&table->columns[i]))
                        continue;
                bool prose = is_prose(&table->columns[i]);
                CLEANUP(strbuf_deinit) StrBuf broken = {};
                if (prose && break_prose(cells[i], prose_width, &broken) < 0)
                        return -ENOMEM;
                int r = f->scols_line_set_data_fn(
                                line, shown++, prose ? strbuf_text(&broken) : cells[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Prose at the end of a line, of which `start` columns are taken; the lines below begin there too. */
static void add_plain_prose(const Table *table, const char *text, size_t start, StrBuf *out) {
        size_t total;
        size_t width = width_for_prose(table, &total);
        CLEANUP(strbuf_deinit) StrBuf body = {};
        prose_add(&body, text, start, start + width);
        out->failed |= body.failed;
        if (body.length > start)
                strbuf_add(out, strbuf_text(&body) + start); /* the first indent is the line */
        else
                strbuf_add_char(out, '\n');
}

/* Cells side by side, as wide as they are, but for prose in the last. */
static void add_plain_line(const Table *table, char *const *cells, StrBuf *out) {
        size_t blanks = 0, start = 0;
        for (size_t i = 0; i < table->n_columns; i++) {
                const Column *column = &table->columns[i];
                const char *cell = cells ? cells[i] : column->title;
                if (!is_shown(column))
                        continue;
                size_t pad = column->width - utf8_count(cell, strlen(cell));
                bool right = (column->flags & TABLE_COLUMN_RIGHT) != 0;
                strbuf_add_repeat(out, ' ', blanks + (right ? pad : 0));
                if (cells && i + 1 == table->n_columns && is_prose(column)) {
                        add_plain_prose(table, cell, start, out);
                        return;
                }
                strbuf_add(out, cell);
                blanks = 1 + (right ? 0 : pad);
                start += column->width + 1;
        }
        strbuf_add_char(out, '\n');
}

static int render_plain(const Table *table, StrBuf *out, Error *reterr) {
        if (table->failed)
                return error_set(reterr, -ENOMEM, "cannot print a table");
        add_plain_line(table, NULL, out);
        for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns)
                add_plain_line(table, table->cells + i, out);
        return 0;
}

/* The last column is padded by the library when it wraps; a terminal does not need that. */
static void add_without_trailing_blanks(StrBuf *out, const char *text) {
        while (*text) {
                size_t n = strcspn(text, "\n"), end = n;
                while (end > 0 && text[end - 1] == ' ')
                        end--;
                strbuf_add_bytes(out, text, end);
                strbuf_add_char(out, '\n');
                text += n + (text[n] == '\n' ? 1 : 0);
        }
}

int table_render(Table *table, StrBuf *out, Error *reterr) {
        if (!table->table)
                return render_plain(table, out, reterr);
        cleanup_free char *text = NULL;
        int r = table->failed ? -ENOMEM : 0;
        size_t total = 0, prose_width = width_for_prose(table, &total);
        /* numbers and names are never cut: a table may be wider than the terminal */
        (void) table->functions.scols_table_set_termwidth_fn(table->table, total);
        for (size_t i = 0; r == 0 && i < table->n_columns; i++)
                if (is_shown(&table->columns[i]))
                        r = open_column(table, &table->columns[i]);
        for (size_t i = 0; r == 0 && i + table->n_columns <= table->n_cells; i += table->n_columns)
                r = add_line(table, table->cells + i, prose_width);
        if (r == 0)
                r = table->functions.scols_print_table_to_string_fn(table->table, &text);
        if (r < 0)
                return error_set(reterr, r, "cannot print a table");
        add_without_trailing_blanks(out, text ? text : "");
        return 0;
}
