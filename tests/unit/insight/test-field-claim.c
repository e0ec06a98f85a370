/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-claim.h"

#include <math.h>

#include "model/catalogue.h"
#include "test.h"

static const FieldClaim *find(const char *name) {
        for (size_t i = 0; i < field_claim_count(); i++)
                if (streq(field_claim_get(i)->name, name))
                        return field_claim_get(i);
        fail_msg("no claim %s", name);
        return NULL;
}

/* What a reader of the table is promised: a claim, a verdict of six words, a fact, something that is tried and judged. */
static void test_rows_are_whole(void **state) {
        (void) state;
        static const char *const verdicts[] = {
                "true", "false", "partly", "outdated", "kernel-dependent", "unrelated"
        };
        for (size_t i = 0; i < field_claim_count(); i++) {
                const FieldClaim *claim = field_claim_get(i);
                bool is_known = false;
                for (size_t k = 0; k < ELEMENTSOF(verdicts); k++)
                        is_known = is_known || streq(claim->verdict, verdicts[k]);
                assert_true(is_known);
                assert_true((claim->key != NULL) != (claim->files[0] != NULL));
                assert_true(claim->says && claim->tried && strchr(claim->fact, '('));
                assert_true(claim->n_trials >= 1 && claim->n_trials <= FIELD_TRIALS_MAX);
                assert_true(claim->n_metrics >= 1 && claim->n_metrics <= FIELD_METRICS_MAX);
                assert_non_null(claim->judge);
                assert_true(!claim->key || catalogue_find(claim->key));
        }
}

static void test_trials_can_be_made(void **state) {
        (void) state;
        for (size_t i = 0; i < field_claim_count(); i++) {
                const FieldClaim *claim = field_claim_get(i);
                for (size_t t = 0; t < claim->n_trials; t++) {
                        const FieldTrial *trial = &claim->trials[t];
                        assert_non_null(trial->label);
                        assert_int_equal(trial->kind == FIELD_CHURN, trial->load != NULL);
                        assert_int_equal(trial->kind == FIELD_SCENE, trial->wanted != NULL);
                        assert_int_equal(trial->kind == FIELD_RECORDED, trial->recorded != NULL);
                        assert_true(trial->with != FIELD_WITH_LINE || claim->key);
                        for (size_t p = 0; p < FIELD_PRESETS_MAX; p++)
                                assert_true(!trial->presets[p].key ||
                                            catalogue_find(trial->presets[p].key));
                }
        }
}

static void test_field_claim_is_about_key_or_text(void **state) {
        (void) state;
        const FieldClaim *reuse = find("reuse-client"), *table = find("table");
        assert_true(field_claim_is_about(reuse, "any.conf", "net.ipv4.tcp_tw_reuse"));
        assert_false(field_claim_is_about(reuse, "any.conf", "net.ipv4.tcp_fin_timeout"));
        assert_false(field_claim_is_about(reuse, "d-tuning-article.conf", NULL));
        assert_true(field_claim_is_about(table, "d-tuning-article.conf", NULL));
        assert_false(field_claim_is_about(table, "c-answer.conf", NULL));
        assert_false(field_claim_is_about(table, "d-tuning-article.conf", "net.ipv4.tcp_tw_reuse"));
}

static void test_recorded_numbers_are_those_of_the_article(void **state) {
        (void) state;
        const FieldMeasured table = { .claim = find("table"), .value = NAN };
        assert_float_equal(field_measured_get(&table, 0, FIELD_STATE_TIME_WAIT), 25087, 0);
        assert_float_equal(field_measured_get(&table, 1, FIELD_STATE_TIME_WAIT), 682, 0);
        assert_float_equal(field_measured_get(&table, 0, FIELD_STATE_CLOSING), 4, 0);
        assert_float_equal(field_measured_get(&table, 1, FIELD_STATE_SYN_RECV), 7, 0);
        assert_true(isnan(field_measured_get(&table, 0, FIELD_RESETS)));
        assert_true(isnan(field_measured_get(&table, 2, FIELD_STATE_TIME_WAIT)));
        assert_string_equal(field_outcome_name(FIELD_ABSENT), "absent");
}

TEST_MAIN(cmocka_unit_test(test_rows_are_whole), cmocka_unit_test(test_trials_can_be_made),
          cmocka_unit_test(test_field_claim_is_about_key_or_text),
          cmocka_unit_test(test_recorded_numbers_are_those_of_the_article))
