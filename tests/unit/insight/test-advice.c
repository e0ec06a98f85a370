/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice.h"

#include <ctype.h>

#include "situation.h"

/* --- the table ------------------------------------------------------------------------------------------ */

static bool subsumes(const AdviceRule *rule, const char *id) {
        for (size_t i = 0; i < ADVICE_RULE_SUBSUMES && rule->subsumes[i]; i++)
                if (streq(rule->subsumes[i], id))
                        return true;
        return false;
}

static void check_row(const AdviceRule *rule) {
        const DiagRow *row = diag_row(rule->diag);
        /* named as the rule, in small letters */
        assert_int_equal(strlen(row->name), strlen(rule->id));
        for (size_t i = 0; rule->id[i]; i++)
                assert_int_equal(row->name[i], tolower((unsigned char) rule->id[i]));
        assert_true(row->n_sources > 0);
        assert_int_equal(row->exit_code, 0);
}

/* Neither itself nor one another: something has to be left. */
static void check_subsumed(const AdviceRule *rule) {
        for (size_t i = 0; i < ADVICE_RULE_SUBSUMES && rule->subsumes[i]; i++) {
                const AdviceRule *other = advice_rule_find(rule->subsumes[i]);
                if (!other)
                        fail_msg("%s subsumes %s, which is none", rule->id, rule->subsumes[i]);
                assert_false(other && subsumes(other, rule->id));
        }
}

static void test_rules(void **state UNUSED) {
        assert_true(advice_rule_count() >= 16);
        for (size_t i = 0; i < advice_rule_count(); i++) {
                const AdviceRule *rule = advice_rule_get(i);
                assert_non_null(rule->judge);
                assert_ptr_equal(advice_rule_find(rule->id), rule); /* no id twice */
                check_row(rule);
                check_subsumed(rule);
        }
        assert_null(advice_rule_find("PORT-0"));
}

static void test_severity_names(void **state UNUSED) {
        assert_string_equal(advice_severity_name(ADVICE_CRITICAL), "critical");
        assert_string_equal(advice_severity_name(ADVICE_INFO), "info");
        assert_int_equal(advice_rule_severity(advice_rule_find("PORT-1")), ADVICE_CRITICAL);
        assert_int_equal(advice_rule_severity(advice_rule_find("PORT-2")), ADVICE_WARNING);
        assert_int_equal(advice_rule_severity(advice_rule_find("PORT-14")), ADVICE_NOTICE);
        assert_int_equal(advice_rule_severity(advice_rule_find("PORT-16")), ADVICE_INFO);
}

/* --- what is said --------------------------------------------------------------------------------------- */

static void test_normal(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_earlier(&s);
        const SnapshotTuple tuples[] = { situation_tuple(
                        "10.0.0.2", 80, (SnapshotUse){ .n_time_wait = 200 }) };
        situation_outgoing(&s, tuples, 1);
        Advice advice = situation_judge(&s);
        assert_true(advice.is_normal);
        assert_non_null(strstr(advice.summary, "200 TIME_WAIT: that is normal"));
        assert_non_null(strstr(
                        advice.summary, "200 of 1,000 ports, 20% (10.0.0.1 -> 10.0.0.2:80)"));
        assert_int_equal(advice.interval_us, 1000000);

        s.now.has_sockets = false; /* nothing is found then, but that is not normal */
        advice = situation_judge(&s);
        assert_false(advice.is_normal);
        assert_true(advice.n_skipped > 0);
        assert_non_null(strstr(advice.summary, "too little is known"));
        situation_deinit(&s);
}

static void test_one_sample_skips_rates(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        Advice advice = situation_judge(&s);
        assert_int_equal(advice.interval_us, 0);
        bool found = false;
        for (size_t i = 0; i < advice.n_skipped; i++) {
                found |= streq(advice.skipped[i].rule->id, "PORT-6");
                assert_non_null(advice.skipped[i].why);
        }
        assert_true(found);

        situation_earlier(&s); /* of another namespace: no pair */
        s.before.netns = 8;
        advice = situation_judge(&s);
        assert_int_equal(advice.interval_us, 0);
        situation_deinit(&s);
}

