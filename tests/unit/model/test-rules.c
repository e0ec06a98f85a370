/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules.h"

#include "fixture.h"

#define TIMEOUT "net.ipv4.tcp_tw_timeout"
#define REUSE   "net.ipv4.tcp_tw_reuse"
#define STAMPS  "net.ipv4.tcp_timestamps"
#define FIN     "net.ipv4.tcp_fin_timeout"
#define RANGE   "net.ipv4.ip_local_port_range"

/* A set of made-up values: some of these never pass a profile's own check, and the rules must hold without it.
 * Every key stands in the profile "a" with a harmless value. */
static const FixtureProfile plain[] = {
        { "a", "sysctl:\n  " TIMEOUT ": 60\n  " REUSE ": 0\n  " STAMPS ": 1\n  " FIN
               ": 60\n  " RANGE ": [20000, 60999]\n" },
};

#define ACCEPT(rule) "accept:\n  - {rule: " rule ", reason: measured}\n"

typedef struct Given {
        const char *key, *value;
} Given;

static EffectiveSet make_set(
                const Bundle *bundle, const Given *given, size_t n, Arena *arena,
                EffectiveKey *keys) {
        EffectiveSet set = { .keys = keys };
        for (size_t i = 0; i < n && given[i].key; i++)
                keys[set.n_keys++] = (EffectiveKey){
                        .spec = catalogue_find(given[i].key),
                        .value = fixture_value(given[i].key, given[i].value, arena),
                        .bundle = bundle,
                        .setting = bundle_find_setting(bundle, catalogue_find(given[i].key)),
                };
        return set;
}

#define NONE ((DiagId) -1)

static void test_rule_table(void **state UNUSED) {
        static const struct {
                Given given[2];
                KernelVersion kernel;
                DiagId id;
                int exit_code;
        } rows[] = {
                { { { TIMEOUT, "59" } }, { 5, 10, 0 }, DIAG_TIME_WAIT_BELOW_RFC, 3 },
                { { { TIMEOUT, "1" } }, { 5, 10, 0 }, DIAG_TIME_WAIT_BELOW_RFC, 3 },
                { { { TIMEOUT, "60" } }, { 5, 10, 0 }, NONE, 0 },
                { { { TIMEOUT, "600" } }, { 5, 10, 0 }, NONE, 0 },

                { { { FIN, "60" } }, { 6, 1, 0 }, NONE, 0 },
                { { { FIN, "61" } }, { 6, 1, 0 }, DIAG_FIN_TIMEOUT_SHORTENED, 3 },
                { { { FIN, "119" } }, { 6, 1, 0 }, DIAG_FIN_TIMEOUT_SHORTENED, 3 },
                { { { FIN, "120" } }, { 6, 1, 0 }, NONE, 0 },

                { { { REUSE, "1" }, { STAMPS, "0" } },
                  { 6, 1, 0 },
                  DIAG_REUSE_WITHOUT_TIMESTAMPS,
                  3 },
                { { { REUSE, "1" }, { STAMPS, "1" } }, { 6, 1, 0 }, NONE, 0 },
                { { { REUSE, "1" }, { STAMPS, "2" } }, { 6, 1, 0 }, NONE, 0 },
                { { { REUSE, "0" }, { STAMPS, "0" } }, { 6, 1, 0 }, NONE, 0 },
                { { { REUSE, "1" } }, { 6, 1, 0 }, NONE, 0 },

                { { { REUSE, "2" } }, { 4, 17, 9 }, DIAG_REUSE_TWO_UNKNOWN, 4 },
                { { { REUSE, "2" } }, { 4, 18, 0 }, NONE, 0 },
                { { { REUSE, "1" } }, { 4, 17, 9 }, NONE, 0 },

                { { { RANGE, "1023 60998" } }, { 6, 1, 0 }, DIAG_PORT_RANGE_SYSTEM_PORTS, 0 },
                { { { RANGE, "1024 60999" } }, { 6, 1, 0 }, NONE, 0 },
                { { { RANGE, "20000 60000" } }, { 6, 1, 0 }, DIAG_PORT_RANGE_EQUAL_PARITY, 0 },
                { { { RANGE, "20001 60001" } }, { 6, 1, 0 }, DIAG_PORT_RANGE_EQUAL_PARITY, 0 },
                { { { RANGE, "20001 60000" } }, { 6, 1, 0 }, NONE, 0 },
        };
        FixtureLibrary library = FIXTURE_LIBRARY(plain);
        CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, "a");
        TEST_EACH(row, rows) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                EffectiveKey keys[2];
                EffectiveSet set = make_set(
                                bundle, row->given, ELEMENTSOF(row->given), arena, keys);
                LiveSnapshot live = { .kernel = row->kernel, .initial_netns = true };
                assert_int_equal(
                                rules_check(&(RuleFacts){ .set = &set, .live = &live }, list, NULL),
                                row->exit_code ? RULES_E_REFUSED : 0);
                assert_int_equal(diag_list_exit_code(list), row->exit_code);
                /* other rules have their say as well: tests/golden/rules */
                for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                        if (rows[i].id != NONE)
                                assert_int_equal(
                                                fixture_count(list, rows[i].id),
                                                rows[i].id == row->id);
                if (row->id == NONE)
                        continue;
                const Diag *d = fixture_get(list, row->id);
                assert_string_equal(d->key, row->given[0].key);
                assert_string_equal(d->profile, "a");
                assert_true(span_is_set(&d->span));
                assert_non_null(d->help);
                assert_int_equal(d->n_labels, row->given[1].key ? 1 : 0);
        }
}

