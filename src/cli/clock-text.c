/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/clock-text.h"

#include <time.h>

#include "diag/text.h"

static void add_time(time_t seconds, StrBuf *out) {
        struct tm tm;
        char text[64];
        if (!localtime_r(&seconds, &tm) ||
            strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm) == 0) {
                strbuf_add(out, "?");
                return;
        }
        strbuf_add(out, text);
}

void clock_text_add(int64_t us, StrBuf *out) {
        add_time((time_t) (us / 1000000), out);
}

void clock_text_add_utc(const char *text, StrBuf *out) {
        struct tm tm = {};
        const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        if (!end || (*end != '.' && *end != 'Z')) {
                diag_text_add_escaped(out, text, strlen(text));
                return;
        }
        add_time(timegm(&tm), out);
}
