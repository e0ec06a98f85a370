/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/local-plan.h"
#include "cli/request.h"
#include "cli/verbs.h"

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

static int enable_run(Context *context) {
        int r = request_check_options(context);
        if (r == 0)
                r = load_named(context);
        if (r != 0)
                return r;
        json_t *parameters = json_pack("{s:o?}", "profiles", request_args_to_json(context));
        if (parameters && context->options.only &&
            json_object_set_new(parameters, "only", json_true()) < 0) {
                json_decref(parameters);
                parameters = NULL;
        }
        return request_run(context, "Enable", parameters);
}

const Command cmd_enable = {
        .name = "enable",
        .args = "PROFILE…",
        .help = "Apply profiles now and at every boot",
        .more = "Adds to what is enabled; --only replaces it. All keys change or none: each is\n"
                "written, read back, and taken back when one fails. Enabling what is enabled\n"
                "already changes nothing and says so.\n",
        .group = COMMAND_GROUP_CHANGE,
        .min_args = 1,
        .max_args = ARGS_ANY,
        .flags = COMMAND_BRIEF_NOTES,
        .options = OPT_CHANGE | OPT_ONLY,
        .run = enable_run,
};
