/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/local-plan.h"
#include "cli/verbs.h"
#include "model/yaml-tree.h"

typedef struct Validated {
        const char *name; /* as given */
        bool valid;
        size_t n_keys;
} Validated;

/* A word with a slash, ending in .yaml, or "-" is a file; anything else is a profile's name. */
static bool is_file(const char *word) {
        return streq(word, "-") || strchr(word, '/') || endswith(word, ".yaml");
}

/* Up to one byte more than a profile may have, so that the reader can say that it is too large. */
static int read_fd(int fd, StrBuf *ret) {
        char buffer[8192];
        while (ret->length <= YAML_MAX_BYTES) {
                ssize_t n = read(fd, buffer, sizeof(buffer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                strbuf_add_bytes(ret, buffer, (size_t) n);
        }
        return ret->failed ? -ENOMEM : 0;
}

/* 0; > 0 the exit code of a finding; <0. Any file of anybody: nothing here has consequences. */
static int read_file(Context *context, const char *path, Source **ret) {
        bool is_stdin = streq(path, "-");
        cleanup_close int fd = is_stdin ? FD_EMPTY : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (!is_stdin && fd < 0 && errno == ENOENT)
                return context_fail(
                                context, DIAG_UNKNOWN_PROFILE, NULL, "there is no file '%s'", path);
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        int r = !is_stdin && fd < 0 ? -errno : read_fd(is_stdin ? STDIN_FILENO : fd, &bytes);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return context_fail(
                                context, DIAG_PROFILE_FILE_UNREADABLE, NULL, "cannot read '%s': %s",
                                path, strerror(-r));
        *ret = source_new(is_stdin ? "<stdin>" : path, strbuf_text(&bytes), bytes.length);
        return *ret ? 0 : -ENOMEM;
}

/* The name a file's profile must have: its stem, unless that could not be a name at all. */
static const char *expected_name(const char *path, Arena *arena) {
        const char *slash = strrchr(path, '/');
        const char *base = slash ? slash + 1 : path;
        if (!endswith(base, ".yaml"))
                return NULL;
        return arena_copy_n(arena, base, strlen(base) - strlen(".yaml"));
}

static int validate_file(Context *context, const char *path, Validated *ret) {
        Source *source = NULL;
        int r = read_file(context, path, &source);
        if (r != 0)
                return r < 0 ? r : 0;
        Profile *profile = NULL;
        r = profile_parse(
                        source, expected_name(path, context->arena), context->findings, &profile,
                        &context->error);
        if (r != 0)
                return r < 0 ? r : 0;
        ret->valid = true;
        ret->n_keys = profile->n_settings;
        diag_list_take_source(
                        context->findings, TAKE_PTR(profile->source)); /* notes may point into it */
        (void) profile_free(profile);
        return 0;
}

/* A name: the whole profile with what it includes, from the directories. */
static int validate_name(Context *context, const Host *host, const char *name, Validated *ret) {
        Bundle *bundle = NULL;
        int r = local_plan_load_profile(context, host, name, &bundle, &context->error);
        if (r == 0) {
                ret->valid = true;
                ret->n_keys = bundle->n_settings;
        }
        local_plan_release_bundle(context, bundle);
        return r < 0 ? r : 0;
}

static int validate_word(Context *context, Host *host, const char *word, Validated *ret) {
        *ret = (Validated){ .name = word };
        if (is_file(word))
                return validate_file(context, word, ret);
        if (host->root_fd < 0) {
                int r = host_open_files(host, context, &context->error);
                if (r < 0)
                        return r;
        }
        host->dirs.trusting = true;
        return validate_name(context, host, word, ret);
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
                        strbuf_addf(&context->text, "%s: valid, %zu keys\n", file.name,
                                    file.n_keys);
        }
        diag_list_sort(context->findings);
        return context_finish(context);
}

const Command cmd_validate = {
        .name = "validate",
        .args = "FILE|NAME…",
        .help = "Check profiles without touching anything",
        .more = "FILE is a path, a name ending in .yaml, or - for standard input: that text alone\n"
                "is checked. NAME is an installed profile, checked with all that it includes.\n",
        .group = COMMAND_GROUP_PROFILES,
        .min_args = 1,
        .max_args = ARGS_ANY,
        .options = OPT_ROOT,
        .run = validate_run,
};
