/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/generation.h"

#include "model/sysctl-conf.h"

Generation *generation_new(void) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return NULL;

        /* Inside its own arena, so that freeing the arena frees all of it. */
        Generation *generation = arena_alloc(arena, sizeof(*generation));
        if (!generation)
                return NULL;

        generation->arena = TAKE_PTR(arena);
        return generation;
}

Generation *generation_free(Generation *generation) {
        if (generation)
                (void) arena_free(generation->arena);
        return NULL;
}

static int compare_key(const void *key, const void *row) {
        return strcmp(key, ((const GenerationKey *) row)->spec->key);
}

static int compare_profile(const void *name, const void *row) {
        return strcmp(name, ((const GenerationProfile *) row)->name);
}

const GenerationKey *generation_find_key(const Generation *generation, const SysctlSpec *spec) {
        if (generation->n_keys == 0)
                return NULL;

        return bsearch(spec->key, generation->keys, generation->n_keys, sizeof(GenerationKey),
                       compare_key);
}

const GenerationProfile *generation_find_profile(const Generation *generation, const char *name) {
        if (generation->n_profiles == 0)
                return NULL;

        return bsearch(name, generation->profiles, generation->n_profiles,
                       sizeof(GenerationProfile), compare_profile);
}

static bool same_profile(const GenerationProfile *a, const GenerationProfile *b) {
        return streq(a->name, b->name) && sha256_equal(&a->digest, &b->digest);
}

static bool same_key(const GenerationKey *a, const GenerationKey *b) {
        return streq(a->spec->key, b->spec->key) && sysctl_value_equal(&a->value, &b->value) &&
               streq(a->profile, b->profile) && a->pending == b->pending &&
               streq_null(a->adopted, b->adopted);
}

bool generation_same_content(const Generation *a, const Generation *b) {
        static const Generation nothing = {};
        if (!a)
                a = &nothing;
        if (!b)
                b = &nothing;

        if (a->n_profiles != b->n_profiles || a->n_keys != b->n_keys)
                return false;
        for (size_t i = 0; i < a->n_profiles; i++)
                if (!same_profile(&a->profiles[i], &b->profiles[i]))
                        return false;
        for (size_t i = 0; i < a->n_keys; i++)
                if (!same_key(&a->keys[i], &b->keys[i]))
                        return false;
        return true;
}

/* Write order, and the key where that is equal: both tools that read the fragment write from top to bottom. */
static int compare_write_order(const void *a, const void *b) {
        const GenerationKey *x = *(const GenerationKey *const *) a;
        const GenerationKey *y = *(const GenerationKey *const *) b;
        if (x->spec->write_order != y->spec->write_order)
                return x->spec->write_order < y->spec->write_order ? -1 : 1;
        return strcmp(x->spec->key, y->spec->key);
}

static FragmentLine *make_lines(const Generation *generation, Arena *arena) {
        const GenerationKey **sorted = arena_alloc_array(
                        arena, generation->n_keys + 1, sizeof(const GenerationKey *));
        FragmentLine *lines = arena_alloc_array(arena, generation->n_keys + 1, sizeof(*lines));
        if (!sorted || !lines)
                return NULL;

        for (size_t i = 0; i < generation->n_keys; i++)
                sorted[i] = &generation->keys[i];
        qsort(sorted, generation->n_keys, sizeof(const GenerationKey *), compare_write_order);

        for (size_t i = 0; i < generation->n_keys; i++) {
                const GenerationKey *key = sorted[i];
                const char *value = sysctl_value_to_kernel(key->spec, &key->value, arena);
                if (!value)
                        return NULL;
                lines[i] = (FragmentLine){ .path = key->spec->path,
                                           .value = value,
                                           .comment = key->profile };
        }
        return lines;
}

int generation_render_fragment(const Generation *generation, char **ret, size_t *ret_length) {
        if (generation->n_profiles == 0) {
                *ret = NULL;
                *ret_length = 0;
                return 0;
        }

        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return -ENOMEM;
        const char **names = arena_alloc_array(arena, generation->n_profiles, sizeof(const char *));
        const FragmentLine *lines = make_lines(generation, arena);
        if (!names || !lines)
                return -ENOMEM;
        for (size_t i = 0; i < generation->n_profiles; i++)
                names[i] = generation->profiles[i].name;

        CLEANUP(strbuf_deinit) StrBuf text = {};
        sysctl_conf_render(
                        &(FragmentHead){ .generation = generation->number,
                                         .profiles = names,
                                         .n_profiles = generation->n_profiles },
                        lines, generation->n_keys, &text);
        size_t length = text.length;
        int r = strbuf_finish(&text, ret);
        if (r < 0)
                return r;
        *ret_length = length;
        return 0;
}
