/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-field-text.h"

#include <math.h>

#include "test.h"

static FieldOutcome judge(const FieldMeasured *measured) {
        (void) measured;
        return FIELD_CONFIRMED;
}

static const double without[] = { 61.7, 200, 7200 };
static const double with[] = { NAN, 10.25, 75 };

static const FieldClaim claim = {
        .name = "fin-timeout",
        .says = "A smaller value shortens TIME_WAIT.",
        .verdict = "false",
        .tried = "A hundred connections.",
        .fact = "It is the life of an orphan in FIN_WAIT2, and of nothing else (tcp(7)), which is a long line.",
        .trials = { { .label = "without", .kind = FIELD_RECORDED, .recorded = without },
                    { .label = "with", .kind = FIELD_RECORDED, .recorded = with } },
        .n_trials = 2,
        .metrics = { FIELD_TIME_WAIT_LIFE, FIELD_BUCKETS, FIELD_KEEPALIVE_IDLE },
        .n_metrics = 3,
        .judge = judge,
};

static const char wanted[] =
                "Kernel 6.1, private network namespaces. Each begins with this kernel's defaults.\n"
                "62 s.\n"
                "profiles/field/b-x.conf\n"
                "\n"
                "b:4, own.conf net.ipv4.tcp_fin_timeout = 30\n"
                "Said: A smaller value shortens TIME_WAIT.\n"
                "Tried: A hundred connections.\n"
                "MEASURED                 WITHOUT WITH\n"
                "TIME_WAIT lasts           61.7 s    -\n"
                "connections in TIME_WAIT     200   10\n"
                "first probe after         7200 s 75 s\n"
                "Fact: It is the life of an orphan in FIN_WAIT2, and of nothing else (tcp(7)),\n"
                "which is a long line.\n"
                "Verdict: false; as this kernel did.\n"
                "\n"
                "WHERE         CLAIM       VERDICT HERE\n"
                "b:4, own.conf fin-timeout false   as this kernel did\n";

static void test_claims_stand_side_by_side(void **state) {
        (void) state;
        const LabSetting line = { catalogue_find("net.ipv4.tcp_fin_timeout"), "30" };
        FieldCase one = {
                .claim = &claim,
                .line = &line,
                .places = { { "b-x.conf", 4 }, { "own.conf", 0 } },
                .n_places = 2,
        };
        field_case_judge(&one);
        const char *path = "profiles/field/b-x.conf";
        FieldReport report = { .kernel = "6.1",
                               .files = &path,
                               .n_files = 1,
                               .cases = &one,
                               .n_cases = 1,
                               .took_ms = 62000 };
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.out.width = 80;
        assert_int_equal(lab_field_text_render(&report, &context), 0);
        if (!streq(strbuf_text(&context.text), wanted))
                print_error("%s", strbuf_text(&context.text));
        assert_string_equal(strbuf_text(&context.text), wanted);
}

static void test_outcomes_have_words(void **state) {
        (void) state;
        static const char *const words[] = {
                [FIELD_CONFIRMED] = "as this kernel did",
                [FIELD_CONTRADICTED] = "otherwise",
                [FIELD_UNDECIDED] = "not decided",
                [FIELD_ABSENT] = "no such key",
                [FIELD_REFUSED] = "refused",
        };
        for (int i = 0; i < FIELD_OUTCOMES; i++) {
                FieldCase one = { .claim = &claim, .places = { { "b-x.conf", 0 } }, .n_places = 1 };
                field_case_judge(&one);
                one.outcome = (FieldOutcome) i;
                const FieldReport report = { .kernel = "6.1", .cases = &one, .n_cases = 1 };
                CLEANUP(context_deinit) Context context;
                assert_int_equal(context_init(&context), 0);
                context.out.width = 80;
                assert_int_equal(lab_field_text_render(&report, &context), 0);
                assert_non_null(strstr(strbuf_text(&context.text), words[i]));
        }
}

TEST_MAIN(cmocka_unit_test(test_claims_stand_side_by_side),
          cmocka_unit_test(test_outcomes_have_words))
