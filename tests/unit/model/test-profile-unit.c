/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-unit.h"

#include "checker.h"

static void test_is_written_table(void **state UNUSED) {
        static const struct {
                const char *text;
                bool want;
        } rows[] = {
                { "20min", true },  { "-5s", true },   { "5 s", true },  { "4KiB", true },
                { "0b", true },     { "20", false },   { "", false },    { "s", false },
                { "-s", false },    { "1.5h", false }, { "1e3", false }, { "0x1f", false },
                { "5 s s", false }, { "1s2", false },
        };
        TEST_EACH(row, rows)
                assert_int_equal(unit_is_written(row->text), row->want);
}

static void test_read_table(void **state UNUSED) {
        static const struct {
                SysctlUnit unit;
                const char *text;
                const char *want; /* the finding */
                int64_t number;
                const char *help;
        } rows[] = {
                { SYSCTL_UNIT_SECONDS, "60s", "", 60, NULL },
                { SYSCTL_UNIT_SECONDS, "20min", "", 1200, NULL },
                { SYSCTL_UNIT_SECONDS, "2h", "", 7200, NULL },
                { SYSCTL_UNIT_SECONDS, "1d", "", 86400, NULL },
                { SYSCTL_UNIT_SECONDS, "2000ms", "", 2, NULL },
                { SYSCTL_UNIT_SECONDS, "1500ms", "bad-unit", 0, "choose 1s or 2s" },
                { SYSCTL_UNIT_MILLISECONDS, "500ms", "", 500, NULL },
                { SYSCTL_UNIT_MILLISECONDS, "2s", "", 2000, NULL },
                { SYSCTL_UNIT_BYTES, "64KiB", "", 65536, NULL },
                { SYSCTL_UNIT_BYTES, "1GiB", "", 1 << 30, NULL },
                { SYSCTL_UNIT_BYTES, "7B", "", 7, NULL },
                { SYSCTL_UNIT_BYTES, "-1MiB", "", -(1 << 20), NULL },
                { SYSCTL_UNIT_BYTES, "5s", "bad-unit", 0, "write the number of bytes alone" },
                { SYSCTL_UNIT_PAGES, "5MiB", "bad-unit", 0,
                  "write the number of pages of memory alone" },
                { SYSCTL_UNIT_COUNT, "5MiB", "bad-unit", 0, "write the number alone" },
                { SYSCTL_UNIT_NONE, "5s", "bad-unit", 0, "write the number alone" },
                { SYSCTL_UNIT_MILLISECONDS, "5KiB", "bad-unit", 0,
                  "write the number of milliseconds alone" },
                { SYSCTL_UNIT_SECONDS, "5m", "bad-unit", 0, "did you mean 5min?" },
                { SYSCTL_UNIT_SECONDS, "5parsecs", "bad-unit", 0,
                  "use us, ms, s, min, h or d, or the bare number of seconds" },
                { SYSCTL_UNIT_BYTES, "5MB", "bad-unit", 0, "did you mean 5MiB?" },
                { SYSCTL_UNIT_BYTES, "5m", "bad-unit", 0,
                  "use B, KiB, MiB or GiB, or the bare number of bytes" },
                { SYSCTL_UNIT_COUNT, "5k", "bad-unit", 0, "write the number alone" },
                { SYSCTL_UNIT_SECONDS, "5 s", "bad-unit", 0, "write 5s" },
                { SYSCTL_UNIT_SECONDS, "05s", "bad-number", 0, NULL },
                { SYSCTL_UNIT_SECONDS, "99999999999999999999s", "out-of-range", 0,
                  "choose a smaller value" },
                { SYSCTL_UNIT_BYTES, "9223372036854775807GiB", "out-of-range", 0,
                  "choose a smaller value" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                SysctlSpec spec = { .key = "net.test", .unit = row->unit, .sane_max = 100 };
                int64_t number = 0;
                bool good = unit_read(&lone.check, &spec, lone.node, &number);
                assert_int_equal(good, row->want[0] == '\0');
                assert_string_equal(lone_finding(&lone), row->want);
                assert_int_equal(number, row->number);
                if (row->help)
                        assert_string_equal(diag_list_get(lone.diags, 0)->help, row->help);
        }
}

TEST_MAIN(cmocka_unit_test(test_is_written_table), cmocka_unit_test(test_read_table))
