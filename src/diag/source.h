/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A text that diagnostics point into: its shown name, its bytes, and places inside it.
 *
 * A Source owns a copy of the bytes, so an excerpt is always rendered from what was parsed, never by
 * opening the file again. Spans borrow the Source and must not outlive it.
 *
 * Lines and columns are 1-based; columns count characters, not bytes. line 0 means "no place".
 * A span ends before (end_line, end_column).
 */

#include "base/macro.h"

typedef struct Source Source;

typedef struct Span {
        const Source *source; /* NULL when line is 0 */
        uint32_t line, column;
        uint32_t end_line, end_column;
} Span;

/* Copies both; NULL when out of memory. The bytes may hold anything, NUL included. */
Source *source_new(const char *name, const char *bytes, size_t length);
Source *source_free(Source *source);
DEFINE_CLEANUP_PTR(Source, source_free)

const char *source_name(const Source *source);
const char *source_bytes(const Source *source);
size_t source_length(const Source *source);

/* Line `line` (1-based) without its end; false when there is none. *ret borrows from the source. */
bool source_get_line(const Source *source, uint32_t line, const char **ret, size_t *ret_length);

/* The place of a byte offset, one character wide; an offset behind the end gives the end. */
Span source_span_at_offset(const Source *source, size_t offset);

static inline bool span_is_set(const Span *span) {
        return span->line != 0;
}
