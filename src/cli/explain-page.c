/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-page.h"

#include "cli/labelled.h"
#include "cli/outcome.h"
#include "cli/prose.h"
#include "model/rules.h"

/* --- words ---------------------------------------------------------------------------------------------- */

static void add_version(StrBuf *out, const KernelVersion *version) {
        strbuf_addf(out, "%u.%u", version->major, version->minor);
        if (version->patch > 0)
                strbuf_addf(out, ".%u", version->patch);
}

static bool is_version(const KernelVersion *version) {
        return version->major != 0;
}

static const char *const unit_texts[] = {
        [SYSCTL_UNIT_NONE] = NULL,
        [SYSCTL_UNIT_MICROSECONDS] = "microseconds",
        [SYSCTL_UNIT_MILLISECONDS] = "milliseconds",
        [SYSCTL_UNIT_SECONDS] = "seconds",
        [SYSCTL_UNIT_BYTES] = "bytes",
        [SYSCTL_UNIT_PAGES] = "pages of memory",
        [SYSCTL_UNIT_COUNT] = "a count (packets, sockets, probes)",
};

static const char *const new_namespace_texts[] = {
        [SYSCTL_NEW_DEFAULT] = "begins with the kernel's default",
        [SYSCTL_NEW_COMPUTED] = "begins with a value computed for it",
        [SYSCTL_NEW_COPIED] = "begins with the value of the first namespace",
        [SYSCTL_NEW_ABSENT] = "has no such file",
        [SYSCTL_NEW_READ_ONLY] = "shows the host's value, read-only",
        [SYSCTL_NEW_SAME] = "has the host's file",
};

static const char *const rounding_texts[] = {
        [SYSCTL_ROUNDING_NONE] = NULL,
        [SYSCTL_ROUNDING_JIFFIES_MS] = "up to whole timer ticks, so that it may read back larger",
        [SYSCTL_ROUNDING_POINTER_PAGE] =
                        "up to whole pages of pointers, so that it may read back larger",
};

/* --- page ----------------------------------------------------------------------------------------------- */

typedef struct Page {
        StrBuf *out;
        size_t width;
        Arena *arena;
} Page;

/* What was put together is added as one fact. */
static void add_fact(const Page *page, const char *label, StrBuf *text) {
        labelled_add(page->out, label, strbuf_text(text), page->width);
        page->out->failed |= text->failed;
        strbuf_reset(text);
}

static void add_type(const Page *page, const SysctlSpec *spec, StrBuf *text) {
        strbuf_add(text, sysctl_type_name(spec->type));
        if (spec->n_values > 1)
                strbuf_addf(text, ", %zu numbers%s", spec->n_values,
                            spec->ascending ? " that must not fall" : "");
        add_fact(page, "Type", text);
        for (size_t i = 0; i < spec->n_choices; i++) {
                strbuf_addf(text, "%lld: %s", (long long) spec->choices[i].value,
                            spec->choices[i].meaning);
                add_fact(page, "", text);
        }
        labelled_add(page->out, "Unit", unit_texts[spec->unit], page->width);
        if (spec->zero_means) {
                strbuf_addf(text, "means %s", spec->zero_means);
                add_fact(page, "Zero", text);
        }
}

static void add_range(const Page *page, const SysctlSpec *spec, StrBuf *text) {
        if (!explain_key_has_range(spec))
                return;
        strbuf_addf(text, "%lld to %lld", (long long) spec->sane_min, (long long) spec->sane_max);
        if (spec->sane_min != spec->kernel_min || spec->sane_max != spec->kernel_max)
                strbuf_addf(text, "; the kernel takes %lld to %lld", (long long) spec->kernel_min,
                            (long long) spec->kernel_max);
        add_fact(page, "Range", text);
        labelled_add(page->out, "Rounded", rounding_texts[spec->rounding], page->width);
}

static void add_default(const Page *page, const SysctlSpec *spec, StrBuf *text) {
        if (spec->default_text)
                strbuf_add(text, *spec->default_text == '\0' ? "empty"
                                                             : outcome_value_for_people(
                                                                               spec->default_text,
                                                                               page->arena));
        if (spec->default_note)
                strbuf_addf(text, "%s%s", text->length > 0 ? "; " : "", spec->default_note);
        add_fact(page, "Default", text);
        for (size_t i = 0; i < spec->n_older; i++) {
                const SysctlOlder *older = &spec->older[i];
                strbuf_add(text, "before ");
                add_version(text, &older->before);
                strbuf_addf(text, ": %s %s",
                            streq(older->field, "kernel")          ? "the kernel took"
                            : streq(older->field, "new_namespace") ? "a new namespace was"
                                                                   : "the default was",
                            older->was);
                add_fact(page, i == 0 ? "Formerly" : "", text);
        }
}

static void add_versions(const Page *page, const SysctlSpec *spec, StrBuf *text) {
        if (spec->vendor) {
                strbuf_addf(text, "only those of %s; mainline has no such key", spec->vendor);
        } else if (is_version(&spec->since)) {
                strbuf_add(text, "since ");
                add_version(text, &spec->since);
        } else {
                strbuf_add(text, "all");
        }
        if (is_version(&spec->until)) {
                strbuf_add(text, ", removed in ");
                add_version(text, &spec->until);
        }
        for (size_t i = 0; i < spec->n_backported; i++) {
                strbuf_add(text, i == 0 ? "; also from the stable releases " : ", ");
                add_version(text, &spec->backported[i]);
        }
        if (spec->n_backported > 0)
                strbuf_add(text, " on");
        add_fact(page, "Kernels", text);
        labelled_add(page->out, "Module", spec->module, page->width);
}

