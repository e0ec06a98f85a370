/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/local-plan.h"
#include "cli/request.h"
#include "cli/verbs.h"
#include "cli/window.h"

/* Errors in a profile come with the place and a caret when they are found here; the helper reads the files
 * again itself and trusts nothing of this. What only root may read is left to it. */
static int load_named(Context *context) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        int r = host_open_files(&host, context, &context->error);
        if (r < 0)
                return r;
        bool refused = false;
        for (size_t i = 0; i < context->n_args; i++) {
                Bundle *bundle = NULL;
                r = local_plan_load_profile(
                                context, &host, context->args[i], &bundle, &context->error);
                local_plan_release_bundle(context, bundle);
                if (r < 0)
                        return r;
                refused |= r > 0;
        }
        return refused ? context_finish(context) : 0;
}

static int check_window(Context *context) {
        const Options *options = &context->options;
        if (options->runtime && options->confirm_within_s > 0)
                return context_fail_usage(
                                context,
                                "--runtime and --confirm-within exclude each other: with --runtime "
                                "there is no deadline");
        if (options->gate && options->confirm_within_s == 0)
                return context_fail_usage(
                                context,
                                "--gate needs --confirm-within: it can only end a window early");
        return 0;
}

static json_t *make_parameters(const Context *context) {
        const Options *options = &context->options;
        json_t *parameters = json_pack("{s:o?}", "profiles", request_args_to_json(context));
        int r = parameters ? 0 : -1;
        if (r == 0 && options->only)
                r = json_object_set_new(parameters, "only", json_true());
        if (r == 0 && options->confirm_within_s > 0)
                r = json_object_set_new(
                                parameters, "confirm_within_s",
                                json_integer(options->confirm_within_s));
        if (r == 0 && options->runtime)
                r = json_object_set_new(parameters, "runtime", json_true());
        if (r == 0 && options->gate)
                r = json_object_set_new(parameters, "gate", json_true());
        if (r < 0) {
                json_decref(parameters);
                parameters = NULL;
        }
        return parameters;
}

static int enable_run(Context *context) {
        int r = request_check_options(context);
        if (r == 0)
                r = check_window(context);
        if (r == 0)
                r = load_named(context);
        return r != 0 ? r : request_run(context, "Enable", make_parameters(context));
}

const Command cmd_enable = {
        .name = "enable",
        .args = "PROFILE…",
        .help = "Apply profiles now and at every boot",
        .more = "Adds to what is enabled; --only replaces it. All keys change or none: each is\n"
                "written, read back, and taken back when one fails. Enabling what is enabled\n"
                "already changes nothing and says so.\n"
                "\n"
                "With --confirm-within the values are live at once and nothing else lasts:\n"
                "unless `twprofile confirm` comes in time, a guard takes everything back, and so\n"
                "does a reboot. The countdown on the terminal only shows it; Ctrl-C changes\n"
                "nothing.\n"
                "--runtime is the same without a deadline.\n"
                "\n"
                "With --gate as well, counters of TCP (overflows, drops, resets,\n"
                "retransmissions, local ports) are sampled for five seconds before and then\n"
                "through the window; the change is taken back early, with the numbers, when it\n"
                "made them worse.\n",
        .group = COMMAND_GROUP_CHANGE,
        .min_args = 1,
        .max_args = ARGS_ANY,
        .flags = COMMAND_BRIEF_NOTES,
        .options = OPT_CHANGE | OPT_ONLY | OPT_CONFIRM_WITHIN | OPT_RUNTIME | OPT_GATE,
        .run = enable_run,
        .linger = window_linger,
};
