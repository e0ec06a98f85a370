/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made-up host for the tests of merging and planning: profiles given as text, and a kernel that is a table
 * of keys and texts, read and written by type like the real one.
 */

#include "test.h"

#include "base/arena.h"
#include "model/bundle.h"
#include "model/plan.h"

/* ---- profiles -------------------------------------------------------------------------------------------- */

typedef struct FixtureProfile {
        const char *name;
        const char *text; /* behind the head: the lines from `include:` or `sysctl:` on */
} FixtureProfile;

typedef struct FixtureLibrary {
        const FixtureProfile *profiles;
        size_t n_profiles;
} FixtureLibrary;

#define FIXTURE_LIBRARY(array) \
        ((FixtureLibrary){ .profiles = (array), .n_profiles = ELEMENTSOF(array) })

/* A text of NULL makes the fetch fail like a masked profile, "!" like a broken disk. */
static inline int fixture_fetch(
                void *userdata, const char *name, DiagList *diags, Source **ret, Error *reterr) {
        const FixtureLibrary *library = userdata;
        for (size_t i = 0; i < library->n_profiles; i++) {
                const FixtureProfile *profile = &library->profiles[i];
                if (!streq(profile->name, name))
                        continue;
                if (!profile->text) {
                        (void) diag_add(diags, DIAG_PROFILE_MASKED, (Span){}, "masked");
                        return BUNDLE_E_INVALID;
                }
                if (streq(profile->text, "!"))
                        return error_set(reterr, -EIO, "cannot read '%s'", name);
                char path[256], text[16384];
                (void) snprintf(path, sizeof(path), "/usr/share/twprofile/profiles/%s.yaml", name);
                int n = snprintf(
                                text, sizeof(text), "version: 1\nname: %s\nsummary: a test\n%s",
                                name, profile->text);
                assert_in_range(n, 1, sizeof(text) - 1);
                *ret = source_new(path, text, (size_t) n);
                return *ret ? 0 : -ENOMEM;
        }
        return BUNDLE_E_NOT_FOUND;
}

static inline size_t fixture_count(const DiagList *list, DiagId id) {
        size_t n = 0;
        for (size_t i = 0; i < diag_list_count(list); i++)
                n += diag_list_get(list, i)->id == id;
        return n;
}

/* The first of its kind; there must be one. */
static inline const Diag *fixture_get(const DiagList *list, DiagId id) {
        size_t i = 0;
        while (i < diag_list_count(list) && diag_list_get(list, i)->id != id)
                i++;
        assert_true(i < diag_list_count(list));
        return diag_list_get(list, i);
}

static inline void fixture_print(const DiagList *list) {
        for (size_t i = 0; i < diag_list_count(list); i++) {
                const Diag *d = diag_list_get(list, i);
                print_error("%s: %s\n", diag_row(d->id)->name, d->message);
        }
}

/* The bundle of a profile that must be right. */
static inline Bundle *fixture_bundle(const FixtureLibrary *library, const char *name) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Bundle *bundle = NULL;
        Error error = {};
        int r = bundle_load(name, fixture_fetch, (void *) library, list, &bundle, &error);
        if (r != 0)
                fixture_print(list);
        assert_int_equal(r, 0);
        assert(bundle); /* cmocka's checks do not tell the compiler */
        return bundle;
}

#define FIXTURE_MAX_BUNDLES 8U

typedef struct FixtureBundles {
        Bundle *items[FIXTURE_MAX_BUNDLES];
        size_t n;
} FixtureBundles;

static inline void fixture_bundles_deinit(FixtureBundles *bundles) {
        for (size_t i = 0; i < bundles->n; i++)
                bundles->items[i] = bundle_free(bundles->items[i]);
        bundles->n = 0;
}

static inline const Bundle *const *fixture_bundles_items(const FixtureBundles *bundles) {
        return (const Bundle *const *) bundles->items;
}

/* Names with blanks between, sorted. */
static inline void fixture_bundles_load(
                FixtureBundles *bundles, const FixtureLibrary *library, const char *names) {
        char copy[256], *save = NULL;
        (void) snprintf(copy, sizeof(copy), "%s", names);
        for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
                assert_true(bundles->n < FIXTURE_MAX_BUNDLES);
                bundles->items[bundles->n++] = fixture_bundle(library, name);
        }
}

