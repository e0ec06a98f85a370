/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-advice.h"

#include <inttypes.h>

static const char *class_of(AdviceSeverity severity) {
        static const char *const classes[ADVICE_SEVERITIES] = {
                [ADVICE_CRITICAL] = "bad",
                [ADVICE_WARNING] = "warn",
                [ADVICE_NOTICE] = "warn",
                [ADVICE_INFO] = "plain",
        };
        return classes[severity];
}

static void add_head(Html *html, const AdviceFinding *f) {
        html_rawf(html, "<h3><span class=\"tag %s\">%s</span> ", class_of(f->severity),
                  advice_severity_name(f->severity));
        html_text(html, diag_row(f->rule->diag)->title);
        html_raw(html, " <small>");
        html_text(html, f->rule->id);
        html_raw(html, "</small></h3>\n<p class=\"subject\"><code>");
        html_text(html, f->subject);
        html_raw(html, "</code></p>\n");
}

/* Parts of the formula stand one below the other. */
static void add_formula(Html *html, const char *formula) {
        html_raw(html, "<pre>");
        for (const char *part = formula; *part != '\0';) {
                const char *end = strstr(part, "; ");
                size_t n = end ? (size_t) (end - part) : strlen(part);
                html_textf(html, "%.*s", (int) n, part);
                part += n + (end ? strlen("; ") : 0);
                if (*part != '\0')
                        html_raw(html, "\n");
        }
        html_raw(html, "</pre>\n");
}

static void add_remedies(Html *html, const AdviceFinding *f) {
        html_raw(html, "<h4>What helps, in this order</h4>\n<ol>\n");
        for (AdviceRemedyId id = advice_next_remedy(f, ADVICE_REMEDIES); id != ADVICE_REMEDIES;
             id = advice_next_remedy(f, id)) {
                html_raw(html, "<li>");
                html_text(html, advice_remedy_get(id)->text);
                if (f->remedy_detail[id]) {
                        html_raw(html, " <small>");
                        html_text(html, f->remedy_detail[id]);
                        html_raw(html, "</small>");
                }
                html_raw(html, "</li>\n");
        }
        html_raw(html, "</ol>\n");
}

static void add_finding(Html *html, const AdviceFinding *f) {
        html_rawf(html, "<article class=\"finding %s\">\n", class_of(f->severity));
        add_head(html, f);
        html_paragraph(html, NULL, f->evidence);
        add_formula(html, f->formula);
        add_remedies(html, f);
        html_raw(html, "<h4>Next</h4>\n<pre>");
        html_text(html, f->next);
        html_raw(html, "</pre>\n");
        if (f->n_more > 0)
                html_rawf(html, "<p class=\"note\">And %" PRIu32 " more of this rule.</p>\n",
                          f->n_more);
        html_raw(html, "</article>\n");
}

static void add_summary(Html *html, const Advice *advice) {
        html_rawf(html, "<p><span class=\"tag %s\">%s</span> ", advice->is_normal ? "good" : "warn",
                  advice->is_normal ? "normal" : "findings");
        html_text(html, advice->summary);
        html_raw(html, ".");
        if (advice->interval_us > 0) {
                html_raw(html, " Judged by two samples ");
                html_duration(html, (uint64_t) advice->interval_us);
                html_raw(html, " apart.");
        } else {
                html_raw(html, " Judged by one sample: nothing is known of rates.");
        }
        html_raw(html, "</p>\n");
        if (!advice->profile)
                return;
        html_raw(html, "<p>The shipped profile <strong>");
        html_text(html, advice->profile);
        html_raw(html, "</strong> helps; <code>twprofile plan ");
        html_text(html, advice->profile);
        html_raw(html, "</code> shows what it would change.</p>\n");
}

/* --- what was not evaluated ------------------------------------------------------------------------------ */

static bool is_told(const Advice *advice, size_t at) {
        for (size_t i = 0; i < at; i++)
                if (streq(advice->skipped[i].why, advice->skipped[at].why))
                        return true;
        return false;
}

static void add_skipped(Html *html, const Advice *advice) {
        if (advice->n_skipped == 0)
                return;
        html_raw(html,
                 "<details open>\n<summary>Not evaluated, and so not known to be fine</summary>\n<ul class=\"note\">\n");
        for (size_t at = 0; at < advice->n_skipped; at++) {
                if (is_told(advice, at))
                        continue;
                html_raw(html, "<li>");
                html_text(html, advice->skipped[at].why);
                html_raw(html, ": ");
                for (size_t i = at; i < advice->n_skipped; i++) {
                        if (!streq(advice->skipped[i].why, advice->skipped[at].why))
                                continue;
                        html_raw(html, i > at ? ", " : "");
                        html_text(html, advice->skipped[i].rule->id);
                }
                html_raw(html, "</li>\n");
        }
        html_raw(html, "</ul>\n</details>\n");
}

void report_add_advice(Html *html, const Report *report) {
        const Advice *advice = report->advice;
        if (!advice)
                return;
        html_section(html, "advice", "Advice");
        add_summary(html, advice);
        for (size_t i = 0; i < advice->n_findings; i++)
                add_finding(html, &advice->findings[i]);
        add_skipped(html, advice);
        html_section_end(html);
}
