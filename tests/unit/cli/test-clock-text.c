/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/clock-text.h"

#include <time.h>

#include "test.h"

static int use_utc(void **state) {
        (void) state;
        int r = setenv("TZ", "UTC", 1);
        tzset();
        return r;
}

static void test_clock_text_add_table(void **state) {
        (void) state;
        static const struct {
                int64_t us;
                const char *want;
        } rows[] = {
                { 0, "1970-01-01 00:00:00 +0000" },
                { INT64_C(1795219200123456), "2026-11-21 00:00:00 +0000" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                clock_text_add(row->us, &out);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

static void test_clock_text_add_utc_table(void **state) {
        (void) state;
        static const struct {
                const char *in, *want;
        } rows[] = {
                { "2026-11-20T12:34:56.000001Z", "2026-11-20 12:34:56 +0000" },
                { "2026-11-20T12:34:56Z", "2026-11-20 12:34:56 +0000" },
                { "yesterday", "yesterday" },
                { "2026-11-20T12:34:56+02", "2026-11-20T12:34:56+02" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                clock_text_add_utc(row->in, &out);
                assert_string_equal(strbuf_text(&out), row->want);
        }
        CLEANUP(strbuf_deinit) StrBuf out = {};
        clock_text_add_utc("\033[2J", &out);
        assert_null(strchr(strbuf_text(&out), '\033'));
}

static void test_clock_text_parse_table(void **state) {
        (void) state;
        static const int64_t now = 1795262400; /* 2026-11-21 12:00:00 */
        static const struct {
                const char *in;
                int64_t want; /* 0: refused */
        } rows[] = {
                { "2026-11-21", 1795219200 },
                { "2026-11-21 00:00", 1795219200 },
                { "2026-11-21T00:00:01", 1795219201 },
                { "2026-11-21 00:00:01Z", 1795219201 },
                { "today", 1795219200 },
                { "yesterday", 1795132800 },
                { "-2h", 1795255200 },
                { "-90s", 1795262310 },
                { "-2", 0 },
                { "2h", 0 },
                { "2026-11", 0 },
                { "2026-11-21 00:00 x", 0 },
                { "", 0 },
                { "-", 0 },
        };
        TEST_EACH(row, rows) {
                int64_t got = 0;
                assert_int_equal(clock_text_parse(row->in, now, &got), row->want ? 0 : -EINVAL);
                assert_int_equal(got, row->want);
        }
}

TEST_MAIN(cmocka_unit_test_setup(test_clock_text_parse_table, use_utc),
          cmocka_unit_test_setup(test_clock_text_add_table, use_utc),
          cmocka_unit_test_setup(test_clock_text_add_utc_table, use_utc))