static void add_scope(const Page *page, const SysctlSpec *spec, StrBuf *text) {
        strbuf_add(text, spec->scope == SYSCTL_SCOPE_NETNS ? "one value per network namespace"
                                                           : "one value for the whole host");
        if (is_version(&spec->scope_since)) {
                strbuf_add(text, " since ");
                add_version(text, &spec->scope_since);
        }
        strbuf_addf(text, "; a new namespace %s", new_namespace_texts[spec->new_namespace]);
        add_fact(page, "Scope", text);
}

/* Why a file is not there; what is not known is not claimed. */
static void add_absence(const ExplainKey *key, StrBuf *text) {
        const SysctlSpec *spec = key->spec;
        const KernelVersion *kernel = &key->host->kernel;
        strbuf_add(text, "not on this kernel (");
        add_version(text, kernel);
        strbuf_add_char(text, ')');
        if (is_version(&spec->until) && kernel_version_compare(kernel, &spec->until) >= 0)
                return;
        if (spec->scope == SYSCTL_SCOPE_HOST && !key->host->initial_netns)
                strbuf_add(text, ", or only in the host's own network namespace");
        else if (spec->module && !spec->vendor)
                strbuf_addf(text, "; it comes when the module %s is loaded", spec->module);
}

static void add_live(const Page *page, const ExplainKey *key, StrBuf *text) {
        const LiveKey *live = key->live;
        if (!live)
                strbuf_add(text, "not read below --root");
        else if (live->state == LIVE_ABSENT)
                add_absence(key, text);
        else if (live->state == LIVE_UNREADABLE)
                strbuf_addf(text, "cannot be read: %s", strerror(live->error));
        else if (!live->text || *live->text == '\0')
                strbuf_add(text, "empty");
        else
                strbuf_add(text, outcome_value_for_people(live->text, page->arena));
        add_fact(page, "Value here", text);
}

static void add_advice(const Page *page, const SysctlSpec *spec, StrBuf *text) {
        strbuf_addf(text, "%s. %s", explain_key_risk(spec), spec->risk_reason);
        add_fact(page, "Risk", text);
        for (size_t i = 0; i < spec->n_judgements; i++) {
                const SysctlJudgement *row = &spec->judgements[i];
                strbuf_addf(text, "%s: %s%s%s", row->when, row->level, row->reason ? "; " : "",
                            row->reason ? row->reason : "");
                add_fact(page, i == 0 ? "Judgement" : "", text);
        }
        labelled_add(page->out, "Refused", spec->not_settable_because, page->width);
        labelled_add(page->out, "Instead", spec->replacement, page->width);
        labelled_add(page->out, "Myth", spec->myth, page->width);
        labelled_add_list(
                        page->out, "See also", spec->interactions, spec->n_interactions,
                        page->width);
}

static void add_rules(const Page *page, const SysctlSpec *spec, StrBuf *text) {
        const char *label = "Rules";
        for (size_t i = 0; i < rules_count(); i++) {
                const Rule *rule = rules_get(i);
                if (!rule_concerns(rule, spec->key))
                        continue;
                const DiagRow *row = diag_row(rule->id);
                strbuf_addf(text, "%s %s (%s): %s", row->code, row->name,
                            diag_severity_name(row->severity), row->title);
                add_fact(page, label, text);
                label = "";
        }
}

static void add_uses(const Page *page, const ExplainKey *key, StrBuf *text) {
        for (size_t i = 0; i < key->n_uses; i++) {
                const ExplainUse *use = &key->uses[i];
                strbuf_addf(text, "%s%s: %s%s", use->profile, use->enabled ? " (enabled)" : "",
                            streq(use->merge, "exact")      ? ""
                            : streq(use->merge, "at-least") ? "at least "
                                                            : "at most ",
                            *use->value == '\0' ? "empty" : use->value);
                if (use->from)
                        strbuf_addf(text, ", from %s", use->from);
                add_fact(page, i == 0 ? "Profiles" : "", text);
        }
        if (key->n_uses == 0)
                labelled_add(page->out, "Profiles", "none that is installed sets it", page->width);
}

int explain_page_render(const ExplainKey *key, Arena *arena, size_t width, StrBuf *out) {
        const Page page = { .out = out, .width = width, .arena = arena };
        const SysctlSpec *spec = key->spec;
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_addf(out, "%s (%s)\n\n", spec->key, spec->group);
        prose_add(out, spec->does, 4, width);
        strbuf_add_char(out, '\n');
        add_live(&page, key, &text);
        add_default(&page, spec, &text);
        add_range(&page, spec, &text);
        add_type(&page, spec, &text);
        add_scope(&page, spec, &text);
        add_versions(&page, spec, &text);
        strbuf_add_char(out, '\n');
        add_advice(&page, spec, &text);
        strbuf_add_char(out, '\n');
        add_rules(&page, spec, &text);
        add_uses(&page, key, &text);
        labelled_add_list(out, "Sources", spec->sources, spec->n_sources, width);
        return out->failed ? -ENOMEM : 0;
}
