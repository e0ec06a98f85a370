/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "insight/advice-bucket.h"
#include "insight/advice-close.h"
#include "insight/advice-conntrack.h"
#include "insight/advice-port.h"
#include "insight/advice-queue.h"
#include "insight/advice-range.h"
#include "insight/advice-scope.h"
#include "insight/advice-server.h"
#include "insight/advice-stamp.h"
#include "insight/sockets-format.h"

/* In the order in which findings of one severity are shown. */
static const AdviceRules *const tables[] = {
        &advice_port_rules,   &advice_range_rules,     &advice_server_rules,
        &advice_bucket_rules, &advice_close_rules,     &advice_queue_rules,
        &advice_stamp_rules,  &advice_conntrack_rules, &advice_scope_rules,
};

/* A finding on its way: in a list, with what is not for the reader. */
typedef struct Draft {
        AdviceFinding finding;
        size_t rule_at; /* of its rule, among all */
        bool is_subsumed;
        struct Draft *next;
} Draft;

struct AdviceWork {
        Arena *arena;
        bool failed; /* memory ran out: everything from here on is thrown away */
        size_t rule_at;
        Draft *drafts, *last;
        size_t n_drafts;
        Draft spare; /* what is written to when there is no memory */
        AdviceSkipped *skipped;
        size_t n_skipped;
};

const char *advice_severity_name(AdviceSeverity severity) {
        static const char *const names[ADVICE_SEVERITIES] = {
                [ADVICE_CRITICAL] = "critical",
                [ADVICE_WARNING] = "warning",
                [ADVICE_NOTICE] = "notice",
                [ADVICE_INFO] = "info",
        };
        assert((size_t) severity < ADVICE_SEVERITIES);
        return names[severity];
}

/* --- the rules ------------------------------------------------------------------------------------------ */

size_t advice_rule_count(void) {
        size_t n = 0;
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                n += tables[i]->n_rows;
        return n;
}

const AdviceRule *advice_rule_get(size_t i) {
        for (size_t t = 0; t < ELEMENTSOF(tables); t++) {
                if (i < tables[t]->n_rows)
                        return &tables[t]->rows[i];
                i -= tables[t]->n_rows;
        }
        assert(false);
        return NULL;
}

const AdviceRule *advice_rule_find(const char *id) {
        for (size_t i = 0; i < advice_rule_count(); i++)
                if (streq(advice_rule_get(i)->id, id))
                        return advice_rule_get(i);
        return NULL;
}

AdviceSeverity advice_rule_severity(const AdviceRule *rule) {
        switch (diag_row(rule->diag)->severity) {
        case DIAG_SEVERITY_CRITICAL:
                return ADVICE_CRITICAL;
        case DIAG_SEVERITY_WARNING:
                return ADVICE_WARNING;
        case DIAG_SEVERITY_NOTICE:
                return ADVICE_NOTICE;
        case DIAG_SEVERITY_INFO:
        case DIAG_SEVERITY_REFUSE: /* src/gen/registry.py keeps these off the rows of advice */
        case DIAG_SEVERITY_ACCEPTANCE:
        case DIAG_SEVERITY_PARTIAL:
        case DIAG_SEVERITY_NOTE:
                break;
        }
        return ADVICE_INFO;
}

/* --- texts ---------------------------------------------------------------------------------------------- */

/* "" instead of NULL: whoever builds a sentence need not look, advise() does at its end. */
static const char *text_or_fail(AdviceRun *run, const char *text) {
        run->work->failed |= !text;
        return text ? text : "";
}

PRINTF_LIKE(2, 0) static const char *format_text(AdviceRun *run, const char *format, va_list ap) {
        va_list again;
        va_copy(again, ap);
        int n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        char *text = n >= 0 ? arena_alloc(run->work->arena, (size_t) n + 1) : NULL;
        if (text)
                (void) vsnprintf(text, (size_t) n + 1, format, ap); /* as long as before */
        return text_or_fail(run, text);
}

const char *advice_text(AdviceRun *run, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        const char *text = format_text(run, format, ap);
        va_end(ap);
        return text;
}

const char *advice_count(AdviceRun *run, uint64_t n) {
        char digits[24], grouped[32];
        int length = snprintf(digits, sizeof(digits), "%" PRIu64, n);
        size_t at = 0;
        for (int i = 0; i < length; i++) {
                if (i > 0 && (length - i) % 3 == 0)
                        grouped[at++] = ',';
                grouped[at++] = digits[i];
        }
        grouped[at] = '\0';
        return text_or_fail(run, arena_copy(run->work->arena, grouped));
}