/* A counter that a kernel does not have is not 0. */
static void test_unknown_counter(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, "net.ipv4.tcp_tw_reuse", "1");
        s.now.known[COUNTER_TIME_WAIT_RECYCLED] = false;
        situation_earlier(&s);
        Advice advice = situation_judge(&s);
        const char *why = NULL;
        for (size_t i = 0; i < advice.n_skipped; i++)
                if (streq(advice.skipped[i].rule->id, "PORT-8"))
                        why = advice.skipped[i].why;
        assert_string_equal(why ? why : "", "the kernel has no counter TcpExt.TWRecycled");
        situation_deinit(&s);
}

/* The worst first; what another finding of the same tuple explains is left out; of one rule a few are listed. */
static void test_order_and_subsumption(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, "net.ipv4.ip_local_port_range", "40000\t41000"); /* PORT-14, a notice */
        SnapshotTuple tuples[8];
        tuples[0] = situation_tuple("10.0.1.1", 80, (SnapshotUse){ .n_other = 900 });
        tuples[1] = situation_tuple("10.0.1.2", 80, (SnapshotUse){ .n_time_wait = 960 });
        for (size_t i = 2; i < ELEMENTSOF(tuples); i++)
                tuples[i] = situation_tuple(
                                "10.0.0.2", (uint16_t) (80 + i),
                                (SnapshotUse){ .n_time_wait = 600 });
        situation_outgoing(&s, tuples, ELEMENTSOF(tuples));
        Advice advice = situation_judge(&s);
        assert_string_equal(advice.findings[0].rule->id, "PORT-1");
        assert_string_equal(advice.findings[1].rule->id, "PORT-3");
        for (size_t i = 1; i < advice.n_findings; i++)
                assert_true(advice.findings[i - 1].severity <= advice.findings[i].severity);
        size_t n_knee = 0;
        for (size_t i = 0; i < advice.n_findings; i++) {
                const AdviceFinding *f = &advice.findings[i];
                if (!streq(f->rule->id, "PORT-2"))
                        continue;
                n_knee++;
                /* PORT-3 explains the first tuple */
                assert_ptr_not_equal(f->tuple, &tuples[0]);
        }
        /* of six that are left five are listed */
        assert_int_equal(n_knee, ADVICE_MAX_SUBJECTS);
        assert_string_equal(advice.findings[advice.n_findings - 1].rule->id, "PORT-14");
        assert_int_equal(advice_count_severity(&advice, ADVICE_CRITICAL), 2);
        assert_string_equal(advice.profile, "outbound-proxy");
        assert_non_null(strstr(advice.summary, "2 critical, 5 warnings, 1 notice"));
        situation_deinit(&s);
}

static void test_more_of_a_rule(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        SnapshotTuple tuples[7];
        for (size_t i = 0; i < ELEMENTSOF(tuples); i++)
                tuples[i] = situation_tuple(
                                "10.0.0.2", (uint16_t) (80 + i),
                                (SnapshotUse){ .n_time_wait = 970 });
        situation_outgoing(&s, tuples, ELEMENTSOF(tuples));
        Advice advice = situation_judge(&s);
        size_t n = 0;
        uint32_t n_more = 0;
        for (size_t i = 0; i < advice.n_findings; i++)
                if (streq(advice.findings[i].rule->id, "PORT-1")) {
                        n++;
                        n_more += advice.findings[i].n_more;
                }
        assert_int_equal(n, ADVICE_MAX_SUBJECTS);
        assert_int_equal(n_more, ELEMENTSOF(tuples) - ADVICE_MAX_SUBJECTS);
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_rules), cmocka_unit_test(test_severity_names),
          cmocka_unit_test(test_normal), cmocka_unit_test(test_one_sample_skips_rates),
          cmocka_unit_test(test_unknown_counter), cmocka_unit_test(test_order_and_subsumption),
          cmocka_unit_test(test_more_of_a_rule))
