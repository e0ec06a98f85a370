/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/bundle.h"

#include "base/strbuf.h"

#include "fixture.h"

static void assert_setting(const Bundle *bundle, const char *key, const char *from, int64_t value) {
        const BundleSetting *setting = bundle_find_setting(bundle, catalogue_find(key));
        assert_non_null(setting);
        assert_string_equal(setting->from->name, from);
        assert_int_equal(setting->setting->value.ints[0], value);
}

/* a → b, c; b → d; c → d: what is nearer to the root wins, each profile is there once. */
static const FixtureProfile diamond[] = {
        { "a", "include: [b, c]\nsysctl:\n  net.core.somaxconn: 1024\n" },
        { "b", "include: [d]\nsysctl:\n  net.ipv4.tcp_tw_reuse: 1\n  net.core.somaxconn: 2048\n" },
        { "c", "include: [d]\nsysctl:\n  net.ipv4.tcp_rfc1337: 0\n  net.core.somaxconn: 4096\n" },
        { "d", "sysctl:\n  net.ipv4.tcp_timestamps: 1\n  net.ipv4.tcp_retries2: 10\n" },
};

static void test_load_diamond(void **state UNUSED) {
        FixtureLibrary library = FIXTURE_LIBRARY(diamond);
        CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, "a");

        static const char *const order[] = { "a", "b", "d", "c" };
        assert_int_equal(bundle->n_profiles, ELEMENTSOF(order));
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                assert_string_equal(bundle->profiles[i]->name, order[i]);
        assert_ptr_equal(bundle_root(bundle), bundle->profiles[0]);

        assert_int_equal(bundle->n_settings, 5);
        for (size_t i = 1; i < bundle->n_settings; i++)
                assert_true(strcmp(bundle->settings[i - 1].setting->spec->key,
                                   bundle->settings[i].setting->spec->key) < 0);
        assert_setting(bundle, "net.core.somaxconn", "a", 1024);
        assert_setting(bundle, "net.ipv4.tcp_tw_reuse", "b", 1);
        assert_setting(bundle, "net.ipv4.tcp_rfc1337", "c", 0);
        assert_setting(bundle, "net.ipv4.tcp_timestamps", "d", 1);
        assert_setting(bundle, "net.ipv4.tcp_retries2", "d", 10);
        assert_null(bundle_find_setting(bundle, catalogue_find("net.ipv4.tcp_syncookies")));
        assert_null(bundle_find_setting(bundle, catalogue_get(catalogue_count() - 1)));
}

/* The includer's word replaces the included one whole, also where its `when` will not hold. */
static void test_load_includer_replaces_whatever_when(void **state UNUSED) {
        static const FixtureProfile profiles[] = {
                { "inner", "sysctl:\n  net.ipv4.tcp_retries2: {at-least: 9}\n" },
                { "outer",
                  "include: [inner]\n"
                  "sysctl:\n  net.ipv4.tcp_retries2: {value: 12, when: {kernel: \">=9.0\"}}\n" },
        };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, "outer");
        assert_int_equal(bundle->n_settings, 1);
        assert_setting(bundle, "net.ipv4.tcp_retries2", "outer", 12);
}

static void test_digest_follows_every_byte(void **state UNUSED) {
        const FixtureProfile same[] = {
                { "a", "include: [b, c]\nsysctl:\n  net.core.somaxconn: 1024\n" },
                diamond[1],
                diamond[2],
                diamond[3]
        };
        const FixtureProfile other[] = {
                { "a", "include: [b, c]\nsysctl:\n  net.core.somaxconn: 1024\n" },
                diamond[1],
                diamond[2],
                { "d",
                  "sysctl:\n  net.ipv4.tcp_timestamps: 1\n  net.ipv4.tcp_retries2: 10 # no\n" },
        };
        const FixtureLibrary libraries[] = { FIXTURE_LIBRARY(diamond), FIXTURE_LIBRARY(same),
                                             FIXTURE_LIBRARY(other) };
        CLEANUP(bundle_freep) Bundle *a = fixture_bundle(&libraries[0], "a");
        CLEANUP(bundle_freep) Bundle *b = fixture_bundle(&libraries[1], "a");
        CLEANUP(bundle_freep) Bundle *c = fixture_bundle(&libraries[2], "a");
        CLEANUP(bundle_freep) Bundle *d = fixture_bundle(&libraries[2], "b");
        assert_true(sha256_equal(&a->digest, &b->digest));
        assert_false(sha256_equal(&a->digest, &c->digest));
        assert_false(sha256_equal(&c->digest, &d->digest));
}