const char *advice_decimal(AdviceRun *run, uint64_t thousandths) {
        if (thousandths >= 1000000)
                return advice_count(run, thousandths / 1000 + (thousandths % 1000 >= 500));
        if (thousandths >= 1000 || thousandths == 0) {
                uint64_t tenths = (thousandths + 50) / 100;
                return tenths % 10 == 0 ? advice_count(run, tenths / 10)
                                        : advice_text(run, "%s.%" PRIu64,
                                                      advice_count(run, tenths / 10), tenths % 10);
        }
        return advice_text(run, "0.%03" PRIu64, thousandths);
}

const char *advice_tuple(AdviceRun *run, const SnapshotTuple *tuple) {
        char local[TCP_ADDRESS_TEXT_MAX], remote[TCP_ADDRESS_TEXT_MAX];
        tcp_address_to_text(&tuple->local, local);
        tcp_address_to_text(&tuple->remote, remote);
        return advice_text(
                        run, strchr(remote, ':') ? "%s -> [%s]:%u" : "%s -> %s:%u", local, remote,
                        tuple->remote_port);
}

/* --- findings ------------------------------------------------------------------------------------------- */

/* At the end of the list; NULL when out of memory. */
static Draft *add_draft(struct AdviceWork *work) {
        Draft *draft = arena_alloc(work->arena, sizeof(*draft));
        work->failed |= !draft;
        if (!draft)
                return NULL;
        if (work->last)
                work->last->next = draft;
        else
                work->drafts = draft;
        work->last = draft;
        work->n_drafts++;
        return draft;
}

AdviceFinding *advice_find(
                AdviceRun *run, AdviceSeverity severity, const SnapshotTuple *tuple,
                const char *subject) {
        struct AdviceWork *work = run->work;
        Draft *draft = add_draft(work);
        if (!draft)
                draft = &work->spare;
        *draft = (Draft){ .rule_at = work->rule_at };
        draft->finding.rule = run->rule;
        draft->finding.severity = severity;
        draft->finding.tuple = tuple;
        draft->finding.subject = tuple ? advice_tuple(run, tuple) : subject;
        return &draft->finding;
}

void advice_evidence(AdviceRun *run, AdviceFinding *f, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        const char *text = format_text(run, format, ap);
        va_end(ap);
        f->evidence = f->evidence ? advice_text(run, "%s %s", f->evidence, text) : text;
}

void advice_formula(AdviceRun *run, AdviceFinding *f, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        const char *text = format_text(run, format, ap);
        va_end(ap);
        f->formula = f->formula ? advice_text(run, "%s; %s", f->formula, text) : text;
}

void advice_number(AdviceFinding *f, const char *name, double value, const char *unit) {
        assert(f->n_numbers < ADVICE_MAX_NUMBERS);
        f->numbers[f->n_numbers++] = (AdviceNumber){ name, value, unit };
}

void advice_remedy(AdviceRun *run, AdviceFinding *f, AdviceRemedyId id, const char *format, ...) {
        assert((size_t) id < ADVICE_REMEDIES);
        assert(id != ADVICE_REMEDY_FIN_TIMEOUT || run->rule->is_about_fin_wait2);
        f->has_remedy[id] = true;
        if (!format)
                return;
        va_list ap;
        va_start(ap, format);
        f->remedy_detail[id] = format_text(run, format, ap);
        va_end(ap);
}

void advice_next(AdviceRun *run, AdviceFinding *f, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        f->next = format_text(run, format, ap);
        va_end(ap);
}

AdviceRemedyId advice_next_remedy(const AdviceFinding *finding, AdviceRemedyId after) {
        AdviceRemedyId id = after == ADVICE_REMEDIES ? 0 : after + 1;
        while (id < ADVICE_REMEDIES && !finding->has_remedy[id])
                id++;
        return id;
}

/* --- what is not evaluated ------------------------------------------------------------------------------ */

void advice_skip(AdviceRun *run, const char *format, ...) {
        struct AdviceWork *work = run->work;
        if (work->n_skipped > 0 && work->skipped[work->n_skipped - 1].rule == run->rule)
                return; /* the first reason is enough */
        va_list ap;
        va_start(ap, format);
        const char *why = format_text(run, format, ap);
        va_end(ap);
        work->skipped[work->n_skipped++] = (AdviceSkipped){ run->rule, why };
}

