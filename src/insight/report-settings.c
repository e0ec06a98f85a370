/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-settings.h"

static const char *const owner_words[] = {
        [REPORT_OWNER_NOBODY] = "kernel&#39;s default",
        [REPORT_OWNER_COMPUTED] = "computed by the kernel, or by hand",
        [REPORT_OWNER_READ_ONLY] = "read-only",
        [REPORT_OWNER_ELSE] = "by hand, or by a program",
        [REPORT_OWNER_UNKNOWN] = "not known",
};

static void add_owner(Html *html, const ReportSetting *setting) {
        switch (setting->owner) {
        case REPORT_OWNER_PROFILE:
                html_raw(html, "<span class=\"tag ours\">profile</span> ");
                html_text(html, setting->profile);
                break;
        case REPORT_OWNER_DRIFT:
                html_raw(html, "<span class=\"tag bad\">drift</span> profile ");
                html_text(html, setting->profile);
                html_raw(html, " wants ");
                html_text(html, setting->wanted);
                break;
        case REPORT_OWNER_FILE:
                html_text(html, setting->set_by);
                break;
        case REPORT_OWNER_NOBODY:
        case REPORT_OWNER_COMPUTED:
        case REPORT_OWNER_READ_ONLY:
        case REPORT_OWNER_ELSE:
        case REPORT_OWNER_UNKNOWN:
                html_rawf(html, "<span class=\"quiet\">%s</span>", owner_words[setting->owner]);
                break;
        }
        for (size_t i = 0; i < setting->n_others; i++) {
                html_raw(html, "<br><span class=\"tag warn\">also</span> ");
                html_text(html, setting->others[i]);
        }
}

/* An empty list of ports is a value, and no dash. */
static void add_value(Html *html, const char *value) {
        html_cell(html);
        if (value && *value == '\0')
                html_raw(html, "<span class=\"quiet\">empty</span>");
        else
                html_text(html, value);
}

static bool is_same(const char *one, const char *other) {
        return one && other ? streq(one, other) : one == other;
}

/* With an adopted key the boot unit has the last word. */
static void add_boot(Html *html, const ReportSetting *setting) {
        bool differs = setting->wanted && !is_same(setting->boot, setting->wanted);
        if (differs && !setting->is_adopted)
                html_raw(html, "<span class=\"tag warn\">differs</span> ");
        html_text(html, setting->boot);
        if (differs && setting->is_adopted) {
                html_raw(html, ", then ");
                html_text(html, setting->wanted);
                html_raw(html, " by twprofile-boot.service");
        }
        if (setting->boot_by && setting->boot_by != setting->set_by) {
                html_raw(html, "<br><small>");
                html_text(html, setting->boot_by);
                html_raw(html, "</small>");
        }
        if (is_same(setting->boot, setting->procps))
                return;
        html_raw(html, "<br><small><span class=\"tag warn\">sysctl --system</span> ");
        html_text(html, setting->procps);
        if (setting->procps_by) {
                html_raw(html, ", ");
                html_text(html, setting->procps_by);
        }
        html_raw(html, "</small>");
}

static void add_with_owners(Html *html, const Report *report) {
        static const HtmlColumn columns[] = {
                { "Setting", false, false },
                { "Live", true, false },
                { "Set by", false, false },
                { "At boot", true, true },
        };
        html_table(html, "Settings and who sets them", columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < report->n_settings; i++) {
                const ReportSetting *setting = &report->settings[i];
                html_row(html);
                html_cell(html);
                html_key(html, setting->key);
                add_value(html, setting->live);
                html_cell(html);
                add_owner(html, setting);
                html_cell(html);
                add_boot(html, setting);
        }
        html_table_end(html);
}

/* What the samples themselves tell: the values, and which of them were a profile's. */
static void add_without_owners(Html *html, const Report *report) {
        static const HtmlColumn columns[] = { { "Setting", false, false },
                                              { "Live", true, false },
                                              { "Profile", false, false } };
        html_table(html, "Settings", columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < report->n_settings; i++) {
                const ReportSetting *setting = &report->settings[i];
                html_row(html);
                html_cell(html);
                html_key(html, setting->key);
                add_value(html, setting->live);
                html_cell(html);
                html_text(html, setting->profile);
                if (setting->owner == REPORT_OWNER_DRIFT) {
                        html_raw(html, " wants ");
                        html_text(html, setting->wanted);
                }
        }
        html_table_end(html);
}

void report_add_settings(Html *html, const Report *report) {
        html_section(html, "settings", "Settings");
        if (report->owners_missing) {
                html_paragraph(html, NULL, report->owners_missing);
                add_without_owners(html, report);
        } else {
                html_paragraph(html, NULL,
                               "At boot is what systemd-sysctl leaves, and where it differs what sysctl --system leaves.");
                add_with_owners(html, report);
        }
        html_section_end(html);
}
