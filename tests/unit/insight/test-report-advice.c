/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-advice.h"

#include "report-test.h"

static const AdviceRule *rule(const char *id) {
        const AdviceRule *found = advice_rule_find(id);
        assert_non_null(found);
        return found;
}

static void test_findings(void **state UNUSED) {
        AdviceFinding finding = {
                .rule = rule("PORT-1"),
                .severity = ADVICE_CRITICAL,
                .subject = HOSTILE,
                .evidence = HOSTILE,
                .formula = HOSTILE "; U = 1",
                .next = HOSTILE,
                .n_more = 3,
        };
        finding.has_remedy[ADVICE_REMEDY_TW_REUSE] = true;
        finding.has_remedy[ADVICE_REMEDY_REUSE_CONNECTIONS] = true;
        finding.remedy_detail[ADVICE_REMEDY_TW_REUSE] = HOSTILE;
        const AdviceSkipped skipped[] = { { rule("PORT-2"), HOSTILE },
                                          { rule("PORT-3"), "other" },
                                          { rule("PORT-4"), HOSTILE } };
        const Advice advice = { .findings = &finding,
                                .n_findings = 1,
                                .skipped = skipped,
                                .n_skipped = 3,
                                .interval_us = 10000000,
                                .summary = HOSTILE,
                                .profile = HOSTILE };
        const Report report = { .advice = &advice };
        cleanup_free char *text = report_test_render(report_add_advice, &report);
        report_test_check_escaped(text);
        assert_non_null(strstr(text, "<span class=\"tag bad\">critical</span>"));
        assert_non_null(strstr(text, "\nU = 1</pre>"));
        const char *first = strstr(text, advice_remedy_get(ADVICE_REMEDY_REUSE_CONNECTIONS)->text);
        const char *second = strstr(text, advice_remedy_get(ADVICE_REMEDY_TW_REUSE)->text);
        assert_non_null(first);
        assert_non_null(second);
        assert_true(first < second);
        assert_non_null(strstr(text, "And 3 more of this rule."));
        assert_non_null(strstr(text, ": PORT-2, PORT-4</li>"));
        assert_non_null(strstr(text, "<li>other: PORT-3</li>"));
        assert_non_null(strstr(text, "two samples 10&nbsp;s apart"));
        assert_non_null(strstr(text, "<code>twprofile plan " HOSTILE_SHOWN));
}

static void test_normal(void **state UNUSED) {
        const Advice advice = { .is_normal = true, .summary = "all is well" };
        const Report report = { .advice = &advice }, none = { 0 };
        cleanup_free char *text = report_test_render(report_add_advice, &report);
        assert_non_null(strstr(text, "<span class=\"tag good\">normal</span> all is well."));
        assert_non_null(strstr(text, "Judged by one sample"));
        assert_null(strstr(text, "<details"));
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out };
        report_add_advice(&html, &none);
        assert_int_equal(out.length, 0);
}

TEST_MAIN(cmocka_unit_test(test_findings), cmocka_unit_test(test_normal))
