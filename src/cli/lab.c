/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/utsname.h>

#include "cli/lab-field.h"
#include "cli/lab-refusal.h"
#include "cli/lab-sets.h"
#include "cli/lab-text.h"
#include "cli/verbs.h"

/* Two turns of TIME_WAIT, which lasts 60 s and up to 61.7 s, behind the first filling: what the ports sustain. */
#define CEILING_SECONDS 130U
#define MS_PER_S        1000U

typedef struct Lab {
        Context *context;
        const LabSets *sets;
        LabReport report;
        size_t n_runs, n_done;
        const char *label; /* of the run under way */
} Lab;

/* --- which scenarios ------------------------------------------------------------------------------------ */

static int fail_unknown(Context *context, const char *name, size_t n) {
        CLEANUP(strbuf_deinit) StrBuf names = {};
        for (size_t i = 0; i < lab_scenario_count(); i++)
                strbuf_addf(&names, "%s%s", i > 0 ? ", " : "", lab_scenario_get(i)->name);
        return context_fail_usage(
                        context, "no scenario '%.*s': there are %s", (int) n, name,
                        strbuf_text(&names));
}

/* In the order of the table; all without --scenario. */
static int choose_scenarios(Context *context, LabReport *report) {
        const char *words = context->options.lab_scenarios;
        LabScenarioReport *chosen = arena_alloc_array(
                        context->arena, lab_scenario_count(), sizeof(LabScenarioReport));
        bool *is_wanted = arena_alloc_array(context->arena, lab_scenario_count(), sizeof(bool));
        if (!chosen || !is_wanted)
                return error_set(&context->error, -ENOMEM, "cannot choose the scenarios");
        for (const char *word = words; word; word = *word ? word + 1 : NULL) {
                size_t n = strcspn(word, ",");
                const LabScenario *scenario = lab_scenario_find(word, n);
                if (!scenario)
                        return fail_unknown(context, word, n);
                for (size_t i = 0; i < lab_scenario_count(); i++)
                        is_wanted[i] = is_wanted[i] || lab_scenario_get(i) == scenario;
                word += n;
                if (*word == '\0')
                        break;
        }
        for (size_t i = 0; i < lab_scenario_count(); i++)
                if (!words || is_wanted[i])
                        chosen[report->n_scenarios++].scenario = lab_scenario_get(i);
        report->scenarios = chosen;
        return 0;
}

static int check_usage(Context *context) {
        const Options *options = &context->options;
        if (options->lab_seconds > LAB_SECONDS_MAX)
                return context_fail_usage(context, "--seconds goes from 1 to %u", LAB_SECONDS_MAX);
        if (options->lab_ports > UINT16_MAX)
                return context_fail_usage(context, "--ports goes from 1 to %d", UINT16_MAX);
        if (options->lab_long && options->lab_seconds != 0)
                return context_fail_usage(context, "--long and --seconds exclude each other");
        if (options->lab_field &&
            (options->lab_long || options->lab_ports != 0 || options->lab_scenarios))
                return context_fail_usage(
                                context,
                                "--field goes with --seconds only: its claims say what is tried");
        return 0;
}

/* --- running -------------------------------------------------------------------------------------------- */

/* On a terminal only; the line is taken away at the end. */
static int show_progress(void *userdata, uint32_t elapsed_ms) {
        const Lab *lab = userdata;
        const Context *context = lab->context;
        if (context->err.is_terminal && !context->options.quiet)
                (void) fprintf(stderr, "\r[%zu/%zu] %s: %.1f s \033[K", lab->n_done + 1,
                               lab->n_runs, lab->label,
                               elapsed_ms / 1e3); /* a lost line is no harm */
        return 0;
}

static void hide_progress(const Lab *lab) {
        if (lab->context->err.is_terminal && !lab->context->options.quiet)
                (void) fputs("\r\033[K", stderr); /* as above */
}

static uint32_t duration_ms(const Lab *lab, const LabScenario *scenario, const LabStep *step) {
        const Options *options = &lab->context->options;
        if (step->load.duration_ms != 0)
                return step->load.duration_ms;
        if (options->lab_long && scenario->has_ceiling)
                return CEILING_SECONDS * MS_PER_S;
        uint64_t seconds = options->lab_seconds != 0 ? options->lab_seconds : LAB_SECONDS_DEFAULT;
        return (uint32_t) seconds * MS_PER_S;
}

/* What became of the profiles' keys. Of the last set: the one with the profiles. */
static void note_states(
                const Lab *lab, const LabSetting *settings, size_t n, const LabRunResult *run) {
        for (size_t i = 0; i < lab->sets->n_changes; i++) {
                LabChange *change = &lab->sets->changes[i];
                change->state = change->spec->scope == SYSCTL_SCOPE_HOST ? LAB_SETTING_HOST_WIDE
                                                                         : LAB_SETTING_REFUSED;
                for (size_t k = 0; k < n; k++)
                        if (settings[k].spec == change->spec)
                                change->state = run->states[k];
        }
}