static void test_rules_of_nothing(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        LiveSnapshot live = { .kernel = { 6, 1, 0 } };
        assert_int_equal(
                        rules_check(&(RuleFacts){ .set = &(EffectiveSet){}, .live = &live }, list,
                                    NULL),
                        0);
        assert_int_equal(diag_list_count(list), 0);
}

static int check_profiles(
                const FixtureBundles *bundles, FixtureKernel *kernel, Arena *arena,
                DiagList *list) {
        LiveSnapshot live = fixture_kernel_snapshot(kernel, arena);
        EffectiveSet set = {};
        assert_int_equal(fixture_build(bundles, &live, arena, list, &set), 0);
        return rules_check(&(RuleFacts){ .set = &set, .live = &live }, list, NULL);
}

#define VENDOR_KERNEL                            \
        {                                        \
                .keys = {                        \
                        { TIMEOUT, "60" },       \
                        { REUSE, "2" },          \
                        { STAMPS, "1" },         \
                        { RANGE, "32768 60999" } \
                }                                \
        }

static const Diag *refuse_short(FixtureBundles *bundles, Arena *arena, DiagList *list) {
        FixtureKernel kernel = VENDOR_KERNEL;
        assert_int_equal(check_profiles(bundles, &kernel, arena, list), RULES_E_REFUSED);
        return fixture_get(list, DIAG_TIME_WAIT_BELOW_RFC);
}

