/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-text.h"

#include <inttypes.h>

#include "cli/prose.h"
#include "cli/sparkline.h"
#include "cli/table.h"

#define CURVE_WIDTH 40U
#define P50         500U
#define P99         990U

void lab_text_add_duration(uint64_t ns, StrBuf *out) {
        if (ns < 1000)
                strbuf_addf(out, "%" PRIu64 " ns", ns);
        else if (ns < 1000000)
                strbuf_addf(out, "%" PRIu64 " us", (ns + 500) / 1000);
        else if (ns < 1000000000)
                strbuf_addf(out, "%.1f ms", (double) ns / 1e6);
        else
                strbuf_addf(out, "%.2f s", (double) ns / 1e9);
}

static const char *duration(uint64_t ns, Arena *arena) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        lab_text_add_duration(ns, &text);
        return arena_copy(arena, strbuf_text(&text));
}

static uint64_t count_failures(const LabTally *tally) {
        uint64_t n = 0;
        for (size_t i = 0; i < LAB_ERRORS_MAX; i++)
                n += tally->failures[i].n;
        return n;
}

static uint64_t count_resets(const LabRunResult *run) {
        return run->client.value[LAB_OUT_RSTS] + run->server.value[LAB_OUT_RSTS];
}

/* --- what was changed ----------------------------------------------------------------------------------- */

static const char *const state_words[] = {
        [LAB_SETTING_WRITTEN] = "tried",
        [LAB_SETTING_HOST_WIDE] = "not tried: one value for the host",
        [LAB_SETTING_ABSENT] = "not tried: absent in the lab",
        [LAB_SETTING_REFUSED] = "not tried: not writable in the lab",
};

/* The kernel's tabs between numbers as blanks. */
static const char *in_one_cell(Arena *arena, const char *text) {
        char *copy = text ? arena_copy(arena, text) : NULL;
        for (char *at = copy; at && *at; at++)
                if (*at == '\t')
                        *at = ' ';
        return copy;
}

static int render_changes(const LabReport *report, Context *context) {
        if (report->n_changes == 0)
                return 0;
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "KEY", 0);
        table_add_column(table, "PRESENT", 0);
        table_add_column(table, "WANTED", 0);
        table_add_column(table, "LAB", TABLE_COLUMN_WRAP);
        for (size_t i = 0; i < report->n_changes; i++) {
                const LabChange *change = &report->changes[i];
                table_add_row(table, (const char *[]){ change->spec->key,
                                                       in_one_cell(context->arena, change->present),
                                                       in_one_cell(context->arena, change->wanted),
                                                       state_words[change->state] });
        }
        r = table_render(table, &context->text, &context->error);
        strbuf_add(&context->text, "\n");
        return r;
}

/* --- one scenario --------------------------------------------------------------------------------------- */

static const char *run_label(
                const LabReport *report, const LabStepReport *step, size_t set, Arena *arena) {
        if (*step->step->name == '\0')
                return report->sets[set];
        if (report->n_sets == 1)
                return step->step->name;
        return arena_format(arena, "%s, %s", step->step->name, report->sets[set]);
}

static void add_row(const char *label, const LabRunResult *run, Arena *arena, Table *table) {
        const LabTally *tally = &run->tally;
        double seconds = (double) (tally->ended_ns - tally->started_ns) / 1e9;
        double requests = seconds > 0 ? (double) tally->requests / seconds : 0;
        uint32_t peak = run->client_peak > run->server_peak ? run->client_peak : run->server_peak;
        table_add_row(table,
                      (const char *[]){
                                      label,
                                      arena_format(arena, "%.0f", lab_tally_rate(tally)),
                                      arena_format(arena, "%.0f", requests),
                                      arena_format(arena, "%" PRIu64, count_failures(tally)),
                                      arena_format(arena, "%" PRIu32, peak),
                                      arena_format(arena, "%" PRIu64, count_resets(run)),
                                      duration(lab_histogram_percentile(&tally->exchange, P50),
                                               arena),
                                      duration(lab_histogram_percentile(&tally->exchange, P99),
                                               arena),
                      });
}

static int render_table(
                const LabReport *report, const LabScenarioReport *scenario, Context *context) {
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "SETTINGS", 0);
        static const char *const numbers[] = { "CONN/S", "REQ/S", "FAILED", "TIME_WAIT",
                                               "RESETS", "P50",   "P99" };
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                table_add_column(table, numbers[i], TABLE_COLUMN_RIGHT);
        for (size_t i = 0; i < scenario->scenario->n_steps; i++)
                for (size_t set = 0; set < report->n_sets; set++) {
                        const LabStepReport *step = &scenario->steps[i];
                        add_row(run_label(report, step, set, context->arena), step->runs[set],
                                context->arena, table);
                }
        return table_render(table, &context->text, &context->error);
}

