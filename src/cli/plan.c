/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/local-plan.h"
#include "cli/outcome.h"
#include "cli/request.h"
#include "cli/verbs.h"

static LocalPlanKind kind_of(const Context *context) {
        if (context->options.disable)
                return LOCAL_PLAN_DISABLE;
        if (context->n_args == 0)
                return LOCAL_PLAN_REREAD;
        return context->options.only ? LOCAL_PLAN_ENABLE_ONLY : LOCAL_PLAN_ENABLE;
}

static int check_usage(Context *context) {
        const Options *options = &context->options;
        if (options->disable && options->only)
                return context_fail_usage(context, "--disable and --only exclude each other");
        if ((options->disable || options->only) && context->n_args == 0)
                return context_fail_usage(
                                context, "--%s needs PROFILE…: twprofile plan --%s PROFILE…",
                                options->only ? "only" : "disable",
                                options->only ? "only" : "disable");
        if (options->adopt != 0 && !options->reason)
                return 0; /* a plan is not audited */
        return request_check_options(context);
}

static int show(Context *context, const Host *host, const LocalPlan *local) {
        if (!context_is_json(context) && !host_generation(host) && local->plan->is_noop) {
                strbuf_add(&context->text, "Nothing is enabled, and nothing would change.\n");
                return 0;
        }
        Outcome outcome;
        int r = outcome_from_plan(local->plan, context->arena, &outcome);
        if (r < 0)
                return r;
        return context_is_json(context) ? context_take_result(context, outcome_to_json(&outcome))
                                        : outcome_render_planned(&outcome, context);
}

static int plan_on(Context *context, const Host *host) {
        LocalPlan local;
        int r = local_plan_build(context, host, kind_of(context), &local, &context->error);
        if (r == 0)
                r = show(context, host, &local);
        bool differs = r == 0 && !local.plan->is_noop;
        local_plan_deinit(context, &local);
        if (r < 0)
                return r;
        int code = context_finish(context);
        bool is_refused = code != EXIT_OK && code != EXIT_PARTLY;
        if (context->options.check && differs && !is_refused)
                return EXIT_DIFFERS;
        return code;
}

/* Planned on what may only be somebody's change that is not through yet? */
static bool is_worth_another_look(const Context *context, const Host *host) {
        const Generation *current = host_generation(host);
        bool wanted = current && current->has_fragment;
        PlanFragment found;
        Error ignored = { 0 };
        if (host_read_fragment(host, &found, &ignored) < 0)
                return false; /* the plan has said so */
        bool fits = found.exists == wanted &&
                    (!wanted || sha256_equal(&found.digest, &current->fragment));
        /* In a window that the view tells of, other values are what there is to see. */
        bool drifted = !host_awaits_confirmation(host) && context_has_finding(context, DIAG_DRIFT);
        return (!fits || drifted) && host_has_news(host);
}

static int plan_run(Context *context) {
        int r = check_usage(context);
        for (int looks = 1; r == 0; looks++) {
                CLEANUP(host_close) Host host = HOST_EMPTY;
                r = host_open(&host, context, &context->error);
                if (r < 0)
                        return r;
                int code = plan_on(context, &host);
                if (looks == HOST_LOOKS || !is_worth_another_look(context, &host))
                        return code;
                r = context_begin_again(context);
        }
        return r;
}

const Command cmd_plan = {
        .name = "plan",
        .args = "[PROFILE…]",
        .help = "Show what enabling profiles would change",
        .more = "Computed here, without privilege, from the public status, the profile files and\n"
                "the live values. Without PROFILE the enabled profiles are read again from their\n"
                "files. `enable --dry-run` asks the helper for the same.\n",
        .group = COMMAND_GROUP_CHANGE,
        .max_args = ARGS_ANY,
        .options = OPT_ROOT | OPT_ONLY | OPT_DISABLE | OPT_CHECK | OPT_ADOPT | OPT_REASON,
        .run = plan_run,
};