static void test_accepts_of_root_and_includes(void **state UNUSED) {
        static const FixtureProfile profiles[] = {
                { "plain", "include: [inner]\nsysctl:\n  net.core.somaxconn: 1024\n" },
                { "outer", "include: [inner]\nsysctl:\n  net.core.somaxconn: 1024\n"
                           "accept:\n  - {rule: time-wait-below-rfc, reason: outer}\n" },
                { "inner", "sysctl:\n  net.core.somaxconn: 1024\n"
                           "accept:\n  - {rule: time-wait-below-rfc, reason: inner}\n" },
        };
        static const struct {
                const char *root, *reason;
        } rows[] = { { "plain", "inner" }, { "outer", "outer" }, { "inner", "inner" } };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        TEST_EACH(row, rows) {
                CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, row->root);
                const char *reason = NULL;
                assert_true(bundle_accepts(bundle, "time-wait-below-rfc", &reason));
                assert_string_equal(reason, row->reason);
                assert_true(bundle_accepts(bundle, "time-wait-below-rfc", NULL));
                assert_false(bundle_accepts(bundle, "fin-timeout-shortened", &reason));
        }
}

#define SETS(text) "sysctl:\n  net.ipv4.tcp_retries2: " text "\n"
#define SIBLINGS(key, one, two)                                                           \
        {                                                                                 \
                { "root", "include: [one, two]\nsysctl:\n  net.core.somaxconn: 1024\n" }, \
                                { "one", "sysctl:\n  " key ": " one "\n" },               \
                                { "two", "sysctl:\n  " key ": " two "\n" },               \
        }

static void test_siblings(void **state UNUSED) {
        static const struct {
                FixtureProfile profiles[3];
                bool conflict;
        } rows[] = {
                { SIBLINGS("net.ipv4.tcp_retries2", "9", "9"), false },
                { SIBLINGS("net.ipv4.tcp_retries2", "{at-least: 9}", "{at-least: 9}"), false },
                { SIBLINGS("net.ipv4.tcp_retries2", "9", "10"), true },
                { SIBLINGS("net.ipv4.tcp_retries2", "9", "{at-least: 9}"), true },
                { SIBLINGS("net.ipv4.tcp_retries2", "{at-most: 9}", "{at-least: 9}"), true },
                { SIBLINGS("net.ipv4.tcp_retries2", "9", "{value: 9, when: present}"), true },
                { SIBLINGS("net.ipv4.tcp_retries2", "{value: 9, when: {kernel: \">=5.10\"}}",
                           "{value: 9, when: {kernel: \">=5.10\"}}"),
                  false },
                { SIBLINGS("net.ipv4.tcp_retries2", "{value: 9, when: {kernel: \">=5.10\"}}",
                           "{value: 9, when: {kernel: \">5.10\"}}"),
                  true },
                { SIBLINGS("net.ipv4.tcp_retries2", "{value: 9, when: {kernel: \">=5.10\"}}",
                           "{value: 9, when: {kernel: \">=5.11\"}}"),
                  true },
                /* the same set of ports in another spelling */
                { SIBLINGS("net.ipv4.ip_local_reserved_ports", "[8080, 8081]", "[\"8080-8081\"]"),
                  false },
        };
        TEST_EACH(row, rows) {
                FixtureLibrary library = FIXTURE_LIBRARY(row->profiles);
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(bundle_freep) Bundle *bundle = NULL;
                Error error = {};
                int r = bundle_load("root", fixture_fetch, &library, list, &bundle, &error);
                assert_int_equal(r, row->conflict ? BUNDLE_E_INVALID : 0);
                assert_int_equal(fixture_count(list, DIAG_INCLUDE_CONFLICT), row->conflict ? 1 : 0);
                assert_int_equal(diag_list_count(list), row->conflict ? 1 : 0);
                if (!row->conflict)
                        continue;
                const Diag *d = diag_list_get(list, 0);
                assert_string_equal(
                                source_name(d->span.source),
                                "/usr/share/twprofile/profiles/two.yaml");
                assert_int_equal(d->n_labels, 1);
                assert_string_equal(
                                source_name(d->labels[0].span.source),
                                "/usr/share/twprofile/profiles/one.yaml");
                assert_int_equal(d->labels[0].span.line, 5);
                assert_string_equal(d->profile, "root");
                assert_non_null(strstr(d->help, "root"));
        }
}