/* Whichever side has them. */
static void add_curve(const char *label, const LabRunResult *run, uint64_t top, StrBuf *out) {
        uint64_t values[CURVE_WIDTH] = {};
        uint32_t n = run->n_samples;
        size_t points = n < CURVE_WIDTH ? n : CURVE_WIDTH;
        for (uint32_t i = 0; i < n; i++) {
                const LabSample *sample = &run->samples[i];
                uint64_t *value = &values[(size_t) i * points / n];
                uint64_t now = sample->client_time_wait + (uint64_t) sample->server_time_wait;
                *value = now > *value ? now : *value;
        }
        strbuf_addf(out, "  %-24s ", label);
        sparkline_add(values, points, CURVE_WIDTH, top, out);
        strbuf_addf(out, " %.1f s\n", (double) (run->tally.ended_ns - run->tally.started_ns) / 1e9);
}

static void render_curves(
                const LabReport *report, const LabScenarioReport *scenario, Context *context) {
        uint64_t top = 0;
        for (size_t i = 0; i < scenario->scenario->n_steps; i++)
                for (size_t set = 0; set < report->n_sets; set++) {
                        const LabRunResult *run = scenario->steps[i].runs[set];
                        uint64_t both = (uint64_t) run->client_peak + run->server_peak;
                        top = both > top ? both : top;
                }
        strbuf_addf(&context->text, "TIME_WAIT, full height %" PRIu64 ":\n", top);
        for (size_t i = 0; i < scenario->scenario->n_steps; i++)
                for (size_t set = 0; set < report->n_sets; set++) {
                        const LabStepReport *step = &scenario->steps[i];
                        add_curve(run_label(report, step, set, context->arena), step->runs[set],
                                  top, &context->text);
                }
}

/* --- what stands out ------------------------------------------------------------------------------------ */

static void add_counters(const LabRunResult *run, StrBuf *out) {
        static const LabCounterId wanted[] = { LAB_TW_RECYCLED,      LAB_TW_OVERFLOW,
                                               LAB_PAWS_TIME_WAIT,   LAB_ACK_SKIPPED_TIME_WAIT,
                                               LAB_LISTEN_OVERFLOWS, LAB_SYN_COOKIES };
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                uint64_t n = run->client.value[wanted[i]] + run->server.value[wanted[i]];
                if (n > 0)
                        strbuf_addf(out, "; %s %" PRIu64, lab_counter_name(wanted[i]), n);
        }
}

static void add_failures(const LabTally *tally, StrBuf *out) {
        for (size_t i = 0; i < LAB_ERRORS_MAX && tally->failures[i].n > 0; i++)
                strbuf_addf(out, "; %s %" PRIu64, lab_error_name(tally->failures[i].error),
                            tally->failures[i].n);
}

/* "; …" for each thing. */
static void add_observations(const LabRunResult *run, StrBuf *out) {
        const LabTally *tally = &run->tally;
        double sustained = lab_tally_sustained_rate(tally);
        unsigned knee = lab_tally_knee(tally);
        if (tally->refused > 0)
                strbuf_addf(out, "; first refusal after %" PRIu64 " connections",
                            tally->opened_before_refusal);
        if (sustained >= 0)
                strbuf_addf(out, ", then %.0f per second", sustained);
        if (knee > 0)
                strbuf_addf(out, "; connect() costs 3 times as much from %u %% of the ports on",
                            (knee + 5) / 10);
        add_failures(tally, out);
        add_counters(run, out);
        if (tally->connect_call.n > 0) {
                strbuf_add(out, "; connect() ");
                lab_text_add_duration(lab_histogram_percentile(&tally->connect_call, P50), out);
                strbuf_add(out, ", 99 % ");
                lab_text_add_duration(lab_histogram_percentile(&tally->connect_call, P99), out);
        }
}

static void render_observations(
                const LabReport *report, const LabScenarioReport *scenario, Context *context) {
        for (size_t i = 0; i < scenario->scenario->n_steps; i++)
                for (size_t set = 0; set < report->n_sets; set++) {
                        const LabStepReport *step = &scenario->steps[i];
                        CLEANUP(strbuf_deinit) StrBuf text = {};
                        add_observations(step->runs[set], &text);
                        const char *rest = startswith(strbuf_text(&text), "; ");
                        if (!rest)
                                continue;
                        CLEANUP(strbuf_deinit) StrBuf line = {};
                        strbuf_addf(&line, "%s: %s", run_label(report, step, set, context->arena),
                                    rest);
                        prose_add(&context->text, strbuf_text(&line), 0, context->out.width);
                }
}

static int render_scenario(
                const LabReport *report, const LabScenarioReport *scenario, Context *context) {
        strbuf_addf(&context->text, "%s: %s\n", scenario->scenario->name,
                    scenario->scenario->title);
        int r = render_table(report, scenario, context);
        if (r < 0)
                return r;
        render_curves(report, scenario, context);
        render_observations(report, scenario, context);
        prose_add(&context->text, scenario->scenario->shows, 0, context->out.width);
        strbuf_add(&context->text, "\n");
        return 0;
}

int lab_text_render(const LabReport *report, Context *context) {
        strbuf_addf(&context->text, "Kernel %s, private network namespaces%s.\n\n", report->kernel,
                    report->user_namespace ? " in a user namespace" : "");
        int r = render_changes(report, context);
        for (size_t i = 0; r == 0 && i < report->n_scenarios; i++)
                r = render_scenario(report, &report->scenarios[i], context);
        return r;
}
