/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/file-bundle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/input.h"
#include "model/yaml-tree.h"

#define PROFILE_SUFFIX ".yaml"

/* --- one file ------------------------------------------------------------------------------------------- */

/* 0 or <0. Any file of anybody: nothing here has consequences. Up to more than a profile may have, so that the reader
 * can say that it is too large. */
static int read_source(const char *path, int flags, Source **ret) {
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        int r = input_read(path, flags, YAML_MAX_BYTES, &bytes);
        if (r < 0)
                return r;
        *ret = source_new(
                        input_is_stdin(path) ? "<stdin>" : path, strbuf_text(&bytes), bytes.length);
        return *ret ? 0 : -ENOMEM;
}

static int read_root(Context *context, const char *path, Source **ret) {
        int r = read_source(path, /* flags= */ 0, ret);
        if (r == 0 || r == -ENOMEM)
                return r;
        if (r == -ENOENT)
                (void) context_fail(
                                context, DIAG_UNKNOWN_PROFILE, NULL, "there is no file '%s'", path);
        else
                (void) context_fail(
                                context, DIAG_PROFILE_FILE_UNREADABLE, NULL, "cannot read '%s': %s",
                                path, strerror(-r));
        return FILE_BUNDLE_E_REFUSED;
}

/* --- its includes --------------------------------------------------------------------------------------- */

typedef struct Fetcher {
        Context *context;
        Host *host;
        const char *path;
        Source *root; /* owned until it is fetched */
        const char *missing[BUNDLE_MAX_PROFILES];
        size_t n_missing;
} Fetcher;

static void fetcher_deinit(Fetcher *fetcher) {
        if (fetcher->root)
                fetcher->root = source_free(fetcher->root);
}

/* 0; BUNDLE_E_NOT_FOUND; <0. */
static int fetch_beside(const Fetcher *fetcher, const char *name, Source **ret) {
        if (input_is_stdin(fetcher->path))
                return BUNDLE_E_NOT_FOUND;
        const char *slash = strrchr(fetcher->path, '/');
        int n = slash ? (int) (slash - fetcher->path) + 1 : 0;
        const char *path = arena_format(
                        fetcher->context->arena, "%.*s%s" PROFILE_SUFFIX, n, fetcher->path, name);
        if (!path)
                return -ENOMEM;
        int r = read_source(path, O_NONBLOCK, ret); /* nobody asked for a FIFO that lies there */
        return r < 0 && r != -ENOMEM ? BUNDLE_E_NOT_FOUND : r;
}

static int fetch_installed(
                const Fetcher *fetcher, const char *name, DiagList *diags, Source **ret,
                Error *reterr) {
        if (fetcher->host->root_fd < 0) {
                int r = host_open_files(fetcher->host, fetcher->context, reterr);
                if (r < 0)
                        return r;
        }
        ProfileDirs dirs = fetcher->host->dirs;
        dirs.trusting = true;
        return profile_dirs_fetch(&dirs, name, diags, ret, reterr);
}

/* Takes the place of a profile that is not here: it sets nothing and accepts nothing. */
static int make_placeholder(Fetcher *fetcher, const char *name, Source **ret) {
        Arena *arena = fetcher->context->arena;
        const char *copy = arena_copy(arena, name);
        const char *text = arena_format(
                        arena, "version: 1\nname: %s\nsummary: not found\nsysctl: {}\n", name);
        if (!copy || !text)
                return -ENOMEM;
        fetcher->missing[fetcher->n_missing++] = copy; /* a bundle fetches each name once */
        *ret = source_new(name, text, strlen(text));
        return *ret ? 0 : -ENOMEM;
}

static int fetch(void *userdata, const char *name, DiagList *diags, Source **ret, Error *reterr) {
        Fetcher *fetcher = userdata;
        if (fetcher->root) {
                *ret = TAKE_PTR(fetcher->root);
                return 0;
        }
        int r = fetch_beside(fetcher, name, ret);
        if (r == BUNDLE_E_NOT_FOUND)
                r = fetch_installed(fetcher, name, diags, ret, reterr);
        if (r == BUNDLE_E_NOT_FOUND)
                r = make_placeholder(fetcher, name, ret);
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot read profile '%s'", name);
        return r;
}

static bool is_missing(const Fetcher *fetcher, const char *name) {
        for (size_t i = 0; i < fetcher->n_missing; i++)
                if (streq(fetcher->missing[i], name))
                        return true;
        return false;
}

static void report_missing(const Fetcher *fetcher, const Profile *profile) {
        DiagList *findings = fetcher->context->findings;
        for (size_t i = 0; i < profile->n_includes; i++) {
                const ProfileInclude *include = &profile->includes[i];
                if (!is_missing(fetcher, include->name))
                        continue;
                Diag *diag = diag_add(
                                findings, DIAG_INCLUDE_NOT_JUDGED, include->span,
                                "profile '%s' is not here: '%s' is judged without it",
                                include->name, profile->name);
                diag_set_profile(findings, diag, profile->name);
                diag_set_help(findings, diag,
                              "put '%s" PROFILE_SUFFIX
                              "' beside the file, or install it; without it the profile cannot be enabled",
                              include->name);
        }
}

/* --- the name ------------------------------------------------------------------------------------------- */

/* Where the file's name says nothing, the profile's own name is right. The text is read twice for that. 0;
 * FILE_BUNDLE_E_REFUSED; <0. */
static int find_own_name(Context *context, const Source *root, const char **ret, Error *reterr) {
        Source *copy = source_new(source_name(root), source_bytes(root), source_length(root));
        CLEANUP(diag_list_freep) DiagList *diags = diag_list_new();
        Profile *profile = NULL;
        if (!copy || !diags) {
                (void) source_free(copy);
                return -ENOMEM;
        }
        int r = profile_parse(copy, NULL, diags, &profile, reterr);
        if (r < 0)
                return r;
        if (r > 0) {
                diag_list_move(context->findings, diags);
                return FILE_BUNDLE_E_REFUSED;
        }
        *ret = arena_copy(context->arena, profile->name);
        (void) profile_free(profile);
        return *ret ? 0 : -ENOMEM;
}

static int find_name(
                Context *context, const char *path, const Source *root, const char **ret,
                Error *reterr) {
        const char *slash = strrchr(path, '/');
        const char *base = slash ? slash + 1 : path;
        if (!endswith(base, PROFILE_SUFFIX))
                return find_own_name(context, root, ret, reterr);
        *ret = arena_copy_n(context->arena, base, strlen(base) - strlen(PROFILE_SUFFIX));
        return *ret ? 0 : -ENOMEM;
}

bool file_bundle_is_file(const char *word) {
        return input_is_stdin(word) || strchr(word, '/') || endswith(word, ".yaml");
}

int file_bundle_load(Context *context, Host *host, const char *path, Bundle **ret, Error *reterr) {
        CLEANUP(fetcher_deinit)
        Fetcher fetcher = { .context = context, .host = host, .path = path };
        const char *name = NULL;
        int r = read_root(context, path, &fetcher.root);
        if (r == 0)
                r = find_name(context, path, fetcher.root, &name, reterr);
        if (r != 0)
                return r;
        r = bundle_load(name, fetch, &fetcher, context->findings, ret, reterr);
        if (r < 0)
                return r;
        if (r > 0)
                return FILE_BUNDLE_E_REFUSED;
        for (size_t i = 0; i < (*ret)->n_profiles; i++)
                report_missing(&fetcher, (*ret)->profiles[i]);
        return 0;
}
