/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/request.h"
#include "cli/verbs.h"
#include "model/profile.h"

static int disable_run(Context *context) {
        int r = request_check_options(context);
        if (r != 0)
                return r;
        for (size_t i = 0; i < context->n_args; i++)
                if (!profile_name_is_valid(context->args[i]))
                        return context_fail(
                                        context, DIAG_UNKNOWN_PROFILE,
                                        "twprofile status shows what is enabled",
                                        "there is no profile '%s'", context->args[i]);
        return request_run(
                        context, "Disable",
                        json_pack("{s:o?}", "profiles", request_args_to_json(context)));
}

const Command cmd_disable = {
        .name = "disable",
        .args = "PROFILE…",
        .help = "Take profiles away, now and at every boot",
        .more = "Keys that no other enabled profile asks for go back to the value they had when\n"
                "they were taken. A value that somebody else changed since is kept and reported.\n",
        .group = COMMAND_GROUP_CHANGE,
        .min_args = 1,
        .max_args = ARGS_ANY,
        .flags = COMMAND_BRIEF_NOTES,
        .options = OPT_CHANGE,
        .run = disable_run,
};