/* Whoever reads the refusal pastes these lines, so they are pasted here too. */
static void test_missing_acceptance_gives_the_lines(void **state UNUSED) {
        static const FixtureProfile profiles[] = { { "short", "sysctl:\n  " TIMEOUT ": 30\n" } };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        fixture_bundles_load(&bundles, &library, "short");
        const Diag *d = refuse_short(&bundles, arena, list);
        assert_int_equal(d->n_notes, 4);
        assert_string_equal(
                        d->notes[0],
                        "to accept this, copy /usr/share/twprofile/profiles/short.yaml to "
                        "/etc/twprofile/profiles/short.yaml and add these lines:");
        assert_string_equal(d->notes[1], "accept:");
        assert_string_equal(d->notes[2], "  - rule: time-wait-below-rfc");

        char text[512];
        (void) snprintf(text, sizeof(text), "%s%s\n%s\n%s\n", profiles[0].text, d->notes[1],
                        d->notes[2], d->notes[3]);
        const FixtureProfile cured[] = { { "short", text } };
        FixtureLibrary cured_library = FIXTURE_LIBRARY(cured);
        CLEANUP(fixture_bundles_deinit) FixtureBundles cured_bundles = {};
        fixture_bundles_load(&cured_bundles, &cured_library, "short");
        CLEANUP(diag_list_freep) DiagList *cured_list = diag_list_new();
        FixtureKernel kernel = VENDOR_KERNEL;
        assert_int_equal(check_profiles(&cured_bundles, &kernel, arena, cured_list), 0);
        assert_int_equal(fixture_count(cured_list, DIAG_ACCEPTED), 1);
        assert_int_equal(diag_list_exit_code(cured_list), 0);
}

/* A second `accept:` would be a duplicate key. */
static void test_missing_acceptance_beside_another(void **state UNUSED) {
        static const FixtureProfile profiles[] = {
                { "short", "sysctl:\n  " TIMEOUT ": 30\n" ACCEPT("time-wait-below-rfc") },
        };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        fixture_bundles_load(&bundles, &library, "short");
        ((ProfileAccept *) bundle_root(bundles.items[0])->accepts)->rule = "some-other-rule";
        const Diag *d = refuse_short(&bundles, arena, list);
        assert_int_equal(d->n_notes, 3);
        assert_non_null(strstr(d->notes[0], "add these lines below 'accept:':"));
        assert_string_equal(d->notes[1], "  - rule: time-wait-below-rfc");
}

static int fetch_site(
                void *userdata, const char *name, DiagList *diags, Source **ret, Error *reterr) {
        CLEANUP(source_freep) Source *source = NULL;
        int r = fixture_fetch(userdata, name, diags, &source, reterr);
        if (r != 0)
                return r;
        *ret = source_new(
                        "/etc/twprofile/profiles/short.yaml", source_bytes(source),
                        source_length(source));
        return *ret ? 0 : -ENOMEM;
}

static void test_missing_acceptance_in_a_file_of_the_site(void **state UNUSED) {
        static const FixtureProfile profiles[] = { { "short", "sysctl:\n  " TIMEOUT ": 30\n" } };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = { .n = 1 };
        assert_int_equal(
                        bundle_load("short", fetch_site, &library, list, &bundles.items[0], NULL),
                        0);
        const Diag *d = refuse_short(&bundles, arena, list);
        assert_string_equal(
                        d->notes[0],
                        "to accept this, add these lines to /etc/twprofile/profiles/short.yaml:");
}

