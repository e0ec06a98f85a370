/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-when.h"

#include "checker.h"

static void test_read_table(void **state UNUSED) {
        static const struct {
                const char *text;
                bool setting;
                const char *want, *written;
        } rows[] = {
                { "{kernel: \">=5.10\"}", false, "", "kernel >=5.10" },
                { "{kernel: \">=5.10\"}", true, "", "kernel >=5.10" },
                { "{kernel: \"< 6.1.20\"}", true, "", "kernel < 6.1.20" },
                { "present", true, "", "present" },
                { "\"present\"", true, "", "present" },
                { "present", false, "bad-condition", NULL },
                { "absent", true, "bad-condition", NULL },
                { "absent", false, "bad-condition", NULL },
                { "[present]", true, "bad-condition", NULL },
                { "{}", true, "bad-condition", NULL },
                { "{kernel: 5.10}", false, "bad-condition", NULL },
                { "{kernel: \"5.10\"}", false, "bad-condition", NULL },
                { "{kernel: \"~5.10\"}", false, "bad-condition", NULL },
                { "{kernel: \">=5\"}", false, "bad-condition", NULL },
                { "{kernel: \">=5.\"}", false, "bad-condition", NULL },
                { "{kernel: \">=5.10.\"}", false, "bad-condition", NULL },
                { "{kernel: \">=5.10.1.2\"}", false, "bad-condition", NULL },
                { "{kernel: \">=5.010\"}", false, "bad-condition", NULL },
                { "{kernel: \">=5.100000\"}", false, "bad-condition", NULL },
                { "{kernel: \">=x.1\"}", false, "bad-condition", NULL },
                { "{kernel: [a]}", false, "wrong-type", NULL },
                { "{distro: debian}", false, "unknown-field", NULL },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                When when = { 0 };
                when_read(&lone.check, lone.node, row->setting, &when);
                assert_string_equal(lone_finding(&lone), row->want);
                assert_true(streq_null(when.text, row->written));
                assert_int_equal(when.span.line, 1);
        }
}

static void test_kernel_holds_table(void **state UNUSED) {
        static const struct {
                const char *condition, *kernel;
                bool want;
        } rows[] = {
                { ">=5.10", "5.10.0", true },    { ">=5.10", "5.10.257", true },
                { ">=5.10", "5.9.99", false },   { ">=5.10", "6.1", true },
                { ">=5.10.3", "5.10.2", false }, { ">=5.10.3", "5.10.3", true },
                { "<5.10", "5.9.99", true },     { "<5.10", "5.10.1", false },
                { "<=5.10", "5.10.257", true },  { "<=5.10", "5.11", false },
                { ">5.10", "5.10.257", false },  { ">5.10", "5.11", true },
                { "=5.10", "5.10.257", true },   { "=5.10", "5.11", false },
                { "=5.10.3", "5.10.3", true },   { "=5.10.3", "5.10.4", false },
                { "=5.10.3", "5.10.0", false },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                char text[64];
                (void) snprintf(text, sizeof(text), "{kernel: \"%s\"}", row->condition);
                lone_init(&lone, text);
                When when = { 0 };
                when_read(&lone.check, lone.node, /* is_setting= */ false, &when);
                KernelVersion kernel;
                assert_int_equal(kernel_version_parse(row->kernel, &kernel), 0);
                assert_int_equal(when_kernel_holds(&when, &kernel), row->want);
        }
        KernelVersion kernel = { 1, 2, 3 };
        assert_true(when_kernel_holds(&(When){ 0 }, &kernel)); /* no condition */
}

TEST_MAIN(cmocka_unit_test(test_read_table), cmocka_unit_test(test_kernel_holds_table))
