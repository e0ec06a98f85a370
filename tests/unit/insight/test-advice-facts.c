/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-facts.h"

#include "situation-expect.h"

static void test_share(void **state UNUSED) {
        assert_int_equal(advice_share(1, 2), 500);
        assert_int_equal(advice_share(3, 0), 0);
        assert_int_equal(advice_share(UINT64_MAX, UINT64_MAX), 1000);
}

static void test_setting(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        const AdviceRun run = { .now = &s.now };
        int64_t value = 0;
        assert_false(advice_setting(&run, "net.ipv4.tcp_max_tw_buckets", &value));
        situation_set(&s, "net.ipv4.tcp_max_tw_buckets", "-5");
        assert_true(advice_setting(&run, "net.ipv4.tcp_max_tw_buckets", &value));
        assert_int_equal(value, -5);
        assert_false(advice_setting(
                        &run, "net.ipv4.ip_local_port_range", &value)); /* two numbers */
        assert_false(advice_setting(&run, "no.such.key", &value));
        situation_deinit(&s);
}

static void test_buckets(void **state UNUSED) {
        Snapshot now = { .has_sockets = true,
                         .sockets = { .n_buckets = 7 },
                         .sockstat = { .known = true, .time_wait = 8 } };
        const AdviceRun run = { .now = &now };
        uint64_t n = 0;
        assert_true(advice_buckets(&run, &n));
        assert_int_equal(n, 7);
        now.has_sockets = false;
        assert_true(advice_buckets(&run, &n));
        assert_int_equal(n, 8);
        now.sockstat.known = false;
        assert_false(advice_buckets(&run, &n));
}

static void test_rate(void **state UNUSED) {
        AdviceRun run = { .rates = { .interval_us = 1 } };
        run.rates.per_second[COUNTER_TIME_WAIT] = 9;
        assert_int_equal(advice_rate_or_0(&run, COUNTER_TIME_WAIT), 0);
        run.rates.known[COUNTER_TIME_WAIT] = true;
        assert_int_equal(advice_rate_or_0(&run, COUNTER_TIME_WAIT), 9);
        run.rates.interval_us = 0;
        assert_int_equal(advice_rate_or_0(&run, COUNTER_TIME_WAIT), 0);
}

/* Texts as they come out of a finding: SRV-3 tells bytes, TWB-2 a share. */
static void test_texts(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, "net.ipv4.tcp_max_tw_buckets", "4096");
        s.now.memory = 3 << 20;
        s.now.sockets.n_buckets = 4000;
        const Advice advice = situation_judge(&s);
        const AdviceFinding *memory = situation_find(&advice, "SRV-3");
        const AdviceFinding *limit = situation_find(&advice, "TWB-2");
        assert_non_null(memory);
        assert_non_null(limit);
        if (memory)
                assert_non_null(strstr(memory->evidence, "up to 2 MiB of 3 MiB"));
        if (limit)
                assert_non_null(strstr(limit->formula, "4,000 / 4,096 = 97.6%"));
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_share), cmocka_unit_test(test_setting),
          cmocka_unit_test(test_buckets), cmocka_unit_test(test_rate), cmocka_unit_test(test_texts))