static void test_acceptance_reaches(void **state UNUSED) {
        static const struct {
                const char *names;
                FixtureProfile profiles[3];
                bool refused;
                DiagId id; /* there once */
                const char *profile;
        } rows[] = {
                { "a",
                  { { "a", "sysctl:\n  " TIMEOUT ": 30\n" ACCEPT("time-wait-below-rfc") } },
                  false,
                  DIAG_ACCEPTED,
                  "a" },
                /* the includer accepts for what it includes, and the other way round */
                { "a",
                  { { "a",
                      "include: [b]\nsysctl:\n  " STAMPS ": 1\n" ACCEPT("time-wait-below-rfc") },
                    { "b", "sysctl:\n  " TIMEOUT ": 30\n" } },
                  false,
                  DIAG_ACCEPTED,
                  "a" },
                { "a",
                  { { "a", "include: [b]\nsysctl:\n  " TIMEOUT ": 30\n" },
                    { "b", "sysctl:\n  " STAMPS ": 1\n" ACCEPT("time-wait-below-rfc") } },
                  false,
                  DIAG_ACCEPTED,
                  "a" },
                /* but nobody for the others */
                { "a b",
                  { { "a", "sysctl:\n  " TIMEOUT ": 30\n" },
                    { "b", "sysctl:\n  " STAMPS ": 1\n" ACCEPT("time-wait-below-rfc") } },
                  true,
                  DIAG_TIME_WAIT_BELOW_RFC,
                  "a" },
                /* who was overridden does not own the value */
                { "a b",
                  { { "a", "sysctl:\n  " TIMEOUT ": 30\n" },
                    { "b", "priority: 10\nsysctl:\n  " TIMEOUT
                           ": 40\n" ACCEPT("time-wait-below-rfc") } },
                  true,
                  DIAG_TIME_WAIT_BELOW_RFC,
                  "a" },
                { "a b",
                  { { "a", "sysctl:\n  " REUSE ": 1\n" }, { "b", "sysctl:\n  " STAMPS ": 0\n" } },
                  true,
                  DIAG_REUSE_WITHOUT_TIMESTAMPS,
                  "a" },
        };
        TEST_EACH(row, rows) {
                FixtureLibrary library = FIXTURE_LIBRARY(row->profiles);
                while (!library.profiles[library.n_profiles - 1].name)
                        library.n_profiles--;
                CLEANUP(arena_freep) Arena *arena = arena_new();
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
                fixture_bundles_load(&bundles, &library, row->names);
                FixtureKernel kernel = VENDOR_KERNEL;
                assert_int_equal(
                                check_profiles(&bundles, &kernel, arena, list),
                                row->refused ? RULES_E_REFUSED : 0);
                assert_int_equal(fixture_count(list, row->id), 1);
                const Diag *d = fixture_get(list, row->id);
                assert_string_equal(d->profile, row->profile);
                if (row->id != DIAG_ACCEPTED)
                        continue;
                assert_non_null(strstr(d->message, "': measured"));
                assert_int_equal(d->n_notes, 1);
        }
}

static void test_rules_get_gives_each_once(void **state) {
        (void) state;
        assert_true(rules_count() >= 6);
        for (size_t n = 0; n < rules_count(); n++) {
                const Rule *rule = rules_get(n);
                assert_true(!rule->key || catalogue_find(rule->key));
                assert_true(!rule->key || rule_concerns(rule, rule->key));
                assert_false(rule_concerns(rule, "net.ipv4.no_such_key"));
                for (size_t k = 0; k < ELEMENTSOF(rule->also); k++)
                        assert_true(!rule->also[k] || rule_concerns(rule, rule->also[k]));
                for (size_t k = 0; k < n; k++)
                        assert_ptr_not_equal(rules_get(k), rule);
        }
}

/* Who listens is looked for only where a rule would ask. */
static void test_rules_ask_listeners(void **state UNUSED) {
        static const struct {
                const char *key;
                bool asks;
        } rows[] = {
                { "net.ipv4.ip_local_port_range", true },
                { "net.ipv4.ip_local_reserved_ports", false },
                { "net.core.somaxconn", false },
        };
        TEST_EACH(row, rows) {
                const LiveKey key = { .spec = catalogue_find(row->key), .state = LIVE_ABSENT };
                assert_non_null(key.spec);
                assert_int_equal(
                                rules_ask_listeners(&(LiveSnapshot){ .keys = &key, .n_keys = 1 }),
                                row->asks);
        }
        assert_false(rules_ask_listeners(&(LiveSnapshot){}));
}

TEST_MAIN(cmocka_unit_test(test_rule_table), cmocka_unit_test(test_rules_get_gives_each_once),
          cmocka_unit_test(test_rules_of_nothing), cmocka_unit_test(test_rules_ask_listeners),
          cmocka_unit_test(test_missing_acceptance_gives_the_lines),
          cmocka_unit_test(test_missing_acceptance_beside_another),
          cmocka_unit_test(test_missing_acceptance_in_a_file_of_the_site),
          cmocka_unit_test(test_acceptance_reaches))
