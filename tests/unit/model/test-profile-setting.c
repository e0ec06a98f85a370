/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-setting.h"

#include "checker.h"

static void test_setting_table(void **state UNUSED) {
        static const struct {
                const char *line, *want, *help;
        } rows[] = {
                { "net.core.somaxconn: 4096", "", NULL },
                { "net.core.somaxconn: {value: 4096}", "", NULL },
                { "net.core.somaxconn: {at-least: 4096, reason: why not}", "", NULL },
                { "net.core.somaxconn: {at-most: 4096, when: {kernel: '>=6.1'}}", "", NULL },
                { "net.core.somaxcon: 4096", "unknown-key", "did you mean 'net.core.somaxconn'?" },
                { "net/core/somaxconn: 4096", "unknown-key",
                  "write it with dots: 'net.core.somaxconn'" },
                { "vm.dirty_ratio: 4", "unknown-key",
                  "set it in a file of your own in /etc/sysctl.d, which profiles leave alone" },
                { "net.ipv4.tcp_tw_recycle: 1", "not-settable", NULL },
                { "net.core.somaxconn: {}", "value-form",
                  "add one of 'value', 'at-least' and 'at-most'" },
                { "net.core.somaxconn: {value: 4096, at-least: 1024, at-most: 5000}", "value-form",
                  "keep exactly one of 'value', 'at-least' and 'at-most'" },
                { "net.core.somaxconn: {value: 4096, reson: x}", "unknown-field",
                  "did you mean 'reason'?" },
                { "net.core.somaxconn: {value: 4096, reason: 5}", "wrong-type", NULL },
                { "net.core.somaxconn: {value: 4096, when: x}", "bad-condition", NULL },
                { "net.core.somaxconn: {value: {value: 4096}}", "wrong-type", NULL },
                { "net.ipv4.tcp_tw_reuse: {at-most: 1}", "bound-not-ordered", NULL },
        };
        TEST_EACH(row, rows) {
                CLEANUP(checked_deinit) Checked checked = check_setting(row->line);
                assert_string_equal(checked.names, row->want);
                if (row->want[0] != '\0')
                        assert_non_null(checked_help(&checked));
                if (row->help)
                        assert_string_equal(checked_help(&checked), row->help);
        }
}

static void test_removed_key_says_why_and_what_instead(void **state UNUSED) {
        CLEANUP(checked_deinit) Checked checked = check_setting("net.ipv4.tcp_tw_recycle: 1");
        const Diag *diag = diag_list_get(checked.diags, 0);
        assert_non_null(strstr(diag->notes[0], "removed in Linux 4.12"));
        assert_non_null(strstr(diag->help, "net.ipv4.tcp_tw_reuse"));
        assert_string_equal(diag->key, "net.ipv4.tcp_tw_recycle");
}

static void test_spans_of_key_and_value(void **state UNUSED) {
        CLEANUP(checked_deinit) Checked checked = check_setting(
                        "net.core.somaxconn: {at-least: 4096}");
        const ProfileSetting *setting = &checked.profile->settings[0];
        assert_int_equal(setting->key_span.line, 5);
        assert_int_equal(setting->key_span.column, 3);
        assert_int_equal(setting->value_span.column, 34);
        assert_int_equal(setting->value_span.end_column, 38);
        assert_null(setting->reason);
        assert_null(setting->when.text);
}

static void test_sysctl_is_a_mapping_of_at_most_512_keys(void **state UNUSED) {
        CLEANUP(checked_deinit) Checked word = check_body("sysctl: none\n");
        assert_string_equal(word.names, "wrong-type");

        CLEANUP(strbuf_deinit) StrBuf body = { 0 };
        strbuf_add(&body, "sysctl:\n");
        for (unsigned i = 0; i <= PROFILE_MAX_KEYS; i++)
                strbuf_addf(&body, "  net.k%u: 1\n", i);
        CLEANUP(checked_deinit) Checked many = check_body(strbuf_text(&body));
        assert_string_equal(many.names, "too-many-keys");
}

TEST_MAIN(cmocka_unit_test(test_setting_table),
          cmocka_unit_test(test_removed_key_says_why_and_what_instead),
          cmocka_unit_test(test_spans_of_key_and_value),
          cmocka_unit_test(test_sysctl_is_a_mapping_of_at_most_512_keys))
