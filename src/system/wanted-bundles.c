/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/wanted-bundles.h"

typedef struct Loader {
        const WantedRequest *request;
        DiagList *findings;
        WantedBundles *wanted;
        bool refused;
} Loader;

void wanted_bundles_deinit(WantedBundles *wanted) {
        for (size_t i = 0; i < wanted->n_bundles; i++)
                (void) bundle_free(wanted->bundles[i]);
        free(wanted->bundles);
        *wanted = (WantedBundles){ 0 };
}

static int wanted_fetch_stored(
                void *userdata, const char *name, DiagList *diags UNUSED, Source **ret,
                Error *reterr) {
        const GenerationProfile *profile = userdata;

        for (size_t i = 0; i < profile->n_files; i++) {
                const GenerationFile *file = &profile->files[i];
                if (!streq(file->name, name))
                        continue;
                *ret = source_new(file->path, file->bytes, file->length);
                return *ret ? 0 : error_set(reterr, -ENOMEM, "cannot read profile '%s'", name);
        }
        return BUNDLE_E_NOT_FOUND;
}

static bool wanted_is_named(const WantedRequest *request, const char *name) {
        for (size_t i = 0; i < request->n_names; i++)
                if (streq(request->names[i], name))
                        return true;
        return false;
}

static bool wanted_has(const WantedBundles *wanted, const char *name) {
        for (size_t i = 0; i < wanted->n_bundles; i++)
                if (streq(bundle_root(wanted->bundles[i])->name, name))
                        return true;
        return false;
}

static void wanted_report_unknown(Loader *l, const char *name) {
        Diag *d = diag_add(
                        l->findings, DIAG_UNKNOWN_PROFILE, (Span){ 0 }, "there is no profile '%s'",
                        name);
        diag_set_profile(l->findings, d, name);
        diag_set_help(l->findings, d, "'twprofile list' shows what there is");
        l->refused = true;
}

static int wanted_load_one(
                Loader *l, const char *name, BundleFetch fetch, const void *userdata,
                Error *reterr) {
        CLEANUP(bundle_freep) Bundle *bundle = NULL;
        int r = bundle_load(name, fetch, (void *) userdata, l->findings, &bundle, reterr);
        if (r < 0)
                return r;
        if (r == BUNDLE_E_NOT_FOUND)
                wanted_report_unknown(l, name);
        else if (r != 0)
                l->refused = true;
        else
                l->wanted->bundles[l->wanted->n_bundles++] = TAKE_PTR(bundle);
        return 0;
}

static int wanted_load_named(Loader *l, Error *reterr) {
        const WantedRequest *request = l->request;
        for (size_t i = 0; i < request->n_names; i++) {
                if (wanted_has(l->wanted, request->names[i]))
                        continue;
                int r = wanted_load_one(
                                l, request->names[i], profile_dirs_fetch, request->dirs, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int wanted_load_stored(Loader *l, Error *reterr) {
        const Generation *current = l->request->current;
        for (size_t i = 0; current && i < current->n_profiles; i++) {
                const GenerationProfile *profile = &current->profiles[i];
                if (wanted_is_named(l->request, profile->name))
                        continue;
                int r = wanted_load_one(l, profile->name, wanted_fetch_stored, profile, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A name to be disabled must mean something, or a typing error would pass for success. */
static int wanted_check_disabled(Loader *l, Error *reterr) {
        const WantedRequest *request = l->request;
        for (size_t i = 0; i < request->n_names; i++) {
                const char *name = request->names[i];
                if (request->current && generation_find_profile(request->current, name))
                        continue;

                CLEANUP(source_freep) Source *source = NULL;
                CLEANUP(diag_list_freep) DiagList *ignored = diag_list_new();
                if (!ignored)
                        return error_set(reterr, -ENOMEM, "cannot look for profile '%s'", name);
                int r = profile_dirs_fetch((void *) request->dirs, name, ignored, &source, reterr);
                if (r < 0)
                        return r;
                if (r == BUNDLE_E_NOT_FOUND) {
                        wanted_report_unknown(l, name);
                        continue;
                }
                Diag *d = diag_add(
                                l->findings, DIAG_NOT_ENABLED, (Span){ 0 },
                                "profile '%s' is not enabled", name);
                diag_set_profile(l->findings, d, name);
        }
        return 0;
}

static int wanted_compare(const void *a, const void *b) {
        return strcmp(bundle_root(*(Bundle *const *) a)->name,
                      bundle_root(*(Bundle *const *) b)->name);
}

int wanted_bundles_load(
                const WantedRequest *request, DiagList *findings, WantedBundles *ret,
                Error *reterr) {
        size_t most = request->n_names + (request->current ? request->current->n_profiles : 0);

        CLEANUP(wanted_bundles_deinit)
        WantedBundles wanted = { .bundles = calloc(most + 1, sizeof(Bundle *)) };
        if (!wanted.bundles)
                return error_set(reterr, -ENOMEM, "cannot load profiles");

        Loader l = { .request = request, .findings = findings, .wanted = &wanted };
        int r = request->verb == WANTED_DISABLE ? wanted_check_disabled(&l, reterr)
                                                : wanted_load_named(&l, reterr);
        if (r >= 0 && request->verb != WANTED_ONLY)
                r = wanted_load_stored(&l, reterr);
        if (r < 0)
                return r;
        if (l.refused)
                return WANTED_E_REFUSED;

        if (wanted.n_bundles > 1)
                qsort(wanted.bundles, wanted.n_bundles, sizeof(Bundle *), wanted_compare);
        *ret = wanted;
        wanted = (WantedBundles){ 0 };
        return 0;
}