bool advice_rate(AdviceRun *run, SnapshotCounterId id, uint64_t *ret) {
        if (run->rates.interval_us > 0 && run->rates.known[id]) {
                *ret = run->rates.per_second[id];
                return true;
        }
        const char *name = snapshot_counter(id)->name;
        if (!run->now->known[id])
                advice_skip(run, "the kernel has no counter %s", name);
        else if (run->rates.interval_us <= 0)
                advice_skip(run, "there is one sample only, and the rate of %s takes two", name);
        else
                advice_skip(run, "%s fell between the samples", name);
        return false;
}

/* Whether the rule may be asked. */
static bool has_what_is_needed(AdviceRun *run) {
        unsigned needs = run->rule->needs;
        if ((needs & ADVICE_NEEDS_SOCKETS) && !run->now->has_sockets)
                advice_skip(run, "the sockets are not listed");
        else if ((needs & ADVICE_NEEDS_POOL) && !run->now->has_pool)
                advice_skip(run, "the port range is not known");
        else if ((needs & ADVICE_NEEDS_RATES) && run->rates.interval_us <= 0)
                advice_skip(run, "there is one sample only, and rates take two");
        else
                return true;
        return false;
}

/* --- subsumption and order ------------------------------------------------------------------------------ */

static bool rule_subsumes(const AdviceRule *rule, const AdviceRule *other) {
        for (size_t i = 0; i < ADVICE_RULE_SUBSUMES && rule->subsumes[i]; i++)
                if (streq(rule->subsumes[i], other->id))
                        return true;
        return false;
}

static bool draft_subsumes(const Draft *draft, const Draft *other) {
        const SnapshotTuple *a = draft->finding.tuple, *b = other->finding.tuple;
        return rule_subsumes(draft->finding.rule, other->finding.rule) && (!a || !b || a == b);
}

static void subsume(struct AdviceWork *work) {
        for (const Draft *draft = work->drafts; draft; draft = draft->next)
                for (Draft *other = work->drafts; other; other = other->next)
                        other->is_subsumed |= draft_subsumes(draft, other);
}

/* By severity, then by rule; of one rule in the order in which they were raised. */
static bool draft_precedes(const Draft *a, const Draft *b) {
        if (a->finding.severity != b->finding.severity)
                return a->finding.severity < b->finding.severity;
        return a->rule_at < b->rule_at;
}

/* Of each rule the first few are listed: those of the tuples with most sockets. The last of them says how many there are
 * beyond. Findings of one rule need not stand side by side: their severities may differ. */
static size_t cut_long_lists(AdviceFinding *findings, size_t n) {
        size_t n_kept = 0;
        for (size_t i = 0; i < n; i++) {
                size_t n_of_rule = 0;
                AdviceFinding *last = NULL;
                for (size_t k = 0; k < n_kept; k++)
                        if (findings[k].rule == findings[i].rule) {
                                n_of_rule++;
                                last = &findings[k];
                        }
                if (last && n_of_rule >= ADVICE_MAX_SUBJECTS)
                        last->n_more++;
                else
                        findings[n_kept++] = findings[i];
        }
        return n_kept;
}

static void assert_is_whole(const AdviceFinding *f) {
        assert(f->subject && f->evidence && f->formula && f->next && f->n_numbers > 0);
        assert(advice_next_remedy(f, ADVICE_REMEDIES) != ADVICE_REMEDIES);
}

static int sort_findings(struct AdviceWork *work, Advice *ret) {
        const Draft **sorted = arena_alloc_array(
                        work->arena, work->n_drafts + 1, sizeof(const Draft *));
        AdviceFinding *findings = arena_alloc_array(
                        work->arena, work->n_drafts + 1, sizeof(*findings));
        if (!sorted || !findings)
                return -ENOMEM;
        size_t n = 0;
        for (const Draft *draft = work->drafts; draft; draft = draft->next) {
                assert_is_whole(&draft->finding);
                if (draft->is_subsumed)
                        continue;
                size_t at = n++;
                for (; at > 0 && draft_precedes(draft, sorted[at - 1]); at--)
                        sorted[at] = sorted[at - 1];
                sorted[at] = draft;
        }
        for (size_t i = 0; i < n; i++)
                findings[i] = sorted[i]->finding;
        ret->findings = findings;
        ret->n_findings = cut_long_lists(findings, n);
        return 0;
}

