/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Made-up records for the tests of the formats, and an allocator for jansson that fails at the call it is told
 * to, so that "out of memory" is a row like any other.
 */

#include "test.h"

#include "base/arena.h"
#include "record/generation-format.h"
#include "record/journal-payload.h"

#define TEST_TX       "0f2c5a1e-7b1d-4c8e-9a54-3f0b6d2e8c11"
#define TEST_TX_OTHER "0f2c5a1e-7b1d-4c8e-9a54-3f0b6d2e8c12"
#define TEST_BOOT     "c0ffee00-1234-4abc-8def-00112233aabb"

#define TEST_INSTANCE \
        { .boot_id = TEST_BOOT, .netns_inode = 4026531840, .netns_cookie = UINT64_MAX }

/* --- a generation --------------------------------------------------------------------------------------- */

static const struct {
        const char *key, *value, *origin; /* NULL: not known */
        bool pending;
} test_rows[] = {
        { "net.core.somaxconn", "4096", "128", false },
        { "net.ipv4.ip_local_port_range", "1024\t65000", "32768\t60999", false },
        { "net.ipv4.ip_local_reserved_ports", "8080,9000-9010", "", false },
        { "net.ipv4.tcp_fin_timeout", "30", NULL, true },
};

static inline void test_value(
                const SysctlSpec *spec, const char *text, Arena *arena, SysctlValue *ret) {
        assert_int_equal(sysctl_value_from_kernel(spec, text, strlen(text), arena, ret), 0);
}

/* One profile with an include and the rows above; `extra` bytes are added to the include's text. */
static inline Generation *test_generation(size_t extra) {
        Generation *g = generation_new();
        assert_non_null(g);

        static const char include_text[] = "version: 1\nname: base\n# quote \" and \\ and ü\t\n";
        size_t length = sizeof(include_text) - 1 + extra;
        char *text = arena_alloc(g->arena, length + 1);
        GenerationFile *files = arena_alloc_array(g->arena, 2, sizeof(*files));
        GenerationProfile *profile = arena_alloc(g->arena, sizeof(*profile));
        GenerationKey *keys = arena_alloc_array(g->arena, ELEMENTSOF(test_rows), sizeof(*keys));
        assert_true(text && files && profile && keys);

        memset(text, 'x', length);
        memcpy(text, include_text, sizeof(include_text) - 1);
        files[0] = (GenerationFile){ "web", "/etc/twprofile/profiles/web.yaml", "version: 1\n",
                                     11 };
        files[1] = (GenerationFile){ "base", "/usr/share/twprofile/profiles/base.yaml", text,
                                     length };
        *profile = (GenerationProfile){
                .name = "web", .digest = sha256_of("web", 3), .files = files, .n_files = 2
        };

        for (size_t i = 0; i < ELEMENTSOF(test_rows); i++) {
                keys[i].spec = catalogue_find(test_rows[i].key);
                assert_non_null(keys[i].spec);
                keys[i].profile = "web";
                keys[i].pending = test_rows[i].pending;
                test_value(keys[i].spec, test_rows[i].value, g->arena, &keys[i].value);
                keys[i].origin_known = test_rows[i].origin != NULL;
                if (test_rows[i].origin)
                        test_value(keys[i].spec, test_rows[i].origin, g->arena, &keys[i].origin);
        }

        g->number = 7;
        g->parent = 5;
        g->tx = TEST_TX;
        g->created_us = 1700000000000001;
        g->profiles = profile;
        g->n_profiles = 1;
        g->keys = keys;
        g->n_keys = ELEMENTSOF(test_rows);
        g->has_fragment = true;
        g->fragment = sha256_of("fragment", 8);
        return g;
}

