/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/outcome.h"

#include <inttypes.h>

#include "cli/command.h"
#include "cli/prose.h"
#include "cli/table.h"
#include "cli/window.h"
#include "diag/text.h"

#define FRAGMENT_PATH "/etc/sysctl.d/60-twprofile.conf"

/* --- from the helper ------------------------------------------------------------------------------------ */

static int text_of(json_t *object, const char *name, Arena *arena, const char **ret) {
        json_t *value = json_object_get(object, name);
        *ret = NULL;
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value))
                return -EBADMSG;
        *ret = arena_copy(arena, json_string_value(value));
        return *ret ? 0 : -ENOMEM;
}

static int change_decode(json_t *object, Arena *arena, Change *ret) {
        const struct {
                const char *name;
                const char **field;
        } rows[] = {
                { "key", &ret->key },         { "profile", &ret->profile },
                { "origin", &ret->origin },   { "before", &ret->before },
                { "wanted", &ret->wanted },   { "after", &ret->after },
                { "outcome", &ret->outcome }, { "note", &ret->note },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int r = text_of(object, rows[i].name, arena, rows[i].field);
                if (r < 0)
                        return r;
        }
        return json_is_object(object) && ret->key && ret->outcome ? 0 : -EBADMSG;
}

static int changes_decode(json_t *array, Arena *arena, Outcome *ret) {
        if (!json_is_array(array))
                return -EBADMSG;
        size_t n = json_array_size(array);
        Change *changes = arena_alloc_array(arena, n > 0 ? n : 1, sizeof(Change));
        if (!changes)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = change_decode(json_array_get(array, i), arena, &changes[i]);
                if (r < 0)
                        return r;
        }
        ret->changes = changes;
        ret->n_changes = n;
        return 0;
}

static int result_decode(json_t *result, Arena *arena, DiagList *findings, Outcome *ret) {
        json_int_t before = 0, after = 0;
        int exit_code = 0, changed = 0;
        json_t *changes = NULL, *found = NULL, *deadline = NULL;
        if (json_unpack(result, "{s:I, s:I, s:b, s:i, s:o, s?:o, s?:o}", "generation_before",
                        &before, "generation", &after, "changed", &changed, "exit_code", &exit_code,
                        "changes", &changes, "findings", &found, "deadline_ms", &deadline) < 0)
                return -EBADMSG;
        bool is_good = before >= 0 && after >= 0 && exit_code_find(exit_code) &&
                       (!deadline || json_is_null(deadline) || json_integer_value(deadline) > 0);
        if (!is_good)
                return -EBADMSG;
        *ret = (Outcome){
                .generation_before = (uint64_t) before,
                .generation = (uint64_t) after,
                .changed = changed != 0,
                .exit_code = exit_code,
                .deadline_ms = json_integer_value(deadline),
        };
        int r = text_of(result, "transaction", arena, &ret->transaction);
        if (r == 0)
                r = text_of(result, "token", arena, &ret->token);
        if (r == 0)
                r = text_of(result, "outcome", arena, &ret->outcome);
        if (r == 0)
                r = text_of(result, "fragment", arena, &ret->fragment);
        if (r == 0)
                r = changes_decode(changes, arena, ret);
        if (r == 0 && found && !json_is_null(found))
                r = diag_json_decode(found, findings);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        return ret->outcome ? 0 : -EBADMSG;
}

int outcome_decode(json_t *result, Arena *arena, DiagList *findings, Outcome *ret, Error *reterr) {
        int r = result_decode(result, arena, findings, ret);
        if (r == -EBADMSG)
                return error_set(
                                reterr, r,
                                "the helper's result has a shape that this program does not know");
        if (r < 0)
                return error_set(reterr, r, "cannot read the helper's result");
        return 0;
}

/* --- from a plan ---------------------------------------------------------------------------------------- */

static const char *const step_outcomes[] = {
        [PLAN_SET] = "planned",       [PLAN_KEEP] = "kept",  [PLAN_RESTORE] = "planned",
        [PLAN_RESTORED] = "restored", [PLAN_LEAVE] = "left", [PLAN_PENDING] = "pending",
        [PLAN_GONE] = "gone",
};

static int change_from_step(const PlanStep *step, Arena *arena, Change *ret) {
        *ret = (Change){
                .key = step->spec->key,
                .profile = step->profile,
                .outcome = step_outcomes[step->action],
        };
        const struct {
                bool known;
                const SysctlValue *value;
                const char **field;
        } rows[] = {
                { step->origin_known, &step->origin, &ret->origin },
                { step->has_live, &step->live, &ret->before },
                { true, &step->target, &ret->wanted },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!rows[i].known)
                        continue;
                *rows[i].field = sysctl_value_to_kernel(step->spec, rows[i].value, arena);
                if (!*rows[i].field)
                        return -ENOMEM;
        }
        ret->after = ret->before; /* nothing was done */
        return 0;
}

