/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/advise-text.h"

#include <inttypes.h>

#include "cli/labelled.h"
#include "cli/prose.h"

static const char *colour_of(AdviceSeverity severity) {
        static const char *const colours[ADVICE_SEVERITIES] = {
                [ADVICE_CRITICAL] = "\033[1;31m",
                [ADVICE_WARNING] = "\033[1;33m",
                [ADVICE_NOTICE] = "\033[1;36m",
                [ADVICE_INFO] = "\033[1m",
        };
        return colours[severity];
}

static void add_head(const Context *context, const AdviceFinding *f, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf text = {}, lines = {};
        strbuf_addf(&text, "%s %s:", advice_severity_name(f->severity), f->rule->id);
        size_t n = text.length;
        strbuf_addf(&text, " %s", diag_row(f->rule->diag)->title);
        prose_add(&lines, strbuf_text(&text), 0, context->out.width);
        out->failed |= text.failed || lines.failed;
        if (lines.length < n)
                return;
        strbuf_add(out, context->out.colour ? colour_of(f->severity) : "");
        strbuf_add_bytes(out, strbuf_text(&lines), n);
        strbuf_add(out, context->out.colour ? "\033[0m" : "");
        strbuf_add(out, strbuf_text(&lines) + n);
}

/* Parts of the formula stand one below the other. */
static void add_formula(const AdviceFinding *f, size_t width, StrBuf *out) {
        const char *label = "Formula";
        for (const char *part = f->formula; *part;) {
                const char *end = strstr(part, "; ");
                size_t n = end ? (size_t) (end - part) : strlen(part);
                CLEANUP(strbuf_deinit) StrBuf text = {};
                strbuf_add_bytes(&text, part, n);
                labelled_add(out, label, strbuf_text(&text), width);
                out->failed |= text.failed;
                label = "";
                part += n + (end ? strlen("; ") : 0);
        }
}

static void add_remedies(const AdviceFinding *f, size_t width, StrBuf *out) {
        size_t n = 0;
        for (AdviceRemedyId id = advice_next_remedy(f, ADVICE_REMEDIES); id != ADVICE_REMEDIES;
             id = advice_next_remedy(f, id)) {
                const char *detail = f->remedy_detail[id];
                CLEANUP(strbuf_deinit) StrBuf text = {};
                strbuf_addf(&text, "%zu. %s%s%s%s", ++n, advice_remedy_get(id)->text,
                            detail ? " (" : "", detail ? detail : "", detail ? ")" : "");
                labelled_add(out, n == 1 ? "Remedies" : "", strbuf_text(&text), width);
                out->failed |= text.failed;
        }
}

static void add_finding(const Context *context, const AdviceFinding *f, StrBuf *out) {
        size_t width = context->out.width;
        strbuf_add_char(out, '\n');
        add_head(context, f, out);
        labelled_add(out, "Subject", f->subject, width);
        labelled_add(out, "Evidence", f->evidence, width);
        add_formula(f, width, out);
        add_remedies(f, width, out);
        labelled_add(out, "next", f->next, width);
        if (f->n_more > 0)
                strbuf_addf(out, "… and %" PRIu32 " more of this rule\n", f->n_more);
}

static void add_place(const Context *context, const Advice *advice, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_addf(&text, "Network namespace %" PRIu64 "%s, ", advice->netns,
                    advice->initial_netns ? " (of the host)" : "");
        if (advice->interval_us > 0)
                strbuf_addf(&text,
                            "two samples %.1f s apart: ", (double) advice->interval_us / 1e6);
        else
                strbuf_add(&text, "one sample: ");
        strbuf_addf(&text, "%s.", advice->summary);
        prose_add(out, strbuf_text(&text), 0, context->out.width);
        out->failed |= text.failed;
}

void advise_add_findings(const Context *context, const Advice *advice, StrBuf *out) {
        add_place(context, advice, out);
        for (size_t i = 0; i < advice->n_findings; i++)
                add_finding(context, &advice->findings[i], out);
}

/* --- what was not evaluated ----------------------------------------------------------------------------- */

static bool is_told(const Advice *advice, size_t at) {
        for (size_t i = 0; i < at; i++)
                if (streq(advice->skipped[i].why, advice->skipped[at].why))
                        return true;
        return false;
}

void advise_add_skipped(const Context *context, const Advice *advice, StrBuf *out) {
        if (advice->n_skipped > 0)
                strbuf_add(out, "\nNot evaluated, and so not known to be fine:\n");
        for (size_t at = 0; at < advice->n_skipped; at++) {
                if (is_told(advice, at))
                        continue;
                CLEANUP(strbuf_deinit) StrBuf text = {};
                for (size_t i = at; i < advice->n_skipped; i++)
                        if (streq(advice->skipped[i].why, advice->skipped[at].why))
                                strbuf_addf(&text, "%s%s", i > at ? ", " : "",
                                            advice->skipped[i].rule->id);
                strbuf_addf(&text, ": %s", advice->skipped[at].why);
                prose_add(out, strbuf_text(&text), 4, context->out.width);
                out->failed |= text.failed;
        }
}
