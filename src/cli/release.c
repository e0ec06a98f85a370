/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/request.h"
#include "cli/verbs.h"
#include "model/profile.h"

static int release_run(Context *context) {
        int r = request_check_options(context);
        if (r != 0)
                return r;
        const char *name = context->args[0];
        if (!context->options.reason)
                return context_fail_usage(
                                context,
                                "needs --reason=TEXT, which goes into the audit log: what was wrong, and what is "
                                "different now");
        if (!profile_name_is_valid(name))
                return context_fail(
                                context, DIAG_NOT_QUARANTINED,
                                "twprofile status shows what is quarantined",
                                "'%s' is no profile's name", name);
        return request_run(context, "Release", json_pack("{s:s}", "profile", name));
}

const Command cmd_release = {
        .name = "release",
        .args = "PROFILE",
        .help = "Let a profile be enabled again that was taken back",
        .more = "A profile that was taken back by itself is quarantined, so that the next run of\n"
                "a configuration manager cannot bring it back: enable refuses these very bytes\n"
                "until they are released, with a reason. PROFILE is a name, or a digest of\n"
                "status --json.\n",
        .group = COMMAND_GROUP_CHANGE,
        .min_args = 1,
        .max_args = 1,
        .options = OPT_ROOT | OPT_REASON,
        .run = release_run,
};
