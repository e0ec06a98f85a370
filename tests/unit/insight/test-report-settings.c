/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-settings.h"

#include "report-test.h"

static const char *const others[] = { HOSTILE };

static void test_owners(void **state UNUSED) {
        static const struct {
                ReportSetting setting;
                const char *want;
        } rows[] = {
                { { .live = "60", .owner = REPORT_OWNER_NOBODY },
                  ">60</td><td><span class=\"quiet\">kernel&#39;s default<" },
                { { .live = "60", .owner = REPORT_OWNER_COMPUTED },
                  "computed by the kernel, or by hand" },
                { { .live = "60", .owner = REPORT_OWNER_READ_ONLY }, ">read-only<" },
                { { .live = "60", .owner = REPORT_OWNER_ELSE }, ">by hand, or by a program<" },
                { { .owner = REPORT_OWNER_UNKNOWN },
                  "<td class=\"n\">–</td><td><span class=\"quiet\">not known<" },
                { { .live = "", .owner = REPORT_OWNER_NOBODY },
                  "<span class=\"quiet\">empty</span>" },
                { { .live = "1",
                    .owner = REPORT_OWNER_PROFILE,
                    .profile = HOSTILE,
                    .wanted = "1",
                    .boot = "1",
                    .boot_by = HOSTILE },
                  "<span class=\"tag ours\">profile</span> " HOSTILE_SHOWN },
                { { .live = "1", .owner = REPORT_OWNER_DRIFT, .profile = "web", .wanted = HOSTILE },
                  "<span class=\"tag bad\">drift</span> profile web wants " HOSTILE_SHOWN },
                { { .live = HOSTILE, .owner = REPORT_OWNER_FILE, .set_by = HOSTILE },
                  "<td>" HOSTILE_SHOWN },
                { { .live = "1", .owner = REPORT_OWNER_NOBODY, .others = others, .n_others = 1 },
                  "<span class=\"tag warn\">also</span> " HOSTILE_SHOWN },
                { { .live = "1",
                    .owner = REPORT_OWNER_PROFILE,
                    .profile = "web",
                    .wanted = "1",
                    .boot = "2",
                    .boot_by = "/etc/x:1" },
                  "<span class=\"tag warn\">differs</span> 2<br><small>/etc/x:1</small>" },
                { { .live = "1",
                    .owner = REPORT_OWNER_PROFILE,
                    .profile = "web",
                    .wanted = "1",
                    .boot = "2",
                    .is_adopted = true },
                  ">2, then 1 by twprofile-boot.service" },
                { { .live = "1",
                    .owner = REPORT_OWNER_NOBODY,
                    .procps = HOSTILE,
                    .procps_by = HOSTILE },
                  "<span class=\"tag warn\">sysctl --system</span> " HOSTILE_SHOWN },
        };
        TEST_EACH(row, rows) {
                ReportSetting setting = row->setting;
                setting.key = HOSTILE;
                const Report report = { .settings = &setting, .n_settings = 1 };
                cleanup_free char *text = report_test_render(report_add_settings, &report);
                report_test_check_escaped(text);
                assert_non_null(strstr(text, row->want));
        }
}

static void test_without_owners(void **state UNUSED) {
        const ReportSetting settings[] = {
                { .key = HOSTILE, .live = HOSTILE, .owner = REPORT_OWNER_UNKNOWN },
                { .key = "key", .live = "1", .owner = REPORT_OWNER_PROFILE, .profile = HOSTILE },
                { .key = "other",
                  .live = "1",
                  .owner = REPORT_OWNER_DRIFT,
                  .profile = "web",
                  .wanted = "2" },
        };
        const Report report = { .settings = settings, .n_settings = 3, .owners_missing = HOSTILE };
        cleanup_free char *text = report_test_render(report_add_settings, &report);
        report_test_check_escaped(text);
        assert_non_null(strstr(
                        text, "<code>key</code></th><td class=\"n\">1</td><td>" HOSTILE_SHOWN));
        assert_non_null(strstr(text, "web wants 2"));
        assert_null(strstr(text, "At boot"));
}

TEST_MAIN(cmocka_unit_test(test_owners), cmocka_unit_test(test_without_owners))
