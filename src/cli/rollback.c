/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/num.h"
#include "cli/request.h"
#include "cli/verbs.h"

static int rollback_run(Context *context) {
        int r = request_check_options(context);
        if (r != 0)
                return r;
        const char *to = context->options.to;
        uint64_t number = 0;
        if (to && !streq(to, "origin") && (num_parse_u64(to, &number) < 0 || number == 0))
                return context_fail_usage(
                                context, "'%s' is no generation: use --to=origin or --to=N", to);
        json_t *parameters = to ? json_pack("{s:s}", "to", to) : json_object();
        return request_run(context, "Rollback", parameters);
}

const Command cmd_rollback = {
        .name = "rollback",
        .args = "",
        .help = "Go one generation back, or to a named one",
        .more = "A rollback is a generation of its own with the older one's content; n rollbacks\n"
                "go n steps back. --to=origin leaves nothing of ours: every key gets the value\n"
                "back that it had before twprofile took it.\n",
        .group = COMMAND_GROUP_CHANGE,
        .flags = COMMAND_BRIEF_NOTES,
        .options = OPT_CHANGE | OPT_TO,
        .run = rollback_run,
};
