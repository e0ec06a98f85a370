/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A growing byte buffer that is always NUL terminated.
 *
 * Embedded and zero initialised: `CLEANUP(strbuf_deinit) StrBuf b = {};`. Failure is sticky: when
 * memory runs out every later call is a no-op and strbuf_finish() says -ENOMEM once, so that a renderer
 * may append in a row and look at the end only.
 */

#include "base/macro.h"

typedef struct StrBuf {
        char *data; /* owned; NULL while empty */
        size_t length;
        size_t capacity;
        bool failed;
} StrBuf;

void strbuf_deinit(StrBuf *buf);
/* Empties and keeps the memory; clears the failure. */
void strbuf_reset(StrBuf *buf);

void strbuf_add(StrBuf *buf, const char *text);
void strbuf_add_bytes(StrBuf *buf, const void *bytes, size_t n);
void strbuf_add_char(StrBuf *buf, char c);
void strbuf_add_repeat(StrBuf *buf, char c, size_t n);
void strbuf_addf(StrBuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* "512 bytes", "6.3 MB": units of a thousand, one digit behind the point, never rounded up. */
void strbuf_add_size(StrBuf *buf, uint64_t bytes);

/* The text so far, "" while empty; lives until the next change. */
const char *strbuf_text(const StrBuf *buf);

/* Hands the string to the caller, who frees it. 0 or -ENOMEM; *ret is set on success only. */
NODISCARD int strbuf_finish(StrBuf *buf, char **ret);
