/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/generation.h"

#include "model/sysctl-conf.h"

#include "fixture.h"

typedef struct KeyRow {
        const char *key, *value, *profile;
} KeyRow;

/* Keys and profile names in sorted order; the digest of a profile is that of its name. */
static Generation *make_generation(
                const KeyRow *rows, size_t n_rows, const char *const *names, size_t n_names) {
        Generation *generation = generation_new();
        assert_non_null(generation);
        GenerationKey *keys = arena_alloc_array(generation->arena, n_rows + 1, sizeof(*keys));
        GenerationProfile *profiles = arena_alloc_array(
                        generation->arena, n_names + 1, sizeof(*profiles));
        for (size_t i = 0; i < n_rows; i++)
                keys[i] = (GenerationKey){
                        .spec = catalogue_find(rows[i].key),
                        .value = fixture_value(rows[i].key, rows[i].value, generation->arena),
                        .profile = rows[i].profile,
                };
        for (size_t i = 0; i < n_names; i++)
                profiles[i] = (GenerationProfile){
                        .name = names[i], .digest = sha256_of(names[i], strlen(names[i]))
                };
        generation->number = 7;
        generation->keys = keys;
        generation->n_keys = n_rows;
        generation->profiles = profiles;
        generation->n_profiles = n_names;
        return generation;
}

static const KeyRow base_rows[] = {
        { "net.core.somaxconn", "8192", "web" },
        { "net.ipv4.ip_local_port_range", "20000 60999", "proxy" },
        { "net.ipv4.tcp_max_tw_buckets", "65536", "web" },
        { "net.ipv4.tcp_tw_reuse", "1", "proxy" },
};
static const char *const base_names[] = { "proxy", "web" };

static Generation *make_base(void) {
        return make_generation(
                        base_rows, ELEMENTSOF(base_rows), base_names, ELEMENTSOF(base_names));
}

static void test_free_nothing(void **state UNUSED) {
        assert_null(generation_free(NULL));
}

static void test_find(void **state UNUSED) {
        CLEANUP(generation_freep) Generation *g = make_base();
        for (size_t i = 0; i < ELEMENTSOF(base_rows); i++)
                assert_ptr_equal(
                                generation_find_key(g, catalogue_find(base_rows[i].key)),
                                &g->keys[i]);
        assert_null(generation_find_key(g, catalogue_find("net.ipv4.tcp_rfc1337")));
        assert_ptr_equal(generation_find_profile(g, "proxy"), &g->profiles[0]);
        assert_ptr_equal(generation_find_profile(g, "web"), &g->profiles[1]);
        assert_null(generation_find_profile(g, "other"));

        CLEANUP(generation_freep) Generation *empty = generation_new();
        assert_null(generation_find_key(empty, catalogue_find("net.core.somaxconn")));
        assert_null(generation_find_profile(empty, "web"));
}

typedef void (*Change)(Generation *g, GenerationKey *key, GenerationProfile *profile);

static void change_nothing(Generation *g, GenerationKey *key, GenerationProfile *profile UNUSED) {
        g->number = 99;
        g->parent = 3;
        g->created_us = 1;
        key->origin_known = true;
        key->origin = key->value;
}
static void change_value(Generation *g UNUSED, GenerationKey *key, GenerationProfile *p UNUSED) {
        key->value.ints[0]++;
}
static void change_owner(Generation *g UNUSED, GenerationKey *key, GenerationProfile *p UNUSED) {
        key->profile = "proxy";
}
static void change_pending(Generation *g UNUSED, GenerationKey *key, GenerationProfile *p UNUSED) {
        key->pending = true;
}
static void change_key(Generation *g UNUSED, GenerationKey *key, GenerationProfile *p UNUSED) {
        key->spec = catalogue_find("net.core.netdev_max_backlog");
}
static void change_n_keys(Generation *g, GenerationKey *key UNUSED, GenerationProfile *p UNUSED) {
        g->n_keys--;
}
static void change_n_profiles(Generation *g, GenerationKey *k UNUSED, GenerationProfile *p UNUSED) {
        g->n_profiles--;
}
static void change_name(Generation *g UNUSED, GenerationKey *key UNUSED, GenerationProfile *p) {
        p->name = "prox";
}
static void change_digest(Generation *g UNUSED, GenerationKey *key UNUSED, GenerationProfile *p) {
        p->digest.bytes[31] ^= 1;
}

