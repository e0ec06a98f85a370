/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/file-bundle.h"
#include "cli/local-plan.h"
#include "cli/verbs.h"
#include "model/rules.h"

typedef struct Validated {
        const char *name; /* as given */
        bool valid;
        size_t n_keys;
} Validated;

/* What the values mean by themselves is judged as well: a risk that is not accepted is refused everywhere. */
static int judge(Context *context, const Bundle *bundle, Validated *ret) {
        static const EffectiveSet nothing = {};
        int r = rules_check_bundles(&bundle, 1, &nothing, context->findings, &context->error);
        ret->valid = r == 0;
        ret->n_keys = bundle->n_settings;
        return r < 0 ? r : 0;
}

static int load_name(Context *context, Host *host, const char *name, Bundle **ret) {
        if (host->root_fd < 0) {
                int r = host_open_files(host, context, &context->error);
                if (r < 0)
                        return r;
        }
        host->dirs.trusting = true;
        return local_plan_load_profile(context, host, name, ret, &context->error);
}

static int validate_word(Context *context, Host *host, const char *word, Validated *ret) {
        *ret = (Validated){ .name = word };
        Bundle *bundle = NULL;
        int r = file_bundle_is_file(word)
                                ? file_bundle_load(context, host, word, &bundle, &context->error)
                                : load_name(context, host, word, &bundle);
        if (r == 0)
                r = judge(context, bundle, ret);
        local_plan_release_bundle(context, bundle);
        return r < 0 ? r : 0;
}

static int add_json(json_t *files, const Validated *file) {
        return json_array_append_new(
                        files, json_pack("{s:s, s:b, s:I}", "name", file->name, "valid",
                                         file->valid, "keys", (json_int_t) file->n_keys));
}

static int validate_run(Context *context) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        json_t *files = NULL;
        if (context_is_json(context)) {
                files = json_array();
                int r = context_take_result(
                                context, files ? json_pack("{s:o}", "files", files) : NULL);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < context->n_args; i++) {
                Validated file;
                int r = validate_word(context, &host, context->args[i], &file);
                if (r == 0 && files && add_json(files, &file) < 0)
                        r = -ENOMEM;
                if (r < 0)
                        return r;
                if (file.valid)
                        strbuf_addf(&context->text, "%s: valid, %zu key%s\n", file.name,
                                    file.n_keys, file.n_keys == 1 ? "" : "s");
        }
        diag_list_sort(context->findings);
        return context_finish(context);
}

const Command cmd_validate = {
        .name = "validate",
        .args = "FILE|NAME…",
        .help = "Check profiles without touching anything",
        .more = "FILE is a path, a name ending in .yaml, or - for standard input. NAME is an\n"
                "installed profile. Both are judged with all that they include, and by the rules\n"
                "that need no host: a missing acceptance is exit 3. What FILE includes is looked\n"
                "for beside it, then among the installed profiles; what is in neither place is\n"
                "left out with a warning.\n",
        .group = COMMAND_GROUP_PROFILES,
        .min_args = 1,
        .max_args = ARGS_ANY,
        .options = OPT_ROOT,
        .run = validate_run,
};
