/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/duration.h"

#include "test.h"

static void test_parse_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                int64_t want; /* -1: refused */
        } rows[] = {
                { "5s", 5 },
                { "90s", 90 },
                { "2min", 120 },
                { "1h", 3600 },
                { "1h30min", 5400 },
                { "1min5s", 65 },
                { "24h", 86400 },
                { "0s", 0 },
                { "999999999s", 999999999 },
                { "", -1 },
                { "5", -1 },
                { "s", -1 },
                { "5 s", -1 },
                { "-5s", -1 },
                { "+5s", -1 },
                { "5sec", -1 },
                { "1d", -1 },
                { "5s1min", -1 },
                { "1s1s", -1 },
                { "1.5h", -1 },
                { "5s ", -1 },
                { "0x5s", -1 },
                { "05s", -1 },
                { "1000000000s", -1 },
                { "99999999999999999999999s", -1 },
        };
        TEST_EACH(row, rows) {
                uint64_t seconds = 0;
                int r = duration_parse(row->text, &seconds);
                assert_int_equal(r, row->want < 0 ? -EINVAL : 0);
                if (row->want >= 0)
                        assert_int_equal(seconds, row->want);
        }
}

static void test_add_table(void **state) {
        (void) state;
        static const struct {
                uint64_t seconds;
                const char *want;
        } rows[] = {
                { 0, "0 s" },    { 1, "1 s" },    { 60, "1 min" },       { 90, "1 min 30 s" },
                { 3600, "1 h" }, { 3659, "1 h" }, { 3900, "1 h 5 min" }, { 86400, "24 h" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                duration_add(row->seconds, &out);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

TEST_MAIN(cmocka_unit_test(test_parse_table), cmocka_unit_test(test_add_table))
