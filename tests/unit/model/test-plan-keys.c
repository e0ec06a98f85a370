/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/plan-keys.h"

#include "fixture.h"
#include "model/rules.h"

#define REUSE "net.ipv4.tcp_tw_reuse"

static bool has(const SysctlSpec *const *specs, size_t n, const char *key) {
        for (size_t i = 0; i < n; i++)
                if (streq(specs[i]->key, key))
                        return true;
        return false;
}

/* Bundles, generations and rules, sorted, once each. */
static void test_plan_keys_collect(void **state UNUSED) {
        static const FixtureProfile profiles[] = {
                { "a", "sysctl:\n  " REUSE ": 1\n  net.core.somaxconn: 4096\n" },
        };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, "a");
        GenerationKey old[] = {
                { .spec = catalogue_find("net.core.somaxconn") },
                { .spec = catalogue_find("net.ipv4.tcp_ecn") },
        };
        Generation current = { .keys = old, .n_keys = ELEMENTSOF(old) };
        const SysctlSpec **specs = NULL;
        size_t n = 0;
        const Bundle *bundles[] = { bundle };
        assert_int_equal(
                        plan_keys_collect(
                                        bundles, 1, (const Generation *[]){ &current, NULL }, arena,
                                        &specs, &n),
                        0);
        for (size_t i = 1; i < n; i++)
                assert_true(strcmp(specs[i - 1]->key, specs[i]->key) < 0);
        assert_true(has(specs, n, REUSE));
        assert_true(has(specs, n, "net.core.somaxconn"));
        assert_true(has(specs, n, "net.ipv4.tcp_ecn"));
        for (size_t i = 0; i < rules_count(); i++)
                for (size_t k = 0; k < RULE_ALSO_MAX && rules_get(i)->also[k]; k++)
                        if (rules_get(i)->key && streq(rules_get(i)->key, REUSE))
                                assert_true(has(specs, n, rules_get(i)->also[k]));
        /* nothing is read that nobody asks about */
        assert_false(has(specs, n, "net.ipv4.tcp_fin_timeout"));
}

static void test_plan_keys_of_nothing(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const SysctlSpec **specs = NULL;
        size_t n = 7;
        assert_int_equal(
                        plan_keys_collect(
                                        NULL, 0, (const Generation *[]){ NULL, NULL }, arena,
                                        &specs, &n),
                        0);
        assert_int_equal(n, 0);
}

TEST_MAIN(cmocka_unit_test(test_plan_keys_collect), cmocka_unit_test(test_plan_keys_of_nothing))
