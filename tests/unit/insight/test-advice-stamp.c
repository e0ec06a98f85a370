/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-stamp.h"

#include "situation-expect.h"

static void test_settings(void **state UNUSED) {
        static const struct {
                const char *key, *value, *wanted;
        } rows[] = {
                { "net.ipv4.tcp_timestamps", "0", "TS-1 warning" },
                { "net.ipv4.tcp_timestamps", "2", "" },
                { "net.ipv4.tcp_timestamps", "3", "TS-2 notice" },
                { "net.ipv4.tcp_timestamps", NULL, "" },
                { "net.ipv4.tcp_rfc1337", "0", "" },
                { "net.ipv4.tcp_rfc1337", "1", "NAT-2 notice" },
                { "net.ipv4.tcp_tw_recycle", "0", "" },
                { "net.ipv4.tcp_tw_recycle", "1", "NAT-3 critical" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, row->key, row->value);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static AdviceSeverity severity_of(const Situation *s, const char *rule) {
        const Advice advice = situation_judge(s);
        const AdviceFinding *f = situation_find(&advice, rule);
        assert_non_null(f);
        return f ? f->severity : ADVICE_SEVERITIES;
}

/* Critical where ports are out although tcp_tw_reuse is set for the tuple. */
static void test_timestamps_and_ports(void **state UNUSED) {
        static const struct {
                const char *remote, *reuse;
                SnapshotUse use;
                AdviceSeverity wanted;
        } rows[] = {
                { "10.0.0.2", "1", { .n_time_wait = 950 }, ADVICE_CRITICAL },
                { "10.0.0.2", "1", { .n_time_wait = 949 }, ADVICE_WARNING },
                { "10.0.0.2", "2", { .n_time_wait = 950 }, ADVICE_WARNING },
                { "127.0.0.1", "2", { .n_time_wait = 950 }, ADVICE_CRITICAL },
                { "10.0.0.2", "0", { .n_time_wait = 950 }, ADVICE_WARNING },
                { "10.0.0.2", "1", { .n_time_wait = 400, .n_other = 560 }, ADVICE_WARNING },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_timestamps", "0");
                situation_set(&s, "net.ipv4.tcp_tw_reuse", row->reuse);
                const SnapshotTuple tuple = situation_tuple(row->remote, 80, row->use);
                situation_outgoing(&s, &tuple, 1);
                assert_int_equal(severity_of(&s, "TS-1"), row->wanted);
                situation_deinit(&s);
        }
}

static void test_shared_address(void **state UNUSED) {
        static const struct {
                uint64_t paws, skipped;
                uint32_t n_incoming;
                const char *rfc1337, *wanted;
        } rows[] = {
                { 0, 0, 5, "0", "" },
                { 1, 0, 5, "0", "NAT-1 warning" },
                { 0, 1, 5, "0", "NAT-1 warning" },
                { 1, 1, 0, "0", "" }, /* the clients close first */
                { 1, 0, 5, "1", "NAT-1 critical, NAT-2 notice" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_rfc1337", row->rfc1337);
                const SnapshotListener listener = { .port = 80,
                                                    .use = { .n_time_wait = row->n_incoming } };
                situation_incoming(&s, &listener);
                situation_earlier(&s);
                situation_grow(&s, COUNTER_PAWS_TIME_WAIT, row->paws);
                situation_grow(&s, COUNTER_SKIPPED_TIME_WAIT, row->skipped);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

/* Names that a kernel does not have are unknown: PAWSTimewait is there since Linux 6.17. */
static void test_older_kernels(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        const SnapshotListener listener = { .port = 80, .use = { .n_time_wait = 5 } };
        situation_incoming(&s, &listener);
        s.now.known[COUNTER_PAWS_TIME_WAIT] = false;
        situation_earlier(&s);
        situation_expect(&s, "");
        assert_null(situation_skipped(&s, "NAT-1"));
        situation_grow(&s, COUNTER_SKIPPED_TIME_WAIT, 1);
        situation_expect(&s, "NAT-1 warning");
        s.now.known[COUNTER_SKIPPED_TIME_WAIT] = false;
        situation_expect(&s, "");
        assert_non_null(situation_skipped(&s, "NAT-1"));
        situation_deinit(&s);
}

static void test_open_connections(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_earlier(&s);
        situation_grow(&s, COUNTER_PAWS_ESTAB, 9);
        situation_expect(&s, "");
        situation_grow(&s, COUNTER_PAWS_ESTAB, 10);
        situation_expect(&s, "NAT-4 notice");
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_settings), cmocka_unit_test(test_timestamps_and_ports),
          cmocka_unit_test(test_shared_address), cmocka_unit_test(test_older_kernels),
          cmocka_unit_test(test_open_connections))