int outcome_from_plan(const Plan *plan, Arena *arena, Outcome *ret) {
        Change *changes = arena_alloc_array(
                        arena, plan->n_steps > 0 ? plan->n_steps : 1, sizeof(Change));
        if (!changes)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_steps; i++) {
                int r = change_from_step(&plan->steps[i], arena, &changes[i]);
                if (r < 0)
                        return r;
        }
        *ret = (Outcome){
                .transaction = "",
                .generation_before = plan->from,
                .generation = plan->is_noop ? plan->from : plan->next->number,
                .changed = false,
                .outcome = plan->is_noop ? "unchanged" : "planned",
                .fragment = plan->fragment,
                .changes = changes,
                .n_changes = plan->n_steps,
        };
        return 0;
}

/* --- as JSON -------------------------------------------------------------------------------------------- */

static json_t *change_to_json(const Change *change) {
        return json_pack(
                        "{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s?}", "key", change->key,
                        "profile", change->profile, "origin", change->origin, "before",
                        change->before, "wanted", change->wanted, "after", change->after, "outcome",
                        change->outcome, "note", change->note);
}

json_t *outcome_to_json(const Outcome *outcome) {
        json_t *changes = json_array();
        for (size_t i = 0; i < outcome->n_changes; i++)
                if (json_array_append_new(changes, change_to_json(&outcome->changes[i])) < 0) {
                        json_decref(changes);
                        return NULL;
                }
        bool has_transaction = outcome->transaction && *outcome->transaction;
        return json_pack(
                        "{s:s?, s:I, s:I, s:s, s:s?, s:o, s:s?, s:o}", "transaction",
                        has_transaction ? outcome->transaction : NULL, "generation_before",
                        (json_int_t) outcome->generation_before, "generation",
                        (json_int_t) outcome->generation, "outcome", outcome->outcome, "token",
                        outcome->token, "deadline_ms",
                        outcome->deadline_ms > 0 ? json_integer(outcome->deadline_ms) : json_null(),
                        "fragment", outcome->fragment, "changes", changes);
}

/* --- as text -------------------------------------------------------------------------------------------- */

bool outcome_is_noop(const Outcome *outcome) {
        return streq(outcome->outcome, "unchanged");
}

const char *outcome_value_for_people(const char *value, Arena *arena) {
        if (!value)
                return NULL;
        if (*value == '\0')
                return "(none)";
        char *copy = arena_copy(arena, value);
        for (char *p = copy; p && *p; p++)
                if (*p == '\t')
                        *p = ' ';
        return copy;
}

typedef struct WhyWords {
        const char *outcome;
        const char *owned;   /* before the profile's name */
        const char *unowned; /* no profile asks for it */
} WhyWords;

static const WhyWords why_words[] = {
        { "planned", "", "back to origin" },
        { "set", "", "no profile asks for it" },
        { "kept", "already so: ", "already so" },
        { "untouched", "not reached: ", "not reached" },
        { "stuck", "could not be taken back: ", "could not be taken back" },
        { "restored", "at its origin: ", "back to origin" },
        { "left",
          "left alone, changed by somebody else: ", "left alone: changed by somebody else" },
        { "pending", "when its module is loaded: ", "when its module is loaded" },
        { "gone", "not in this kernel: ", "not in this kernel any more" },
        { "undone", "taken back: ", "taken back" },
};

/* Where no value is live. */
static const WhyWords why_words_of_image[] = {
        { "planned", "", "no longer set at boot" },
        { "restored", "", "no longer set at boot" },
        { "pending", "at the next boot: ", "at the next boot" },
};

static const WhyWords *find_words(const WhyWords *words, size_t n, const char *outcome) {
        for (size_t i = 0; i < n; i++)
                if (streq(words[i].outcome, outcome))
                        return &words[i];
        return NULL;
}

static const char *why_of(const Change *change, bool image, Arena *arena) {
        static const WhyWords none = { .owned = "", .unowned = "" };
        const WhyWords *words = NULL;
        if (image && !change->before)
                words = find_words(
                                why_words_of_image, ELEMENTSOF(why_words_of_image),
                                change->outcome);
        if (!words)
                words = find_words(why_words, ELEMENTSOF(why_words), change->outcome);
        if (!words)
                words = &none;
        const char *note = change->note ? change->note : "";
        return arena_format(
                        arena, "%s%s%s%s", change->profile ? words->owned : words->unowned,
                        change->profile ? change->profile : "", *note ? ": " : "", note);
}

