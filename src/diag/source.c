/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/source.h"

#include "diag/utf8.h"

struct Source {
        char *name;
        char *bytes; /* with a NUL behind the last */
        size_t length;
};

Source *source_new(const char *name, const char *bytes, size_t length) {
        if (length == SIZE_MAX)
                return NULL;

        CLEANUP(source_freep) Source *source = calloc(1, sizeof(Source));
        if (!source)
                return NULL;

        source->name = strdup(name);
        source->bytes = malloc(length + 1);
        if (!source->name || !source->bytes)
                return NULL;

        if (length > 0)
                memcpy(source->bytes, bytes, length);
        source->bytes[length] = '\0';
        source->length = length;
        return TAKE_PTR(source);
}

Source *source_free(Source *source) {
        if (!source)
                return NULL;

        free(source->name);
        free(source->bytes);
        free(source);
        return NULL;
}

const char *source_name(const Source *source) {
        return source->name;
}

const char *source_bytes(const Source *source) {
        return source->bytes;
}

size_t source_length(const Source *source) {
        return source->length;
}

/* Behind a final newline there is one more, empty, line: the place of "unexpected end". */
bool source_get_line(const Source *source, uint32_t line, const char **ret, size_t *ret_length) {
        if (line == 0)
                return false;

        const char *start = source->bytes, *end = source->bytes + source->length;
        for (uint32_t i = 1; i < line; i++) {
                const char *newline = memchr(start, '\n', (size_t) (end - start));
                if (!newline)
                        return false;
                start = newline + 1;
        }

        const char *newline = memchr(start, '\n', (size_t) (end - start));
        size_t length = (size_t) ((newline ? newline : end) - start);
        if (length > 0 && start[length - 1] == '\r')
                length--;
        *ret = start;
        *ret_length = length;
        return true;
}

Span source_span_at_offset(const Source *source, size_t offset) {
        if (offset > source->length)
                offset = source->length;

        uint32_t line = 1;
        const char *start = source->bytes, *at = source->bytes + offset;
        for (const char *newline; (newline = memchr(start, '\n', (size_t) (at - start)));) {
                start = newline + 1;
                line++;
        }

        /* A byte that is not UTF-8 counts as a character, as in the renderer. */
        uint32_t column = 1, character;
        for (const char *p = start; p < at; column++) {
                size_t step = utf8_decode(
                                p, (size_t) (source->bytes + source->length - p), &character);
                p += step > 0 ? step : 1;
                if (p > at)
                        break;
        }

        return (Span){ .source = source,
                       .line = line,
                       .column = column,
                       .end_line = line,
                       .end_column = column + 1 };
}
