/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/request.h"
#include "cli/verbs.h"

static int recover_run(Context *context) {
        int r = request_check_options(context);
        if (r != 0)
                return r;
        const char *choice = context->options.choice;
        if (choice && !context->options.reason)
                return context_fail_usage(
                                context,
                                "--choice needs --reason=TEXT, which goes into the audit log");
        return request_run(context, "Recover", json_pack("{s:s*}", "choice", choice));
}

const Command cmd_recover = {
        .name = "recover",
        .args = "",
        .help = "Settle what an interrupted change left behind",
        .more = "Every change and every boot does this first by itself. By hand it is needed\n"
                "after an exit code 8. Where the journal is damaged it says so and touches\n"
                "nothing; --choice then decides: base restores what can still be read of the\n"
                "values from before, keep leaves the live ones. The damaged journal is kept.\n",
        .group = COMMAND_GROUP_CHANGE,
        .options = OPT_ROOT | OPT_REASON | OPT_CHOICE,
        .run = recover_run,
};
