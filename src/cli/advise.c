/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/advise-plan.h"
#include "cli/advise-text.h"
#include "cli/sampling.h"
#include "cli/verbs.h"
#include "insight/advice-format.h"

#define DEFAULT_INTERVAL_S 10U

/* --- two samples ---------------------------------------------------------------------------------------- */

static int look_once(Sampling *sampling, Snapshot *ret) {
        int r = sampling_look_at_counts(sampling, ret);
        return r == 0 ? sampling_look_at_sockets(sampling, ret) : r;
}

/* Of this namespace. The snapshots live in the arena. */
static int look(Context *context, AdviceInput *ret) {
        Snapshot *before = arena_alloc(context->arena, sizeof(*before));
        Snapshot *now = arena_alloc(context->arena, sizeof(*now));
        if (!before || !now)
                return error_set(&context->error, -ENOMEM, "cannot keep two samples");
        CLEANUP(sampling_close) Sampling sampling = SAMPLING_EMPTY;
        int r = sampling_open(&sampling, context);
        if (r == 0)
                r = look_once(&sampling, before);
        if (r < 0)
                return r;
        uint32_t interval_s = context->options.interval_s;
        sampling_wait(context, interval_s > 0 ? interval_s : DEFAULT_INTERVAL_S);
        r = look_once(&sampling, now);
        if (r == 0)
                r = sampling_look_around(&sampling, now);
        if (r < 0)
                return r;
        *ret = (AdviceInput){ .before = before, .now = now };
        return 0;
}

/* 0, an exit code, or <0. */
static int load(Context *context, AdviceInput *ret) {
        const Options *options = &context->options;
        AdviceInput first;
        int r = sampling_load_input(context, options->from, &first);
        if (r != 0 || !options->from_later) {
                *ret = first;
                return r;
        }
        AdviceInput second;
        r = sampling_load_input(context, options->from_later, &second);
        if (r == 0)
                *ret = (AdviceInput){ .before = first.now, .now = second.now };
        return r;
}

/* --- showing -------------------------------------------------------------------------------------------- */

static int show_text(Context *context, const Advice *advice) {
        StrBuf *out = &context->text;
        advise_add_findings(context, advice, out);
        if (advice->profile) {
                int r = context->options.from ? advise_plan_mention(context, advice->profile, out)
                                              : advise_plan_add(context, advice->profile, out);
                if (r < 0)
                        return r;
        }
        advise_add_skipped(context, advice, out);
        return out->failed ? -ENOMEM : 0;
}

static int show(Context *context, const AdviceInput *input, const Advice *advice) {
        return context_is_json(context)
                               ? context_take_result(context, advice_to_json(input, advice))
                               : show_text(context, advice);
}

static bool is_bad(const Advice *advice) {
        return advice_count_severity(advice, ADVICE_CRITICAL) > 0 ||
               advice_count_severity(advice, ADVICE_WARNING) > 0;
}

static int advise_run(Context *context) {
        const Options *options = &context->options;
        if (options->from && options->interval_s > 0)
                return context_fail_usage(
                                context, "--from judges what was recorded: no --interval");
        AdviceInput input;
        int r = options->from ? load(context, &input) : look(context, &input);
        if (r != 0)
                return r;
        Advice advice;
        r = advise(&input, context->arena, &advice);
        if (r < 0)
                return error_set(&context->error, r, "cannot judge the samples");
        r = show(context, &input, &advice);
        if (r < 0)
                return r;
        int code = context_finish(context);
        return code == EXIT_OK && options->check && is_bad(&advice) ? EXIT_DIFFERS : code;
}

const Command cmd_advise = {
        .name = "advise",
        .args = "",
        .help = "Say what is wrong with the sockets, and what helps",
        .more = "Needs no privilege and changes nothing. Two samples (10 s apart, --interval) of\n"
                "the sockets, settings and counters of this network namespace are judged by\n"
                "rules. Each finding has its numbers, the formula, the remedies in the order in\n"
                "which to try them, and the command to run next; `twprofile explain PORT-1`\n"
                "explains a rule. Many TIME_WAITs alone are normal, and it says so.\n"
                "With --from=FILE it judges what `advise --json` or `observe --json` printed;\n"
                "two files are an earlier and a later sample. With --check the exit code is 1\n"
                "when there is a warning or worse.\n",
        .group = COMMAND_GROUP_WATCH,
        .options = OPT_INTERVAL | OPT_FROM | OPT_CHECK,
        .run = advise_run,
};
