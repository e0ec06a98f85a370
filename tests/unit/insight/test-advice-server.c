/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-server.h"

#include "situation-expect.h"

static void test_closes_first(void **state UNUSED) {
        static const struct {
                uint32_t n_incoming, n_outgoing;
                const char *limit, *reuse;
                uint64_t recycled;
                const char *wanted;
        } rows[] = {
                { 999, 0, "131072", "0", 0, "" },
                { 1000, 0, "131072", "0", 0, "SRV-1 info" },
                { 1000, 299, "131072", "0", 0, "SRV-1 info" },
                { 1000, 0, "2001", "0", 0, "TWB-3 warning, SRV-1 info" },
                { 1000, 0, "2000", "0", 0, "TWB-3 warning" }, /* half of the limit */
                { 1000, 0, "131072", "2", 0, "SRV-1 info" },
                { 1000, 0, "131072", "1", 0, "SRV-2 notice" },
                { 1000, 0, "131072", "1", 1, "SRV-1 info" }, /* it was of use */
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_max_tw_buckets", row->limit);
                situation_set(&s, "net.ipv4.tcp_tw_reuse", row->reuse);
                s.now.counters[COUNTER_TIME_WAIT_RECYCLED] = row->recycled;
                const SnapshotListener listener = { .port = 80,
                                                    .use = { .n_time_wait = row->n_incoming } };
                const SnapshotTuple tuple = situation_tuple(
                                "10.0.0.2", 80, (SnapshotUse){ .n_time_wait = row->n_outgoing });
                situation_outgoing(&s, &tuple, 1);
                situation_incoming(&s, &listener);
                s.now.sockets.states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT] += row->n_outgoing;
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_overflows_are_no_server_matter(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, "net.ipv4.tcp_max_tw_buckets", "131072");
        const SnapshotListener listener = { .port = 80, .use = { .n_time_wait = 5000 } };
        situation_incoming(&s, &listener);
        /* one sample: it may go on */
        s.now.counters[COUNTER_TIME_WAIT_OVERFLOW] = 5;
        situation_expect(&s, "");
        assert_non_null(situation_skipped(&s, "SRV-1"));
        situation_earlier(&s);
        situation_expect(&s, "SRV-1 info, TWB-5 info");
        situation_deinit(&s);
}

static void test_memory(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        s.now.memory = UINT64_C(51200000);
        s.now.sockets.n_buckets = 1000;
        situation_expect(&s, ""); /* exactly a hundredth */
        s.now.sockets.n_buckets = 1001;
        situation_expect(&s, "SRV-3 notice");
        s.now.memory = 0;
        situation_expect(&s, "");
        assert_non_null(situation_skipped(&s, "SRV-3"));
        situation_deinit(&s);
}

static void test_short_lives(void **state UNUSED) {
        static const struct {
                uint64_t accepts;
                uint32_t n_open;
                const char *wanted;
        } rows[] = {
                { 49, 0, "" },
                { 50, 0, "SRV-4 notice" },
                { 50, 49, "SRV-4 notice" },
                { 50, 50, "" }, /* a second each */
                { 2000, 1999, "SRV-4 notice" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                const SnapshotListener listener = { .port = 80, .use = { .n_other = row->n_open } };
                situation_incoming(&s, &listener);
                situation_earlier(&s);
                situation_grow(&s, COUNTER_PASSIVE_OPENS, row->accepts);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

TEST_MAIN(cmocka_unit_test(test_closes_first),
          cmocka_unit_test(test_overflows_are_no_server_matter), cmocka_unit_test(test_memory),
          cmocka_unit_test(test_short_lives))