static inline void test_generations_equal(const Generation *a, const Generation *b) {
        assert_true(generation_same_content(a, b));
        if (!a || !b)
                return;
        assert_int_equal(a->number, b->number);
        assert_int_equal(a->parent, b->parent);
        assert_true(streq_null(a->tx, b->tx));
        assert_int_equal(a->created_us, b->created_us);
        assert_int_equal(a->has_fragment, b->has_fragment);
        assert_memory_equal(&a->fragment, &b->fragment, sizeof(a->fragment));
        for (size_t i = 0; i < a->n_keys; i++) {
                assert_int_equal(a->keys[i].origin_known, b->keys[i].origin_known);
                if (a->keys[i].origin_known)
                        assert_true(sysctl_value_equal(&a->keys[i].origin, &b->keys[i].origin));
        }
        for (size_t i = 0; i < a->n_profiles; i++) {
                assert_int_equal(a->profiles[i].n_files, b->profiles[i].n_files);
                for (size_t j = 0; j < a->profiles[i].n_files; j++) {
                        const GenerationFile *x = &a->profiles[i].files[j],
                                             *y = &b->profiles[i].files[j];
                        assert_string_equal(x->name, y->name);
                        assert_string_equal(x->path, y->path);
                        assert_int_equal(x->length, y->length);
                        assert_memory_equal(x->bytes, y->bytes, x->length);
                }
        }
}

/* --- texts ---------------------------------------------------------------------------------------------- */

/* What is in the buffer; the caller frees. (strbuf_finish() through an inlined caller makes gcc 12 see a pointer
 * that dangles.) */
static inline char *test_text_of(const StrBuf *buf) {
        char *text = strndup(strbuf_text(buf), buf->length);
        assert_non_null(text);
        return text;
}

/* `text` with the first `from` replaced by `to`, which must be there. The caller frees. */
static inline char *test_replace(const char *text, const char *from, const char *to) {
        const char *at = strstr(text, from);
        assert_non_null(at);
        CLEANUP(strbuf_deinit) StrBuf b = {};
        strbuf_add_bytes(&b, text, (size_t) (at - text));
        strbuf_add(&b, to);
        strbuf_add(&b, at + strlen(from));
        return test_text_of(&b);
}

static inline void test_error_says(const Error *error, const char *what) {
        if (!strstr(error->text, what))
                fail_msg("'%s' does not say '%s'", error->text, what);
}

/* --- memory that runs out ------------------------------------------------------------------------------- */

static size_t test_allocations_left = SIZE_MAX;
static bool test_memory_is_back; /* after the one allocation that failed */

static void *test_failing_malloc(size_t n) {
        if (test_allocations_left > 0) {
                test_allocations_left--;
                return malloc(n);
        }
        if (test_memory_is_back)
                test_allocations_left = SIZE_MAX;
        return NULL;
}

/* jansson gets `n` more allocations from now on. */
static inline void test_jansson_allow(size_t n) {
        test_allocations_left = n;
        json_set_alloc_funcs(test_failing_malloc, free);
}

static inline void test_jansson_allow_all(void) {
        test_memory_is_back = false;
        json_set_alloc_funcs(malloc, free);
}

/* Writes without memory, from each allocation on and at each one alone. What is written then is what would have been
 * written, whole, or nothing: no member may be left out. The number of allocations. */
static inline size_t test_write_without_memory(
                int (*encode)(const void *thing, StrBuf *out), const void *thing) {
        CLEANUP(strbuf_deinit) StrBuf whole = {};
        assert_int_equal(encode(thing, &whole), 0);
        size_t n = 0;
        for (bool has_failed = true; has_failed; n++) {
                has_failed = false;
                for (int once = 0; once < 2; once++) {
                        CLEANUP(strbuf_deinit) StrBuf out = {};
                        test_memory_is_back = once;
                        test_jansson_allow(n);
                        int r = encode(thing, &out);
                        test_jansson_allow_all();
                        assert_true(r == 0 || r == -ENOMEM);
                        has_failed |= r < 0;
                        if (r == 0)
                                assert_string_equal(strbuf_text(&out), strbuf_text(&whole));
                }
        }
        return n;
}
