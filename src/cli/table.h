/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tables for people, by libsmartcols. This is the only file that knows the library, and it loads it at the
 * first table, so that verbs without tables do not pay for it.
 *
 *         Table *t = NULL;
 *         table_new(&t, context->out, &error);
 *         table_add_column(t, "KEY", 0);
 *         table_add_row(t, (const char *[]) { "net.core.somaxconn", … });
 *         table_render(t, &context->text, &error);
 *
 * Cells are copied; control characters are escaped. Failure of adding is sticky and told by table_render().
 */

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/terminal.h"

#define TABLE_MAX_COLUMNS 8U

typedef enum TableColumnFlags {
        TABLE_COLUMN_WRAP = 1 << 0,     /* prose: breaks into lines when the table is too wide */
        TABLE_COLUMN_RIGHT = 1 << 1,    /* numbers */
        TABLE_COLUMN_OPTIONAL = 1 << 2, /* left out when no row has it */
} TableColumnFlags;

typedef struct Table Table;

/* 0 or -ENOMEM. Where the library is not there the table is a plain one: what is told must not depend on it. */
NODISCARD int table_new(Table **ret, Terminal terminal, Error *reterr);
/* Without the library: cells side by side; prose breaks into lines in the last column only. */
NODISCARD int table_new_plain(Table **ret, Terminal terminal, Error *reterr);
Table *table_free(Table *table);
DEFINE_CLEANUP_PTR(Table, table_free)

/* The title is borrowed. */
void table_add_column(Table *table, const char *title, TableColumnFlags flags);
/* One cell per column; NULL cells show "-". */
void table_add_row(Table *table, const char *const *cells);
/* How many characters wide it is before any prose is broken: for a choice of columns. */
size_t table_width(const Table *table);
/* Appends the table to `out`, each line indented by nothing; once. 0 or <0. */
NODISCARD int table_render(Table *table, StrBuf *out, Error *reterr);