size_t advice_count_severity(const Advice *advice, AdviceSeverity severity) {
        size_t n = 0;
        for (size_t i = 0; i < advice->n_findings; i++)
                n += advice->findings[i].severity == severity;
        return n;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

/* How full the fullest tuple is, and how full the buckets are: why TIME_WAITs do no harm here. */
static const char *normal_text(AdviceRun *run) {
        const Snapshot *now = run->now;
        const SnapshotSockets *sockets = &now->sockets;
        const char *time_waits = advice_count(
                        run, snapshot_state_total(sockets, TCP_STATE_TIME_WAIT));
        const char *use = "no port of the range is in use by an outgoing connection";
        if (sockets->n_tuples > 0) {
                const SnapshotTuple *top = &sockets->tuples[0];
                use = advice_text(
                                run, "the busiest destination uses %s of %s ports, %s%% (%s)",
                                advice_count(run, snapshot_use_total(&top->use)),
                                advice_count(run, now->pool.size),
                                advice_decimal(run,
                                               (uint64_t) snapshot_use_level(now, &top->use) * 100),
                                advice_tuple(run, top));
        }
        int64_t limit = snapshot_number(now, "net.ipv4.tcp_max_tw_buckets", 0);
        const char *buckets = limit > 0 ? advice_text(run, ", and %s of %s buckets are taken",
                                                      advice_count(run, sockets->n_buckets),
                                                      advice_count(run, (uint64_t) limit))
                                        : "";
        return advice_text(run, "%s TIME_WAIT: that is normal; %s%s", time_waits, use, buckets);
}

static const char *summary_text(AdviceRun *run, const Advice *advice) {
        size_t n = 0;
        for (AdviceSeverity s = ADVICE_CRITICAL; s < ADVICE_INFO; s++)
                n += advice_count_severity(advice, s);
        if (n == 0 && advice->is_normal)
                return normal_text(run);
        if (n == 0)
                return advice_text(
                                run,
                                "nothing is found, but too little is known to call it normal: "
                                "%zu rule%s not evaluated",
                                advice->n_skipped, plural(advice->n_skipped));
        CLEANUP(strbuf_deinit) StrBuf text = {};
        for (AdviceSeverity s = ADVICE_CRITICAL; s < ADVICE_INFO; s++) {
                size_t of = advice_count_severity(advice, s);
                if (of > 0)
                        strbuf_addf(&text, "%s%zu %s%s", text.length > 0 ? ", " : "", of,
                                    advice_severity_name(s),
                                    of > 1 && s != ADVICE_CRITICAL ? "s" : "");
        }
        run->work->failed |= text.failed;
        return advice_text(run, "%s", strbuf_text(&text));
}

static void sum_up(AdviceRun *run, Advice *ret) {
        ret->netns = run->now->netns;
        ret->initial_netns = run->now->settings.initial_netns;
        ret->interval_us = run->rates.interval_us;
        ret->skipped = run->work->skipped;
        ret->n_skipped = run->work->n_skipped;
        for (size_t i = 0; i < ret->n_findings && !ret->profile; i++)
                ret->profile = ret->findings[i].profile;
        bool is_found = ret->n_findings > 0 && ret->findings[0].severity < ADVICE_INFO;
        ret->is_normal = !is_found && run->now->has_sockets && run->now->has_pool;
        ret->summary = summary_text(run, ret);
}

int advise(const AdviceInput *input, Arena *arena, Advice *ret) {
        struct AdviceWork work = { .arena = arena };
        work.skipped = arena_alloc_array(arena, advice_rule_count() + 1, sizeof(*work.skipped));
        if (!work.skipped)
                return -ENOMEM;
        AdviceRun run = { .input = input, .now = input->now, .work = &work };
        if (input->before && !rates_between(input->before, input->now, &run.rates))
                run.rates = (SnapshotRates){}; /* not of one namespace, or out of order: one sample */
        for (work.rule_at = 0; work.rule_at < advice_rule_count(); work.rule_at++) {
                run.rule = advice_rule_get(work.rule_at);
                if (has_what_is_needed(&run))
                        run.rule->judge(&run);
        }
        if (work.failed)
                return -ENOMEM;
        subsume(&work);
        Advice advice = {};
        int r = sort_findings(&work, &advice);
        if (r < 0)
                return r;
        sum_up(&run, &advice);
        if (work.failed)
                return -ENOMEM;
        *ret = advice;
        return 0;
}