static int run_set(Lab *lab, const LabScenario *scenario, LabStepReport *step, size_t set) {
        Context *context = lab->context;
        const LabSetting *settings = lab->sets->settings[set];
        size_t n = lab->sets->n_settings;
        if (step->step->key)
                settings = lab_sets_with(
                                settings, n, catalogue_find(step->step->key), step->step->value,
                                context->arena, &n);
        LabRunResult *result = arena_alloc(context->arena, sizeof(*result));
        lab->label = arena_format(
                        context->arena, "%s%s%s, %s", scenario->name,
                        *step->step->name != '\0' ? " " : "", step->step->name,
                        lab->report.sets[set]);
        if (!settings || !result || !lab->label)
                return error_set(&context->error, -ENOMEM, "cannot run the lab");
        LabLoad load = step->step->load;
        load.duration_ms = duration_ms(lab, scenario, step->step);
        const LabRunRequest request = { &load, settings, n };
        int r = lab_run(&request, show_progress, lab, result, &context->error);
        if (r < 0)
                return lab_refuse(context, r);
        lab->n_done++;
        lab->report.user_namespace = result->user_namespace;
        if (set + 1 == lab->sets->n_sets)
                note_states(lab, settings, n, result);
        step->runs[set] = result;
        return 0;
}

static int run_scenario(Lab *lab, const LabScenarioReport *report) {
        const LabScenario *scenario = report->scenario;
        for (size_t i = 0; i < scenario->n_steps; i++) {
                report->steps[i].step = &scenario->steps[i];
                for (size_t set = 0; set < lab->sets->n_sets; set++) {
                        int r = run_set(lab, scenario, &report->steps[i], set);
                        if (r != 0)
                                return r;
                }
        }
        return 0;
}

static int run_all(Lab *lab) {
        Arena *arena = lab->context->arena;
        LabScenarioReport *scenarios = (LabScenarioReport *) lab->report.scenarios; /* our own */
        for (size_t i = 0; i < lab->report.n_scenarios; i++) {
                size_t n = scenarios[i].scenario->n_steps;
                scenarios[i].steps = arena_alloc_array(arena, n, sizeof(LabStepReport));
                if (!scenarios[i].steps)
                        return error_set(&lab->context->error, -ENOMEM, "cannot run the lab");
                lab->n_runs += n * lab->sets->n_sets;
        }
        int r = 0;
        for (size_t i = 0; r == 0 && i < lab->report.n_scenarios; i++)
                r = run_scenario(lab, &scenarios[i]);
        hide_progress(lab);
        return r;
}

/* --- the command ---------------------------------------------------------------------------------------- */

static int show(const Lab *lab) {
        Context *context = lab->context;
        if (context_is_json(context))
                return context_take_result(context, lab_report_to_json(&lab->report));
        return lab_text_render(&lab->report, context);
}

static int lab_on(Context *context, Host *host, LabReport *report) {
        LabSets sets;
        int r = lab_sets_build(
                        context, host, (uint32_t) context->options.lab_ports, &sets,
                        &context->error);
        if (r < 0)
                return r;
        if (r == LAB_SETS_E_REFUSED)
                return context_finish(context);
        struct utsname kernel;
        if (uname(&kernel) < 0)
                return error_set(&context->error, -errno, "cannot ask for the kernel's version");
        report->kernel = kernel.release;
        for (size_t i = 0; i < sets.n_sets; i++)
                report->sets[i] = sets.names[i];
        report->n_sets = sets.n_sets;
        report->changes = sets.changes;
        report->n_changes = sets.n_changes;
        Lab lab = { .context = context, .sets = &sets, .report = *report };
        r = run_all(&lab);
        if (r != 0)
                return r;
        r = show(&lab);
        return r < 0 ? r : context_finish(context);
}

static int lab_verb_run(Context *context) {
        int r = check_usage(context);
        if (r != 0)
                return r;
        if (context->options.lab_field)
                return lab_field_run(context);
        LabReport report = {};
        r = choose_scenarios(context, &report);
        if (r != 0)
                return r;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        r = host_open(&host, context, &context->error);
        return r < 0 ? r : lab_on(context, &host, &report);
}

const Command cmd_lab = {
        .name = "lab",
        .args = "[PROFILE|FILE…]",
        .help = "Prove profiles by real connections, off the host",
        .more = "A client and a server of ours churn through connections in network namespaces of\n"
                "their own, joined by a veth pair: once with this host's present settings, once\n"
                "with the profiles over them. Nothing reaches the host, nothing stays, and no\n"
                "privilege is needed where user namespaces are allowed. Keys with one value for\n"
                "the whole host are not tried. Without PROFILE the present settings run alone.\n"
                "FILE is a path, a name ending in .yaml, or - for standard input.\n"
                "Scenarios: client-closes, server-closes, keep-alive, destinations, bucket-limit,\n"
                "bind, nat. --ports makes what a full range needs minutes for show in seconds.\n"
                "With --field [a|b|c|d|FILE…] what circulates is tried instead: four lists of\n"
                "settings, claim by claim, each with and without its line, beginning with this\n"
                "kernel's defaults. It takes some 70 s, because TIME_WAIT does. FILE is a path of\n"
                "a file of sysctl.d.\n",
        .group = COMMAND_GROUP_TRY,
        .max_args = ARGS_ANY,
        .options = OPT_LAB,
        .run = lab_verb_run,
};