/* Whoever includes both has to say it, not somebody further out; then nobody asks any more. */
static void test_siblings_settled_by_their_includer_only(void **state UNUSED) {
        static const struct {
                FixtureProfile profiles[4];
                bool conflict;
        } rows[] = {
                { { { "root", "include: [middle]\n" SETS("8") },
                    { "middle", "include: [one, two]\nsysctl:\n  net.core.somaxconn: 1024\n" },
                    { "one", SETS("9") },
                    { "two", SETS("10") } },
                  true },
                { { { "root", "include: [middle]\nsysctl:\n  net.core.somaxconn: 1024\n" },
                    { "middle", "include: [one, two]\n" SETS("8") },
                    { "one", SETS("9") },
                    { "two", SETS("10") } },
                  false },
                /* a subtree that sets what its own include sets differs from that include */
                { { { "root", "include: [middle, one]\nsysctl:\n  net.core.somaxconn: 1024\n" },
                    { "middle", "include: [one]\n" SETS("8") },
                    { "one", SETS("9") },
                    { "two", SETS("10") } },
                  true },
        };
        TEST_EACH(row, rows) {
                FixtureLibrary library = FIXTURE_LIBRARY(row->profiles);
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(bundle_freep) Bundle *bundle = NULL;
                int r = bundle_load("root", fixture_fetch, &library, list, &bundle, NULL);
                assert_int_equal(r, row->conflict ? BUNDLE_E_INVALID : 0);
                assert_int_equal(fixture_count(list, DIAG_INCLUDE_CONFLICT), row->conflict ? 1 : 0);
        }
}

#define LINK(name, next) \
        { name, "include: [" next "]\nsysctl:\n  net.core.somaxconn: 1024\n" }
#define LEAF(name) \
        { name, "sysctl:\n  net.core.somaxconn: 1024\n" }

static void test_include_faults(void **state UNUSED) {
        static const struct {
                FixtureProfile profiles[12];
                const char *root;
                int outcome;
                DiagId id;
                size_t count;
                const char *message; /* a part of it */
        } rows[] = {
                { { LINK("a", "b"), LINK("b", "c"), LINK("c", "b") },
                  "a",
                  BUNDLE_E_INVALID,
                  DIAG_INCLUDE_CYCLE,
                  1,
                  "'b' includes 'c' includes 'b'" },
                { { LINK("a", "b"), LINK("b", "a") },
                  "a",
                  BUNDLE_E_INVALID,
                  DIAG_INCLUDE_CYCLE,
                  1,
                  "'a' includes 'b' includes 'a'" },
                { { LINK("a", "b, nowhere, nobody"), LEAF("b") },
                  "a",
                  BUNDLE_E_INVALID,
                  DIAG_INCLUDE_NOT_FOUND,
                  2,
                  "'nowhere'" },
                { { LINK("a", "b"), { "b", NULL } },
                  "a",
                  BUNDLE_E_INVALID,
                  DIAG_PROFILE_MASKED,
                  1,
                  "masked" },
                /* refused texts are reported once however often they are met */
                { { LINK("a", "b, c"), LINK("b", "c"), { "c", "sysctl:\n  no.such.key: 1\n" } },
                  "a",
                  BUNDLE_E_INVALID,
                  DIAG_UNKNOWN_KEY,
                  1,
                  "no.such.key" },
                { { { "a", "sysctl:\n  no.such.key: 1\n" } },
                  "a",
                  BUNDLE_E_INVALID,
                  DIAG_UNKNOWN_KEY,
                  1,
                  "no.such.key" },
                { { { "a", NULL } }, "a", BUNDLE_E_INVALID, DIAG_PROFILE_MASKED, 1, "masked" },
                { { LINK("p0", "p1"), LINK("p1", "p2"), LINK("p2", "p3"), LINK("p3", "p4"),
                    LINK("p4", "p5"), LINK("p5", "p6"), LINK("p6", "p7"), LINK("p7", "p8"),
                    LEAF("p8") },
                  "p0",
                  0,
                  DIAG_INCLUDE_TOO_DEEP,
                  0,
                  NULL },
                { { LINK("p0", "p1"), LINK("p1", "p2"), LINK("p2", "p3"), LINK("p3", "p4"),
                    LINK("p4", "p5"), LINK("p5", "p6"), LINK("p6", "p7"), LINK("p7", "p8"),
                    LINK("p8", "p9"), LEAF("p9") },
                  "p0",
                  BUNDLE_E_INVALID,
                  DIAG_INCLUDE_TOO_DEEP,
                  1,
                  "'p9'" },
                /* p5 is met first right below the root, where its tail is short enough */
                { { LINK("p0", "p5, p1"), LINK("p1", "p2"), LINK("p2", "p3"), LINK("p3", "p4"),
                    LINK("p4", "p5"), LINK("p5", "p6"), LINK("p6", "p7"), LINK("p7", "p8"),
                    LINK("p8", "p9"), LEAF("p9") },
                  "p0",
                  BUNDLE_E_INVALID,
                  DIAG_INCLUDE_TOO_DEEP,
                  1,
                  "'p5'" },
        };
        TEST_EACH(row, rows) {
                size_t n = 0;
                while (n < ELEMENTSOF(row->profiles) && row->profiles[n].name)
                        n++;
                FixtureLibrary library = { .profiles = row->profiles, .n_profiles = n };
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(bundle_freep) Bundle *bundle = NULL;
                int r = bundle_load(row->root, fixture_fetch, &library, list, &bundle, NULL);
                assert_int_equal(r, row->outcome);
                assert_int_equal(bundle == NULL, r != 0);
                assert_int_equal(fixture_count(list, row->id), row->count);
                assert_int_equal(diag_list_count_errors(list), row->count);
                if (row->count > 0)
                        assert_non_null(strstr(fixture_get(list, row->id)->message, row->message));
        }
}

