/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile.h"

#include "checker.h"

static void test_parse_everything(void **state UNUSED) {
        CLEANUP(checked_deinit)
        Checked checked = check_body(
                        "description: |\n  two\n  lines\n"
                        "include: [hygiene, base-2]\n"
                        "priority: 70\n"
                        "when: {kernel: \">=5.10\"}\n"
                        "sysctl:\n"
                        "  net.ipv4.tcp_tw_reuse: 1\n"
                        "  net.core.somaxconn: {at-least: 4096}\n"
                        "  net.ipv4.tcp_tw_reuse_delay:\n    value: 1000\n    when: present\n    reason: default\n"
                        "accept:\n"
                        "  - rule: time-wait-below-rfc\n    reason: tests\n");
        assert_string_equal(checked.names, "");
        const Profile *profile = checked.profile;
        assert_string_equal(profile->name, "test");
        assert_string_equal(profile->summary, "a test");
        assert_string_equal(profile->description, "two\nlines\n");
        assert_int_equal(profile->priority, 70);
        assert_int_equal(profile->when.kernel_operator, WHEN_KERNEL_GE);
        assert_int_equal(profile->n_includes, 2);
        assert_string_equal(profile->includes[1].name, "base-2");
        assert_int_equal(profile->includes[1].span.column, 20);
        assert_int_equal(profile->n_settings, 3);
        assert_string_equal(profile->settings[0].spec->key, "net.ipv4.tcp_tw_reuse");
        assert_int_equal(profile->settings[0].merge, SETTING_EXACT);
        assert_int_equal(profile->settings[0].value.ints[0], 1);
        assert_int_equal(profile->settings[1].merge, SETTING_AT_LEAST);
        assert_int_equal(profile->settings[1].value.ints[0], 4096);
        assert_true(profile->settings[2].when.present);
        assert_string_equal(profile->settings[2].reason, "default");
        assert_int_equal(profile->n_accepts, 1);
        assert_string_equal(profile->accepts[0].rule, "time-wait-below-rfc");
        assert_string_equal(profile->accepts[0].reason, "tests");
}

static void test_parse_defaults(void **state UNUSED) {
        CLEANUP(checked_deinit) Checked checked = check_body("sysctl: {}\n");
        assert_string_equal(checked.names, "");
        assert_string_equal(checked.profile->description, "");
        assert_int_equal(checked.profile->priority, PROFILE_DEFAULT_PRIORITY);
        assert_null(checked.profile->when.text);
        assert_int_equal(checked.profile->n_settings, 0);
        assert_int_equal(checked.profile->n_includes, 0);
        assert_int_equal(checked.profile->n_accepts, 0);
        assert_null(profile_free(NULL));
}

static void test_name_table(void **state UNUSED) {
        char longest[PROFILE_NAME_MAX + 1], longer[PROFILE_NAME_MAX + 2];
        memset(longest, 'a', sizeof(longest) - 1);
        memset(longer, 'a', sizeof(longer) - 1);
        longest[sizeof(longest) - 1] = longer[sizeof(longer) - 1] = '\0';
        const struct {
                const char *name;
                bool want;
        } rows[] = {
                { "a", true },    { "web-2", true }, { "9", true },     { longest, true },
                { "", false },    { "-a", false },   { "A", false },    { longer, false },
                { "a b", false }, { "a.b", false },  { "../a", false }, { "é", false },
        };
        TEST_EACH(row, rows)
                assert_int_equal(profile_name_is_valid(row->name), row->want);
}

