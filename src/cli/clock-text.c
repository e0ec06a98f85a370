/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/clock-text.h"

#include <time.h>

#include "cli/duration.h"
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

static int parse_day(int64_t now, int days, int64_t *ret) {
        time_t seconds = (time_t) now;
        struct tm tm;
        if (!localtime_r(&seconds, &tm))
                return -EINVAL;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday -= days;
        tm.tm_isdst = -1;
        *ret = mktime(&tm);
        return 0;
}

static int parse_date(const char *text, int64_t *ret) {
        static const char *const forms[] = {
                "%Y-%m-%d",          "%Y-%m-%d %H:%M",    "%Y-%m-%dT%H:%M",
                "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
        };
        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                struct tm tm = { .tm_isdst = -1 };
                const char *end = strptime(text, forms[i], &tm);
                if (!end || (*end != '\0' && !streq(end, "Z")))
                        continue;
                *ret = *end == 'Z' ? timegm(&tm) : mktime(&tm);
                return 0;
        }
        return -EINVAL;
}

int clock_text_parse(const char *text, int64_t now, int64_t *ret) {
        uint64_t ago;
        if (streq(text, "today") || streq(text, "yesterday"))
                return parse_day(now, text[0] == 'y' ? 1 : 0, ret);
        if (text[0] != '-')
                return parse_date(text, ret);
        if (duration_parse(text + 1, &ago) < 0 || ago > INT32_MAX)
                return -EINVAL;
        *ret = now - (int64_t) ago;
        return 0;
}
