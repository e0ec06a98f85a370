/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule.h"

#include "fixture.h"

#define REUSE  "net.ipv4.tcp_tw_reuse"
#define STAMPS "net.ipv4.tcp_timestamps"
#define RANGE  "net.ipv4.ip_local_port_range"

static void test_value(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        EffectiveKey owned = {
                .spec = catalogue_find(REUSE),
                .value = fixture_value(REUSE, "1", arena),
        };
        EffectiveSet set = { .keys = &owned, .n_keys = 1 };
        LiveKey keys[] = {
                { .spec = catalogue_find(RANGE),
                  .state = LIVE_PRESENT,
                  .value = fixture_value(RANGE, "1024 65535", arena) },
                { .spec = catalogue_find(STAMPS), .state = LIVE_ABSENT },
                { .spec = catalogue_find(REUSE),
                  .state = LIVE_PRESENT,
                  .value = fixture_value(REUSE, "2", arena) },
        };
        LiveSnapshot live = { .keys = keys, .n_keys = ELEMENTSOF(keys) };
        RuleFacts facts = { .set = &set, .live = &live };
        int64_t n = 7;

        assert_true(rule_integer(&facts, REUSE, &n));
        assert_int_equal(n, 1); /* what it will be, not what it is */
        assert_false(rule_integer(&facts, STAMPS, &n));
        assert_false(rule_integer(&facts, RANGE, &n)); /* two integers */
        assert_non_null(rule_value(&facts, RANGE));
        assert_false(rule_integer(&facts, "net.ipv4.no_such_key", &n));
        facts.live = NULL;
        assert_null(rule_value(&facts, RANGE));
        assert_int_equal(n, 1);
}

static void test_place(void **state UNUSED) {
        EffectiveKey keys[] = {
                { .spec = catalogue_find(STAMPS) },
                { .spec = catalogue_find(REUSE) },
        };
        EffectiveSet set = { .keys = keys, .n_keys = ELEMENTSOF(keys) };
        RuleFacts facts = { .set = &set };
        assert_true(rule_is_place(&facts, &keys[0], STAMPS, REUSE));
        assert_false(rule_is_place(&facts, &keys[1], STAMPS, REUSE));
        assert_false(rule_is_place(&facts, &keys[1], STAMPS, RANGE));
        set = (EffectiveSet){ .keys = &keys[1], .n_keys = 1 };
        assert_true(rule_is_place(&facts, &keys[1], STAMPS, REUSE));
}

static void test_concerns(void **state UNUSED) {
        static const Rule rule = { .key = REUSE, .or_key = STAMPS, .also = { RANGE } };
        static const Rule about_all = { .also = { RANGE } };
        assert_true(rule_concerns(&rule, REUSE));
        assert_true(rule_concerns(&rule, STAMPS));
        assert_true(rule_concerns(&rule, RANGE));
        assert_false(rule_concerns(&rule, "net.ipv4.tcp_fin_timeout"));
        assert_true(rule_concerns(&about_all, RANGE));
        assert_false(rule_concerns(&about_all, REUSE));
}

static void test_kernel(void **state UNUSED) {
        LiveSnapshot live = { .kernel = { 5, 9, 0 } };
        RuleFacts facts = { .live = &live };
        assert_true(rule_kernel_since(&facts, 5, 9));
        assert_false(rule_kernel_before(&facts, 5, 9));
        assert_false(rule_kernel_since(&facts, 5, 10));
        assert_true(rule_kernel_before(&facts, 5, 10));
        assert_true(rule_kernel_since(&facts, 4, 20));

        live.kernel = (KernelVersion){};
        assert_false(rule_kernel_since(&facts, 4, 0));
        assert_false(rule_kernel_before(&facts, 9, 0));
        facts.live = NULL;
        assert_false(rule_kernel_since(&facts, 4, 0));
        assert_false(rule_kernel_before(&facts, 9, 0));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_value),
                cmocka_unit_test(test_concerns),
                cmocka_unit_test(test_kernel),
                cmocka_unit_test(test_place),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
