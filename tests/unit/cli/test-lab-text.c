/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-text.h"

#include "cli/prose.h"
#include "test.h"

static void test_duration_table(void **state) {
        (void) state;
        static const struct {
                uint64_t ns;
                const char *want;
        } rows[] = {
                { 0, "0 ns" },      { 999, "999 ns" },     { 1000, "1 us" },
                { 65600, "66 us" }, { 1250000, "1.2 ms" }, { 1500000000, "1.50 s" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                lab_text_add_duration(row->ns, &out);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

/* Two sets: the first runs out of ports, the second reuses them. */
static void make_runs(LabRunResult runs[2]) {
        runs[0].tally = (LabTally){
                .connections = 30,
                .requests = 30,
                .opened = 30,
                .refused = 5,
                .opened_before_refusal = 30,
                .refusal_ns = 50000000,
                .last_opened_ns = 40000000,
                .ended_ns = 1000000000,
        };
        runs[0].tally.failures[0] = (LabFailure){ EADDRNOTAVAIL, 5 };
        runs[0].client_peak = 30;
        runs[1].tally = (LabTally){
                .connections = 90, .requests = 90, .opened = 90, .ended_ns = 1000000000
        };
        runs[1].client_peak = 15;
        runs[1].client.value[LAB_TW_RECYCLED] = 60;
        for (uint32_t i = 0; i < 4; i++) {
                runs[0].samples[i] = (LabSample){ i * 100, i * 10, 0, 0 };
                runs[1].samples[i] = (LabSample){ i * 100, 15, 0, 0 };
        }
        runs[0].n_samples = runs[1].n_samples = 4;
}

static const char wanted[] = "Kernel 6.1.0, private network namespaces in a user namespace.\n"
                             "\n"
                             "KEY                   PRESENT WANTED LAB\n"
                             "net.ipv4.tcp_tw_reuse 2       1      tried\n"
                             "\n"
                             "client-closes: the client closes first, one destination\n"
                             "SETTINGS CONN/S REQ/S FAILED TIME_WAIT RESETS  P50  P99\n"
                             "present      30    30      5        30      0 0 ns 0 ns\n"
                             "web          90    90      0        15      0 0 ns 0 ns\n"
                             "TIME_WAIT, full height 30:\n"
                             "  present                  ▁▄▆█ 1.0 s\n"
                             "  web                      ▅▅▅▅ 1.0 s\n"
                             "present: first refusal after 30 connections; EADDRNOTAVAIL 5\n"
                             "web: TcpExt.TWRecycled 60\n";

static void test_text_stands_side_by_side(void **state) {
        (void) state;
        cleanup_free LabRunResult *runs = calloc(2, sizeof(*runs));
        assert_non_null(runs);
        make_runs(runs);
        const LabScenario *scenario = lab_scenario_find("client-closes", strlen("client-closes"));
        LabStepReport step = { .step = &scenario->steps[0], .runs = { &runs[0], &runs[1] } };
        const LabScenarioReport played = { scenario, &step };
        const LabChange change = { catalogue_find("net.ipv4.tcp_tw_reuse"), "2", "1",
                                   LAB_SETTING_WRITTEN };
        const LabReport report = {
                .sets = { "present", "web" },
                .n_sets = 2,
                .kernel = "6.1.0",
                .user_namespace = true,
                .changes = &change,
                .n_changes = 1,
                .scenarios = &played,
                .n_scenarios = 1,
        };
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.out.width = 80;
        assert_int_equal(lab_text_render(&report, &context), 0);
        const char *rest = startswith(strbuf_text(&context.text), wanted);
        if (!rest)
                print_error("%s", strbuf_text(&context.text));
        assert_non_null(rest);
        CLEANUP(strbuf_deinit) StrBuf shows = {};
        prose_add(&shows, scenario->shows, 0, 80);
        assert_non_null(startswith(rest, strbuf_text(&shows)));
}

TEST_MAIN(cmocka_unit_test(test_duration_table), cmocka_unit_test(test_text_stands_side_by_side))
