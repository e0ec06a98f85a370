/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-field-text.h"

#include <ctype.h>
#include <math.h>

#include "cli/prose.h"
#include "cli/table.h"

/* --- words ---------------------------------------------------------------------------------------------- */

/* The letter of a file of ours, else its name: "b:3, d:2"; "b" for its text. */
static const char *places(const FieldCase *one, Arena *arena) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        for (size_t i = 0; i < one->n_places; i++) {
                const FieldPlace *place = &one->places[i];
                size_t n = place->file[0] != '\0' && place->file[1] == '-' ? 1
                                                                           : strlen(place->file);
                strbuf_addf(&text, "%s%.*s", i > 0 ? ", " : "", (int) n, place->file);
                if (place->line > 0)
                        strbuf_addf(&text, ":%u", place->line);
        }
        return arena_copy(arena, strbuf_text(&text));
}

static const char *setting(const FieldCase *one, Arena *arena) {
        if (!one->line)
                return one->claim->name;
        return arena_format(arena, "%s = %s", one->line->spec->key, one->line->text);
}

static const char *outcome_words(const FieldCase *one) {
        switch (one->outcome) {
        case FIELD_CONFIRMED:
                return "as this kernel did";
        case FIELD_CONTRADICTED:
                return "this kernel did otherwise";
        case FIELD_UNDECIDED:
                return "not decided here";
        case FIELD_ABSENT:
                return "this kernel has no such key";
        case FIELD_REFUSED:
                return "this kernel refused the value";
        case FIELD_OUTCOMES:
                break;
        }
        assert(false); /* the switch has all outcomes */
        return "";
}

/* "25087", "61.4 s", "-" for what there is not. */
static const char *number(double value, const char *unit, Arena *arena) {
        if (isnan(value))
                return NULL;
        const char *blank = *unit != '\0' ? " " : "";
        return *unit != '\0' && value < 1000 && !field_metric_is_whole(value)
                               ? arena_format(arena, "%.1f%s%s", value, blank, unit)
                               : arena_format(arena, "%.0f%s%s", value, blank, unit);
}

static const char *upper(const char *label, Arena *arena) {
        char *copy = arena_copy(arena, label);
        for (char *at = copy; at && *at; at++)
                *at = (char) toupper((unsigned char) *at);
        return copy;
}

/* --- one claim ------------------------------------------------------------------------------------------ */

static int render_numbers(const FieldCase *one, Context *context) {
        const FieldClaim *claim = one->claim;
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "MEASURED", 0);
        for (size_t i = 0; i < claim->n_trials; i++) {
                const char *label = upper(claim->trials[i].label, context->arena);
                if (!label)
                        return error_set(&context->error, -ENOMEM, "cannot show the numbers");
                table_add_column(table, label, TABLE_COLUMN_RIGHT);
        }
        for (size_t i = 0; i < claim->n_metrics; i++) {
                FieldMetricId id = claim->metrics[i];
                const char *cells[FIELD_TRIALS_MAX + 1] = { field_metric_title(id) };
                for (size_t k = 0; k < claim->n_trials; k++)
                        cells[k + 1] = number(
                                        field_measured_get(&one->measured, k, id),
                                        field_metric_unit(id), context->arena);
                table_add_row(table, cells);
        }
        return table_render(table, &context->text, &context->error);
}

static void add_line(Context *context, const char *head, const char *text) {
        CLEANUP(strbuf_deinit) StrBuf line = {};
        strbuf_addf(&line, "%s: %s", head, text);
        prose_add(&context->text, strbuf_text(&line), 0, context->out.width);
}

static int render_case(const FieldCase *one, Context *context) {
        Arena *arena = context->arena;
        const FieldClaim *claim = one->claim;
        const char *head = arena_format(arena, "%s  %s", places(one, arena), setting(one, arena));
        if (!head)
                return error_set(&context->error, -ENOMEM, "cannot show the claims");
        prose_add(&context->text, head, 0, context->out.width);
        add_line(context, "Said", claim->says);
        add_line(context, "Tried", claim->tried);
        int r = render_numbers(one, context);
        if (r < 0)
                return r;
        add_line(context, "Fact", claim->fact);
        CLEANUP(strbuf_deinit) StrBuf verdict = {};
        strbuf_addf(&verdict, "%s; %s.", claim->verdict, outcome_words(one));
        add_line(context, "Verdict", strbuf_text(&verdict));
        strbuf_add(&context->text, "\n");
        return 0;
}

/* --- all ------------------------------------------------------------------------------------------------ */

static int render_summary(const FieldReport *report, Context *context) {
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "WHERE", 0);
        table_add_column(table, "CLAIM", 0);
        table_add_column(table, "VERDICT", 0);
        table_add_column(table, "HERE", 0);
        for (size_t i = 0; i < report->n_cases; i++) {
                const FieldCase *one = &report->cases[i];
                table_add_row(table,
                              (const char *[]){ places(one, context->arena), one->claim->name,
                                                one->claim->verdict, outcome_words(one) });
        }
        return table_render(table, &context->text, &context->error);
}

int lab_field_text_render(const FieldReport *report, Context *context) {
        CLEANUP(strbuf_deinit) StrBuf head = {};
        strbuf_addf(&head,
                    "Kernel %s, private network namespaces%s. Each begins with this kernel's "
                    "defaults. %.0f s.",
                    report->kernel, report->user_namespace ? " in a user namespace" : "",
                    report->took_ms / 1e3);
        prose_add(&context->text, strbuf_text(&head), 0, context->out.width);
        for (size_t i = 0; i < report->n_files; i++)
                prose_add(&context->text, report->files[i], 0, context->out.width);
        strbuf_add(&context->text, "\n");
        int r = 0;
        for (size_t i = 0; r == 0 && i < report->n_cases; i++)
                r = render_case(&report->cases[i], context);
        return r < 0 || report->n_cases == 0 ? r : render_summary(report, context);
}
