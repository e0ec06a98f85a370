/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-buckets.h"

#include "fixture.h"

/* What each rule answers: tests/golden/rules. Here, that the rows of the table can be asked. */
static void test_table(void **state UNUSED) {
        assert_true(rules_buckets.n_rules > 0);
        for (size_t i = 0; i < rules_buckets.n_rules; i++) {
                const Rule *rule = &rules_buckets.rules[i];
                assert_non_null(rule->applies);
                assert_true(!rule->key || catalogue_find(rule->key));
                for (size_t k = 0; k < RULE_ALSO_MAX && rule->also[k]; k++)
                        assert_non_null(catalogue_find(rule->also[k]));
                for (size_t k = 0; k < i; k++)
                        assert_int_not_equal(rule->id, rules_buckets.rules[k].id);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