static void test_root_that_is_not_there(void **state UNUSED) {
        FixtureLibrary library = FIXTURE_LIBRARY(diamond);
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Bundle *bundle = NULL;
        assert_int_equal(
                        bundle_load("z", fixture_fetch, &library, list, &bundle, NULL),
                        BUNDLE_E_NOT_FOUND);
        assert_null(bundle);
        assert_int_equal(diag_list_count(list), 0);
}

static void test_fetch_that_fails(void **state UNUSED) {
        static const struct {
                FixtureProfile profiles[2];
                const char *text;
        } rows[] = {
                { { { "a", "!" }, LEAF("b") },
                  "cannot load profile 'a': cannot read 'a': Input/output error" },
                { { LINK("a", "b"), { "b", "!" } },
                  "cannot include profile 'b': cannot read 'b': Input/output error" },
        };
        TEST_EACH(row, rows) {
                FixtureLibrary library = FIXTURE_LIBRARY(row->profiles);
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                Bundle *bundle = NULL;
                Error error = {};
                assert_int_equal(
                                bundle_load("a", fixture_fetch, &library, list, &bundle, &error),
                                -EIO);
                assert_string_equal(error.text, row->text);
        }
}

/* a includes ba to bp, and each of those 16 more: 1 + 16 + 256. */
static int fetch_many(
                void *userdata UNUSED, const char *name, DiagList *diags UNUSED, Source **ret,
                Error *reterr UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_addf(&text, "version: 1\nname: %s\nsummary: a test\n", name);
        for (char i = 'a'; name[0] < 'c' && i <= 'p'; i++)
                strbuf_addf(&text, "%s%c%s%c", i == 'a' ? "include: [" : ", ", name[0] + 1,
                            name + 1, i);
        strbuf_addf(&text, "%ssysctl:\n  net.core.somaxconn: 1024\n", name[0] < 'c' ? "]\n" : "");
        *ret = source_new(name, text.data, text.length);
        return *ret ? 0 : -ENOMEM;
}

static void test_too_many_profiles(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Bundle *bundle = NULL;
        assert_int_equal(bundle_load("a", fetch_many, NULL, list, &bundle, NULL), BUNDLE_E_INVALID);
        assert_true(fixture_count(list, DIAG_TOO_MANY_PROFILES) > 0);
        assert_int_equal(fixture_count(list, DIAG_TOO_MANY_PROFILES), diag_list_count(list));
}

static void test_free_nothing(void **state UNUSED) {
        assert_null(bundle_free(NULL));
}

TEST_MAIN(cmocka_unit_test(test_load_diamond),
          cmocka_unit_test(test_load_includer_replaces_whatever_when),
          cmocka_unit_test(test_digest_follows_every_byte),
          cmocka_unit_test(test_accepts_of_root_and_includes), cmocka_unit_test(test_siblings),
          cmocka_unit_test(test_siblings_settled_by_their_includer_only),
          cmocka_unit_test(test_include_faults), cmocka_unit_test(test_root_that_is_not_there),
          cmocka_unit_test(test_fetch_that_fails), cmocka_unit_test(test_too_many_profiles),
          cmocka_unit_test(test_free_nothing))
