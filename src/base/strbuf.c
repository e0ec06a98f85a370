/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static bool strbuf_reserve(StrBuf *buf, size_t more) {
        if (buf->failed)
                return false;
        if (buf->data && more < buf->capacity && buf->length < buf->capacity - more)
                return true;

        size_t want = buf->capacity ? buf->capacity : 64;
        while (want - buf->length <= more) {
                if (want > SIZE_MAX / 2) {
                        buf->failed = true;
                        return false;
                }
                want *= 2;
        }

        char *data = realloc(buf->data, want);
        if (!data) {
                buf->failed = true;
                return false;
        }

        buf->data = data;
        buf->capacity = want;
        return true;
}

void strbuf_deinit(StrBuf *buf) {
        free(buf->data);
        *buf = (StrBuf){ 0 };
}

void strbuf_reset(StrBuf *buf) {
        buf->length = 0;
        buf->failed = false;
        if (buf->data)
                buf->data[0] = '\0';
}

void strbuf_add_bytes(StrBuf *buf, const void *bytes, size_t n) {
        if (n == 0 || !strbuf_reserve(buf, n))
                return;

        memcpy(buf->data + buf->length, bytes, n);
        buf->length += n;
        buf->data[buf->length] = '\0';
}

void strbuf_add(StrBuf *buf, const char *text) {
        strbuf_add_bytes(buf, text, strlen(text));
}

void strbuf_add_char(StrBuf *buf, char c) {
        strbuf_add_bytes(buf, &c, 1);
}

void strbuf_add_repeat(StrBuf *buf, char c, size_t n) {
        if (n == 0 || !strbuf_reserve(buf, n))
                return;

        memset(buf->data + buf->length, c, n);
        buf->length += n;
        buf->data[buf->length] = '\0';
}

void strbuf_addf(StrBuf *buf, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        int n = vsnprintf(NULL, 0, format, ap);
        va_end(ap);

        if (n < 0) {
                buf->failed = true;
                return;
        }
        if (!strbuf_reserve(buf, (size_t) n))
                return;

        va_start(ap, format);
        (void) vsnprintf(buf->data + buf->length, (size_t) n + 1, format, ap);
        va_end(ap);
        buf->length += (size_t) n;
}

void strbuf_add_size(StrBuf *buf, uint64_t bytes) {
        static const char *const units[] = { "kB", "MB", "GB", "TB" };
        uint64_t unit = 1000;
        size_t i = 0;
        while (i + 1 < ELEMENTSOF(units) && bytes / unit >= 1000) {
                unit *= 1000;
                i++;
        }
        if (bytes < 1000)
                strbuf_addf(buf, "%" PRIu64 " bytes", bytes);
        else
                strbuf_addf(buf, "%" PRIu64 ".%" PRIu64 " %s", bytes / unit,
                            bytes % unit * 10 / unit, units[i]);
}

const char *strbuf_text(const StrBuf *buf) {
        return buf->data && buf->length > 0 ? buf->data : "";
}

int strbuf_finish(StrBuf *buf, char **ret) {
        if (buf->failed) {
                strbuf_deinit(buf);
                return -ENOMEM;
        }
        if (!buf->data && !strbuf_reserve(buf, 1))
                return -ENOMEM;

        buf->data[buf->length] = '\0';
        *ret = TAKE_PTR(buf->data);
        *buf = (StrBuf){ 0 };
        return 0;
}