static void test_fields_table(void **state UNUSED) {
        static const struct {
                const char *body; /* before `sysctl: {}` */
                const char *want;
        } rows[] = {
                { "priority: 0\n", "" },
                { "priority: 100\n", "" },
                { "priority: 101\n", "bad-priority" },
                { "priority: -1\n", "bad-priority" },
                { "priority: 99999999999999999999\n", "out-of-range" },
                { "priority: '5'\n", "wrong-type" },
                { "priority: high\n", "bad-number" },
                { "include: []\n", "" },
                { "include: a\n", "wrong-type" },
                { "include: {a: 1}\n", "wrong-type" },
                { "include: [A]\n", "bad-name" },
                { "include: [[a]]\n", "wrong-type" },
                { "include: [a, b, a]\n", "repeated-item" },
                { "include: [test]\n", "include-itself" },
                { "include: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]\n", "too-many-includes" },
                { "accept: []\n", "" },
                { "accept: [{rule: time-wait-below-rfc, reason: ' '}]\n", "missing-reason" },
                { "accept: [{rule: time-wait-below-rfc, reason: }]\n", "missing-reason" },
                { "accept: [{rule: time-wait-below-rfc, reason: [x]}]\n", "wrong-type" },
                { "accept: [{rule: time-wait-below-rfc}]\n", "missing-field" },
                { "accept: [{reason: x}]\n", "missing-field" },
                { "accept: [{rule: busy, reason: x}]\n", "bad-rule-name" },
                { "accept: [{rule: xyz, reason: x}]\n", "bad-rule-name" },
                { "accept: [{rule: TW451, reason: x}]\n", "bad-rule-name" },
                { "accept: [{rule: [x], reason: x}]\n", "wrong-type" },
                { "accept: [x]\n", "wrong-type" },
                { "accept: x\n", "wrong-type" },
                { "description: [x]\n", "wrong-type" },
                { "description:\n", "wrong-type" },
                { "when: present\n", "bad-condition" },
                { "author: me\n", "unknown-field" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf body = { 0 };
                strbuf_addf(&body, "%ssysctl: {}\n", row->body);
                CLEANUP(checked_deinit) Checked checked = check_body(strbuf_text(&body));
                assert_string_equal(checked.names, row->want);
                if (row->want[0] != '\0')
                        assert_non_null(checked_help(&checked));
        }
}

static void test_head_table(void **state UNUSED) {
        static const struct {
                const char *text, *want;
        } rows[] = {
                { "version: 2\nname: test\nsummary: x\nsysctl: {}\n", "bad-version" },
                { "version: '1'\nname: test\nsummary: x\nsysctl: {}\n", "wrong-type" },
                { "version: 1\nname: tset\nsummary: x\nsysctl: {}\n", "name-mismatch" },
                { "version: 1\nname: Test\nsummary: x\nsysctl: {}\n", "bad-name" },
                { "version: 1\nname: test\nsummary: ''\nsysctl: {}\n", "bad-summary" },
                { "version: 1\nname: test\nsummary: |\n  x\nsysctl: {}\n", "not-one-line" },
                { "{}\n", "missing-field missing-field missing-field missing-field" },
                { "word\n", "wrong-type" },
                { "a: &x 1\n", "yaml-anchor" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(checked_deinit) Checked checked = check_text(row->text, "test");
                assert_string_equal(checked.names, row->want);
        }
}

static void test_summary_counts_characters(void **state UNUSED) {
        for (size_t n = PROFILE_SUMMARY_MAX; n <= PROFILE_SUMMARY_MAX + 1; n++) {
                CLEANUP(strbuf_deinit) StrBuf text = { 0 };
                strbuf_add(&text, "version: 1\nname: test\nsummary: ");
                for (size_t i = 0; i < n; i++)
                        strbuf_add(&text, "é");
                strbuf_add(&text, "\nsysctl: {}\n");
                CLEANUP(checked_deinit) Checked checked = check_text(strbuf_text(&text), NULL);
                assert_string_equal(checked.names, n > PROFILE_SUMMARY_MAX ? "bad-summary" : "");
        }
}

static void test_all_findings_come_at_once_and_name_the_profile(void **state UNUSED) {
        CLEANUP(checked_deinit)
        Checked checked = check_body(
                        "priority: 500\nsysctl:\n  net.core.somaxconn: 1\n  net.x: 1\n");
        assert_string_equal(checked.names, "bad-priority out-of-range unknown-key");
        for (size_t i = 0; i < 3; i++) {
                assert_string_equal(diag_list_get(checked.diags, i)->profile, "test");
                assert_true(span_is_set(&diag_list_get(checked.diags, i)->span));
        }
        assert_string_equal(diag_list_get(checked.diags, 1)->key, "net.core.somaxconn");
}

static void test_earlier_findings_do_not_refuse(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *diags = diag_list_new();
        (void) diag_add(diags, DIAG_BUSY, (Span){ 0 }, "of somebody else");
        static const char text[] = "version: 1\nname: test\nsummary: x\nsysctl: {}\n";
        Error error = { 0 };
        CLEANUP(profile_freep) Profile *profile = NULL;
        Source *source = source_new("t", text, strlen(text));
        assert_int_equal(profile_parse(source, NULL, diags, &profile, &error), 0);
        assert_int_equal(diag_list_count(diags), 1);
        assert_null(diag_list_get(diags, 0)->profile);
}

TEST_MAIN(cmocka_unit_test(test_parse_everything), cmocka_unit_test(test_parse_defaults),
          cmocka_unit_test(test_name_table), cmocka_unit_test(test_fields_table),
          cmocka_unit_test(test_head_table), cmocka_unit_test(test_summary_counts_characters),
          cmocka_unit_test(test_all_findings_come_at_once_and_name_the_profile),
          cmocka_unit_test(test_earlier_findings_do_not_refuse))