/* The origin of a key that is taken now is its present value, that of one that leaves its next one: said in
 * words, so that the line has room. */
static const char *origin_of(const Change *change, const char *after, bool done, Arena *arena) {
        if (change->origin && change->before && streq(change->origin, change->before))
                return done ? "as before" : "as now";
        if (!change->profile && change->origin && after && streq(change->origin, after))
                return done ? "as after" : "as wanted";
        return outcome_value_for_people(change->origin, arena);
}

/* What is right already, and stays or is given back as it is: the names will do. */
static bool is_folded(const Change *change) {
        if (streq(change->outcome, "kept"))
                return true;
        bool is_good = streq(change->outcome, "set") || streq(change->outcome, "restored") ||
                       streq(change->outcome, "planned");
        return is_good && change->before && change->wanted && streq(change->before, change->wanted);
}

static void add_row(const Change *change, bool done, Context *context, Table *table) {
        Arena *arena = context->arena;
        bool image = context->options.root != NULL;
        const char *after = done && change->after ? change->after : change->wanted;
        if (image && !change->before && !change->profile)
                after = NULL; /* no line sets it, and no value is live: the image's kernel decides */
        const char *const cells[] = {
                change->key,
                outcome_value_for_people(change->before, arena),
                outcome_value_for_people(after, arena),
                origin_of(change, after, done, arena),
                why_of(change, image, arena),
        };
        table_add_row(table, cells);
}

static void add_folded(const Outcome *outcome, bool leaving, const char *title, Context *context) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        size_t n = 0;
        strbuf_addf(&text, "%s:", title);
        for (size_t i = 0; i < outcome->n_changes; i++) {
                const Change *change = &outcome->changes[i];
                bool is_leaving = !change->profile && !streq(change->outcome, "kept");
                if (is_folded(change) && is_leaving == leaving)
                        strbuf_addf(&text, "%s %s", n++ > 0 ? "," : "", change->key);
        }
        if (n == 0)
                return;
        strbuf_add_char(&context->text, '\n');
        prose_add(&context->text, strbuf_text(&text), 0, context->out.width);
}

/* at-least and at-most that need nothing done: with a file, a line and a caret each they would drown the rest. */
static void add_satisfied_bounds(Context *context) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        size_t n = 0;
        strbuf_add(&text, "Within their bounds without us:");
        for (size_t i = 0; i < diag_list_count(context->findings); i++) {
                const Diag *diag = diag_list_get(context->findings, i);
                if (diag->id == DIAG_BOUND_SATISFIED && diag->key)
                        strbuf_addf(&text, "%s %s", n++ > 0 ? "," : "", diag->key);
        }
        context->bounds_are_told = true;
        if (n == 0)
                return;
        strbuf_add_char(&context->text, '\n');
        prose_add(&context->text, strbuf_text(&text), 0, context->out.width);
}

static int add_rows(const Outcome *outcome, bool done, Context *context) {
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        /* below --root there is no value from before, and nothing is live */
        bool image = context->options.root != NULL;
        strbuf_add_char(&context->text, '\n');
        table_add_column(table, "KEY", 0);
        table_add_column(table, done ? "BEFORE" : "NOW", image ? TABLE_COLUMN_OPTIONAL : 0);
        table_add_column(
                        table, done && !image ? "AFTER" : "WANTED",
                        image ? TABLE_COLUMN_OPTIONAL : 0);
        table_add_column(table, "ORIGIN", image ? TABLE_COLUMN_OPTIONAL : 0);
        table_add_column(table, "WHY", TABLE_COLUMN_WRAP);
        for (size_t i = 0; i < outcome->n_changes; i++)
                if (!is_folded(&outcome->changes[i]))
                        add_row(&outcome->changes[i], done, context, table);
        return table_render(table, &context->text, &context->error);
}

int outcome_add_table(const Outcome *outcome, bool done, Context *context) {
        size_t n_shown = 0;
        for (size_t i = 0; i < outcome->n_changes; i++)
                n_shown += is_folded(&outcome->changes[i]) ? 0 : 1;
        int r = n_shown > 0 ? add_rows(outcome, done, context) : 0;
        if (r < 0)
                return r;
        add_folded(outcome, /* leaving= */ false, "Already as wanted", context);
        add_folded(outcome, /* leaving= */ true, "No longer ours, at the origin already", context);
        add_satisfied_bounds(context);
        return 0;
}

/* --root=DIR without the slashes at its end; "" without. */
static size_t root_length(const Context *context) {
        size_t n = context->options.root ? strlen(context->options.root) : 0;
        while (n > 0 && context->options.root[n - 1] == '/')
                n--;
        return n;
}

