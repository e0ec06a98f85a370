/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/advise-text.h"

#include "test.h"

static AdviceFinding finding(const char *rule, AdviceSeverity severity) {
        AdviceFinding f = {
                .rule = advice_rule_find(rule),
                .severity = severity,
                .subject = "10.0.0.1 -> 10.0.0.2:80",
                .evidence = "960 of 1,000 ports are taken.",
                .formula = "U = 96%; C0 = 16.7",
                .next = "twprofile plan outbound-proxy",
        };
        f.has_remedy[ADVICE_REMEDY_TW_REUSE] = true;
        f.has_remedy[ADVICE_REMEDY_REUSE_CONNECTIONS] = true;
        f.remedy_detail[ADVICE_REMEDY_TW_REUSE] = "C1 = 1,000";
        return f;
}

static void test_finding(void **state UNUSED) {
        AdviceFinding findings[] = { finding("PORT-1", ADVICE_CRITICAL) };
        findings[0].n_more = 3;
        const Advice advice = {
                .netns = 7,
                .interval_us = 1500000,
                .findings = findings,
                .n_findings = 1,
                .summary = "1 critical",
        };
        Context context;
        assert_int_equal(context_init(&context), 0);
        context.out.width = 80;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        advise_add_findings(&context, &advice, &out);
        assert_string_equal(
                        strbuf_text(&out),
                        "Network namespace 7, two samples 1.5 s apart: 1 critical.\n\n"
                        "critical PORT-1: the local ports to one destination are used up by "
                        "TIME_WAIT\n"
                        "Subject:      10.0.0.1 -> 10.0.0.2:80\n"
                        "Evidence:     960 of 1,000 ports are taken.\n"
                        "Formula:      U = 96%\n"
                        "              C0 = 16.7\n"
                        "Remedies:     1. reuse connections: HTTP keep-alive, pools, HTTP/2, "
                        "persistent\n"
                        "              connections to databases and caches\n"
                        "              2. tcp_tw_reuse=1 on the connecting host (C1 = 1,000)\n"
                        "next:         twprofile plan outbound-proxy\n"
                        "… and 3 more of this rule\n");
        context_deinit(&context);
}

/* Colour stands before the severity only, and nothing else changes. */
static void test_colour_and_width(void **state UNUSED) {
        AdviceFinding findings[] = { finding("PORT-10", ADVICE_WARNING) };
        const Advice advice = {
                .initial_netns = true, .findings = findings, .n_findings = 1, .summary = "1 warning"
        };
        Context context;
        assert_int_equal(context_init(&context), 0);
        context.out = (Terminal){ .colour = true, .width = 40 };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        advise_add_findings(&context, &advice, &out);
        assert_non_null(strstr(
                        strbuf_text(&out), "\n\033[1;33mwarning PORT-10:\033[0m connections"));
        for (const char *line = strbuf_text(&out); *line;) {
                size_t n = strcspn(line, "\n");
                assert_true(n <= 40 + strlen("\033[1;33m\033[0m"));
                line += n + (line[n] ? 1 : 0);
        }
        context_deinit(&context);
}

/* Rules of one reason stand together, where the first of them does. */
static void test_skipped(void **state UNUSED) {
        const AdviceSkipped skipped[] = {
                { advice_rule_find("PORT-1"), "the sockets are not listed" },
                { advice_rule_find("PORT-6"), "rates take two" },
                { advice_rule_find("PORT-7"), "the sockets are not listed" },
        };
        const Advice advice = { .skipped = skipped, .n_skipped = ELEMENTSOF(skipped) };
        Context context;
        assert_int_equal(context_init(&context), 0);
        context.out.width = 80;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        advise_add_skipped(&context, &advice, &out);
        assert_string_equal(
                        strbuf_text(&out), "\nNot evaluated, and so not known to be fine:\n"
                                           "    PORT-1, PORT-7: the sockets are not listed\n"
                                           "    PORT-6: rates take two\n");
        strbuf_reset(&out);
        advise_add_skipped(&context, &(Advice){ 0 }, &out);
        assert_int_equal(out.length, 0);
        context_deinit(&context);
}

TEST_MAIN(cmocka_unit_test(test_finding), cmocka_unit_test(test_colour_and_width),
          cmocka_unit_test(test_skipped))
