/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/request.h"
#include "cli/verbs.h"

/* As the helper demands it: what it cannot be is wrong usage. */
static bool token_is_one(const char *token) {
        size_t n = strlen(token);
        return n > 0 && n <= 64 && strspn(token, "0123456789abcdef-") == n;
}

static int confirm_run(Context *context) {
        int r = request_check_options(context);
        if (r != 0)
                return r;
        const char *token = context->args[0];
        if (!token_is_one(token))
                return context_fail_usage(
                                context, "'%s' is no token: use the one that enable printed",
                                token);
        json_t *parameters = json_pack("{s:s}", "token", token);
        if (parameters && context->options.same_session &&
            json_object_set_new(parameters, "same_session", json_true()) < 0) {
                json_decref(parameters);
                parameters = NULL;
        }
        return request_run(context, "Confirm", parameters);
}

const Command cmd_confirm = {
        .name = "confirm",
        .args = "TOKEN",
        .help = "Keep a change that awaits confirmation",
        .more = "TOKEN is what enable printed. The live values have to be those of the change,\n"
                "and the caller of another login session than the one that made it: a session\n"
                "that was open before proves nothing, because TIME_WAIT settings act on new\n"
                "connections only. --same-session says that it was tested in another way; with\n"
                "--adopt=drift a value that was changed meanwhile is set again.\n",
        .group = COMMAND_GROUP_CHANGE,
        .min_args = 1,
        .max_args = 1,
        .flags = COMMAND_BRIEF_NOTES,
        .options = OPT_SAME_SESSION | OPT_ADOPT | OPT_REASON,
        .run = confirm_run,
};