static void add_fragment_path(const Context *context, StrBuf *out) {
        diag_text_add_escaped(
                        out, context->options.root ? context->options.root : "",
                        root_length(context));
        strbuf_add(out, FRAGMENT_PATH);
}

/* Tabs between numbers are the fragment's own; anything else that hides is shown as what it is. */
static void add_line(StrBuf *out, const char *line, size_t n) {
        while (n > 0) {
                const char *tab = memchr(line, '\t', n);
                size_t part = tab ? (size_t) (tab - line) : n;
                diag_text_add_escaped(out, line, part);
                if (tab)
                        strbuf_add_char(out, '\t');
                line += part + (tab ? 1 : 0);
                n -= part + (tab ? 1 : 0);
        }
}

static void add_fragment(const Outcome *outcome, const Context *context, StrBuf *out) {
        strbuf_add(out, outcome->fragment ? "\n" : "\nThere would be no ");
        add_fragment_path(context, out);
        strbuf_add(out, outcome->fragment ? ":\n" : ".\n");
        if (!outcome->fragment)
                return;
        for (const char *line = outcome->fragment; *line;) {
                size_t n = strcspn(line, "\n");
                strbuf_add(out, n > 0 ? "    " : "");
                add_line(out, line, n);
                strbuf_add_char(out, '\n');
                line += n + (line[n] == '\n' ? 1 : 0);
        }
}

int outcome_render_planned(const Outcome *outcome, Context *context) {
        StrBuf *out = &context->text;
        if (outcome_is_noop(outcome)) {
                strbuf_addf(out,
                            "Nothing would change: generation %" PRIu64 " is in force as it is.\n",
                            outcome->generation);
                return 0;
        }
        strbuf_addf(out, "Generation %" PRIu64 " → %" PRIu64 "\n", outcome->generation_before,
                    outcome->generation);
        int r = outcome_add_table(outcome, /* done= */ false, context);
        if (r < 0)
                return r;
        add_fragment(outcome, context, out);
        return 0;
}

static bool is_settled(const Outcome *outcome) {
        return streq(outcome->outcome, "applied") || streq(outcome->outcome, "partly");
}

/* A rollback is taken back by going to where it came from; another one would go further. */
static void add_way_back(const Outcome *outcome, const Context *context, StrBuf *out) {
        bool is_rollback = context->command && streq(context->command->name, "rollback");
        if (is_rollback && outcome->generation_before == 0)
                return;
        strbuf_add(out, is_rollback ? "Take this back: twprofile rollback"
                                    : "One step back: twprofile rollback");
        if (is_rollback)
                strbuf_addf(out, " --to=%" PRIu64, outcome->generation_before);
        if (context->options.root) {
                strbuf_add(out, " --root=");
                diag_text_add_escaped(out, context->options.root, strlen(context->options.root));
        }
        strbuf_add_char(out, '\n');
}

static void add_where_it_stands(const Outcome *outcome, const Context *context, StrBuf *out) {
        strbuf_add(out, outcome->fragment ? "\nWritten to " : "\nNothing of ours is left: ");
        add_fragment_path(context, out);
        if (!outcome->fragment)
                strbuf_add(out, " is gone.\n");
        else if (context->options.root)
                strbuf_add(out, ": for the next boot of that image.\n");
        else
                strbuf_add(out, ": live now and at every boot.\n");
}

int outcome_render_done(const Outcome *outcome, Context *context) {
        StrBuf *out = &context->text;
        if (outcome_is_noop(outcome)) {
                context->bounds_are_told = true; /* they were, when it was changed */
                strbuf_addf(out,
                            "Nothing was changed: generation %" PRIu64 " is in force as it is.\n",
                            outcome->generation);
                return 0;
        }
        if (streq(outcome->outcome, "recovered")) {
                strbuf_addf(out,
                            outcome->changed ? "Settled what was left: generation %" PRIu64
                                               " is in force.\n"
                                             : "Nothing to settle: generation %" PRIu64
                                               " is in force.\n",
                            outcome->generation);
                return outcome_add_table(outcome, /* done= */ true, context);
        }
        if (window_is_told(outcome))
                return window_render(outcome, context);
        bool is_confirm = context->command && streq(context->command->name, "confirm");
        strbuf_addf(out, "%s: generation %" PRIu64 " → %" PRIu64 "\n",
                    streq(outcome->outcome, "partly") ? "Done in part"
                    : is_confirm                      ? "Confirmed"
                                                      : "Done",
                    outcome->generation_before, outcome->generation);
        int r = outcome_add_table(outcome, /* done= */ true, context);
        if (r < 0)
                return r;
        if (!is_settled(outcome))
                return 0;
        add_where_it_stands(outcome, context, out);
        add_way_back(outcome, context, out);
        return 0;
}