static void test_same_content(void **state UNUSED) {
        static const struct {
                Change change;
                bool same;
        } rows[] = {
                { change_nothing, true },     { change_value, false }, { change_owner, false },
                { change_pending, false },    { change_key, false },   { change_n_keys, false },
                { change_n_profiles, false }, { change_name, false },  { change_digest, false },
        };
        CLEANUP(generation_freep) Generation *a = make_base();
        TEST_EACH(row, rows) {
                CLEANUP(generation_freep) Generation *b = make_base();
                row->change(b, (GenerationKey *) b->keys, (GenerationProfile *) b->profiles);
                assert_int_equal(generation_same_content(a, b), row->same);
                assert_int_equal(generation_same_content(b, a), row->same);
        }
}

static void test_same_content_of_nothing(void **state UNUSED) {
        CLEANUP(generation_freep) Generation *a = make_base();
        CLEANUP(generation_freep) Generation *empty = generation_new();
        assert_true(generation_same_content(NULL, NULL));
        assert_true(generation_same_content(NULL, empty));
        assert_true(generation_same_content(empty, NULL));
        assert_false(generation_same_content(a, NULL));
        assert_false(generation_same_content(NULL, a));
}

/* Read back by the parser of such files: write order, the values by type, and nothing else. */
static void test_render_fragment(void **state UNUSED) {
        static const struct {
                const char *key, *value;
        } rows[] = {
                { "net.ipv4.tcp_max_tw_buckets", "65536" },
                { "net.core.somaxconn", "8192" },
                { "net.ipv4.ip_local_port_range", "20000\t60999" },
                { "net.ipv4.tcp_tw_reuse", "1" },
        };
        CLEANUP(generation_freep) Generation *g = make_base();
        cleanup_free char *text = NULL;
        size_t length = 0;
        assert_int_equal(generation_render_fragment(g, &text, &length), 0);
        assert_int_equal(strlen(text), length);

        CLEANUP(arena_freep) Arena *arena = arena_new();
        SysctlConf conf = {};
        assert_int_equal(sysctl_conf_parse(text, length, arena, &conf), 0);
        assert_int_equal(conf.bad_line, 0);
        assert_int_equal(conf.n_items, ELEMENTSOF(rows));
        size_t i = 0;
        TEST_EACH(row, rows) {
                const SysctlAssignment *item = &conf.items[i++];
                assert_string_equal(item->key, row->key);
                assert_string_equal(item->value, row->value);
                assert_false(item->dash || item->glob || item->exclusion);
        }
        assert_non_null(strstr(text, "proxy"));
        assert_non_null(strstr(text, "web"));
}

static void test_render_fragment_of_no_profile(void **state UNUSED) {
        CLEANUP(generation_freep) Generation *g = generation_new();
        char *text = (char *) "untouched";
        size_t length = 1;
        assert_int_equal(generation_render_fragment(g, &text, &length), 0);
        assert_null(text);
        assert_int_equal(length, 0);
}

/* Every key skipped: the file says so by its head alone. */
static void test_render_fragment_without_keys(void **state UNUSED) {
        CLEANUP(generation_freep) Generation *g = make_generation(
                        NULL, 0, base_names, ELEMENTSOF(base_names));
        cleanup_free char *text = NULL;
        size_t length = 0;
        assert_int_equal(generation_render_fragment(g, &text, &length), 0);
        assert_true(length > 0);
        for (const char *line = text; *line; line = strchr(line, '\n') + 1)
                assert_true(*line == '#' || *line == '\n');
}

TEST_MAIN(cmocka_unit_test(test_free_nothing), cmocka_unit_test(test_find),
          cmocka_unit_test(test_same_content), cmocka_unit_test(test_same_content_of_nothing),
          cmocka_unit_test(test_render_fragment),
          cmocka_unit_test(test_render_fragment_of_no_profile),
          cmocka_unit_test(test_render_fragment_without_keys))
