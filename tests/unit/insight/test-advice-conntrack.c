/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-conntrack.h"

#include "situation-expect.h"

#define CT "net.netfilter.nf_conntrack_"
#define VS "net.ipv4.vs."

static void test_table(void **state UNUSED) {
        static const struct {
                const char *count, *max;
                uint64_t drops, failures, early;
                const char *wanted;
        } rows[] = {
                { NULL, NULL, 0, 0, 0, "" },
                { NULL, NULL, 5, 5, 5, "" }, /* no keys: the module is not there */
                { "799", "1000", 0, 0, 0, "" },
                { "800", "1000", 0, 0, 0, "CT-2 warning" },
                { "949", "1000", 0, 0, 0, "CT-2 warning" },
                { "950", "1000", 0, 0, 0, "CT-1 critical" },
                { "10", "1000", 1, 0, 0, "CT-1 critical" },
                { "10", "1000", 0, 1, 0, "CT-1 critical" },
                { "10", "1000", 0, 0, 1, "CT-1 critical" },
                { "10", "0", 0, 0, 0, "" }, /* no limit */
                { "10", "0", 1, 0, 0, "CT-1 critical" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, CT "count", row->count);
                situation_set(&s, CT "max", row->max);
                situation_earlier(&s);
                situation_grow(&s, COUNTER_TRACKING_DROPPED, row->drops);
                situation_grow(&s, COUNTER_TRACKING_INSERT_FAILED, row->failures);
                situation_grow(&s, COUNTER_TRACKING_EARLY_DROPPED, row->early);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static bool raises_limit(const Situation *s) {
        const Advice advice = situation_judge(s);
        const AdviceFinding *f = situation_find(&advice, "CT-1");
        assert_non_null(f);
        return f && f->has_remedy[ADVICE_REMEDY_CONNTRACK_MAX];
}

/* A larger table helps one that is full. */
static void test_when_the_limit_is_raised(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, CT "count", "990");
        situation_set(&s, CT "max", "1000");
        situation_earlier(&s);
        assert_true(raises_limit(&s));
        situation_set(&s, CT "count", "10");
        situation_grow(&s, COUNTER_TRACKING_INSERT_FAILED, 1);
        assert_false(raises_limit(&s));
        situation_deinit(&s);
}

static void test_churn(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, CT "count", "800");
        situation_set(&s, CT "max", "1000");
        situation_set(&s, CT "tcp_timeout_time_wait", "120");
        situation_expect(&s, "CT-2 warning");
        assert_non_null(situation_skipped(&s, "CT-3"));
        s.now.knows_tracked = true;
        s.now.n_tracked_tcp = 700;
        s.now.n_tracked_time_wait = 350;
        situation_expect(&s, "CT-2 warning");
        s.now.n_tracked_time_wait = 351;
        situation_expect(&s, "CT-2 warning, CT-3 warning");
        situation_set(&s, CT "count", "799");
        situation_expect(&s, "");
        situation_earlier(&s);
        situation_grow(&s, COUNTER_TRACKING_DROPPED, 1);
        situation_expect(&s, "CT-1 critical, CT-3 warning");
        situation_set(&s, CT "count", "499");
        situation_expect(&s, "CT-1 critical");
        situation_deinit(&s);
}

static void test_timeouts(void **state UNUSED) {
        static const struct {
                const char *time_wait, *established, *idle, *interval, *probes, *wanted;
        } rows[] = {
                { "60", "432000", "7200", "75", "9", "" },
                { "59", "432000", "7200", "75", "9", "CT-4 notice" },
                { "120", "7875", "7200", "75", "9", "" },
                { "120", "7874", "7200", "75", "9", "CT-5 warning" },
                { "120", "600", "300", "30", "9", "" },
                { "120", "600", NULL, "75", "9", "" },
                /* what a hostile recording may claim */
                { "120", "600", "9223372036854775807", "75", "9", "" },
                { "120", "600", "7200", "9223372036854775807", "9223372036854775807", "" },
                { "120", "600", "-1", "75", "9", "" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, CT "tcp_timeout_time_wait", row->time_wait);
                situation_set(&s, CT "tcp_timeout_established", row->established);
                situation_set(&s, "net.ipv4.tcp_keepalive_time", row->idle);
                situation_set(&s, "net.ipv4.tcp_keepalive_intvl", row->interval);
                situation_set(&s, "net.ipv4.tcp_keepalive_probes", row->probes);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_ipvs(void **state UNUSED) {
        static const struct {
                KernelVersion kernel;
                const char *mode, *tracks, *expires, *wanted;
        } rows[] = {
                { { 5, 8, 99 }, "1", "1", "0", "IPVS-1 warning" },
                { { 5, 9, 0 }, "1", "1", "0", "" },
                { { 5, 8, 0 }, "1", "0", "0", "" },
                { { 5, 8, 0 }, "0", "1", "0", "IPVS-2 warning" },
                { { 5, 8, 0 }, "0", "1", "1", "" },
                { { 6, 1, 0 }, "0", "1", "1", "IPVS-2 warning" },
                { { 6, 1, 0 }, NULL, "1", "1", "" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                s.now.settings.kernel = row->kernel;
                situation_set(&s, VS "conn_reuse_mode", row->mode);
                situation_set(&s, VS "conntrack", row->tracks);
                situation_set(&s, VS "expire_nodest_conn", row->expires);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

TEST_MAIN(cmocka_unit_test(test_table), cmocka_unit_test(test_when_the_limit_is_raised),
          cmocka_unit_test(test_churn), cmocka_unit_test(test_timeouts),
          cmocka_unit_test(test_ipvs))
