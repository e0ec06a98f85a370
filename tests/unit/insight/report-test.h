/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A report of little, with a text of an enemy wherever somebody else chooses one. */

#include "insight/report-html.h"
#include "insight/report.h"

#include "test.h"

/* A tag, an end of an attribute, a turn of the direction of writing, a control character, a byte that is no UTF-8. */
#define HOSTILE "</td><script>alert(1)</script>\" onload='x' &amp; \xE2\x80\xAE \x1B[2J \xFF"
#define HOSTILE_SHOWN \
        "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39; &amp;amp; "

/* What was rendered, as a text that the caller frees. (Inlined, gcc 12 takes it for the buffer's.) */
static UNUSED __attribute__((noinline)) char *report_test_finish(StrBuf *out) {
        char *text = NULL;
        assert_int_equal(strbuf_finish(out, &text), 0);
        assert_non_null(text);
        return text;
}

/* One section. */
static inline char *report_test_render(
                void (*add)(Html *html, const Report *report), const Report *report) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out, .utc_offset_s = report->utc_offset_s };
        add(&html, report);
        return report_test_finish(&out);
}

/* What an enemy wrote is text, and nothing of it is left that a browser or a terminal would act on. */
static inline void report_test_check_escaped(const char *text) {
        assert_non_null(strstr(text, HOSTILE_SHOWN));
        assert_null(strstr(text, "<script"));
        assert_null(strstr(text, "\" onload"));
        assert_null(strstr(text, "\xE2\x80\xAE"));
        assert_null(strchr(text, '\x1B'));
        assert_null(strchr(text, '\xFF'));
}

static inline size_t report_test_count(const char *text, const char *what) {
        size_t n = 0;
        for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
                n++;
        return n;
}