/* ---- the kernel ------------------------------------------------------------------------------------------ */

#define FIXTURE_ABSENT   "(absent)"
#define FIXTURE_DENIED   "(denied)"
#define FIXTURE_ASSUMED  "(assumed)" /* below --root */
#define FIXTURE_MAX_KEYS 16U

typedef struct FixtureKey {
        const char *key;
        const char *text; /* as the kernel prints it, or one of the words above */
} FixtureKey;

typedef struct FixtureKernel {
        FixtureKey keys[FIXTURE_MAX_KEYS]; /* in any order; what is not named is absent */
        KernelVersion version;             /* 0.0.0 stands for 6.12.0 */
        bool child_netns;
} FixtureKernel;

static inline FixtureKey *fixture_kernel_find(FixtureKernel *kernel, const char *key) {
        for (size_t i = 0; i < FIXTURE_MAX_KEYS && kernel->keys[i].key; i++)
                if (streq(kernel->keys[i].key, key))
                        return &kernel->keys[i];
        return NULL;
}

static inline const char *fixture_kernel_get(FixtureKernel *kernel, const char *key) {
        const FixtureKey *found = fixture_kernel_find(kernel, key);
        return found ? found->text : FIXTURE_ABSENT;
}

static inline void fixture_kernel_set(FixtureKernel *kernel, const char *key, const char *text) {
        FixtureKey *found = fixture_kernel_find(kernel, key);
        assert(found);
        found->text = text;
}

static inline LiveKey fixture_kernel_read(
                FixtureKernel *kernel, const SysctlSpec *spec, Arena *arena) {
        const char *text = fixture_kernel_get(kernel, spec->key);
        LiveKey live = { .spec = spec, .state = LIVE_ABSENT };
        if (streq(text, FIXTURE_ABSENT))
                return live;
        if (streq(text, FIXTURE_ASSUMED)) {
                live.state = LIVE_ASSUMED;
                return live;
        }
        if (streq(text, FIXTURE_DENIED)) {
                live.state = LIVE_UNREADABLE;
                live.error = EACCES;
                return live;
        }
        live.text = text;
        live.state = sysctl_value_from_kernel(spec, text, strlen(text), arena, &live.value) < 0
                                     ? LIVE_STRANGE
                                     : LIVE_PRESENT;
        return live;
}

/* Every key of the catalogue, so that no key can be missing. */
static inline LiveSnapshot fixture_kernel_snapshot(FixtureKernel *kernel, Arena *arena) {
        size_t n = catalogue_count();
        LiveKey *keys = arena_alloc_array(arena, n, sizeof(*keys));
        assert_non_null(keys);
        for (size_t i = 0; i < n; i++)
                keys[i] = fixture_kernel_read(kernel, catalogue_get(i), arena);
        bool given = kernel->version.major != 0;
        return (LiveSnapshot){
                .keys = keys,
                .n_keys = n,
                .kernel = given ? kernel->version : (KernelVersion){ 6, 12, 0 },
                .initial_netns = !kernel->child_netns,
        };
}

static inline SysctlValue fixture_value(const char *key, const char *text, Arena *arena) {
        SysctlValue value = {};
        const SysctlSpec *spec = catalogue_find(key);
        assert_non_null(spec);
        assert_int_equal(sysctl_value_from_kernel(spec, text, strlen(text), arena, &value), 0);
        return value;
}

static inline void fixture_assert_value(
                const SysctlSpec *spec, const SysctlValue *value, const char *want) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const char *text = sysctl_value_to_kernel(spec, value, arena);
        assert_non_null(text);
        assert_string_equal(text, want);
}

/* Without a current generation. */
static inline int fixture_build(
                const FixtureBundles *bundles, const LiveSnapshot *live, Arena *arena,
                DiagList *list, EffectiveSet *ret) {
        EffectiveInput input = { .bundles = fixture_bundles_items(bundles),
                                 .n_bundles = bundles->n,
                                 .live = live };
        return effective_set_build(&input, arena, list, ret, NULL);
}
