/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-close.h"

#include "situation-expect.h"

static void test_fin_timeout(void **state UNUSED) {
        static const struct {
                const char *seconds, *wanted;
        } rows[] = {
                { "60", "" },
                { "61", "FIN-2 warning" },
                { "119", "FIN-2 warning" },
                { "120", "" },
                { "5", "" },
                { "4", "FIN-3 notice" },
                { "0", "FIN-3 notice" },
                { "-5", "FIN-3 notice" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_fin_timeout", row->seconds);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_orphans_of_fin_wait2(void **state UNUSED) {
        static const struct {
                uint32_t n_orphans, n_buckets;
                const char *wanted;
        } rows[] = {
                { 1000, 1000, "" },
                { 1001, 1001, "FIN-1 warning" },
                { 1001, 1998, "FIN-1 warning" },
                { 1001, 2002, "" },
                { 5, 5, "" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                s.now.sockets.sides[SNAPSHOT_STRAY].n_fin_wait2 = 1;
                s.now.sockets.sides[SNAPSHOT_OUTGOING].n_fin_wait2 = row->n_orphans - 1;
                s.now.sockets.n_buckets = row->n_buckets;
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_unanswered(void **state UNUSED) {
        static const struct {
                uint32_t n_fin_wait1, n_last_ack, n_established;
                const char *wanted;
        } rows[] = {
                { 500, 500, 0, "" },
                { 501, 500, 0, "FIN-4 warning" },
                { 0, 1001, 10009, "FIN-4 warning" },
                { 0, 1001, 10010, "" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                uint32_t *states = s.now.sockets.states[SNAPSHOT_IPV6];
                states[TCP_STATE_FIN_WAIT1] = row->n_fin_wait1;
                states[TCP_STATE_LAST_ACK] = row->n_last_ack;
                states[TCP_STATE_ESTABLISHED] = row->n_established;
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_close_wait(void **state UNUSED) {
        static const struct {
                uint32_t n_before, n_now;
                const char *wanted;
        } rows[] = {
                { 100, 100, "" }, { 101, 101, "CW-1 warning" },
                { 30, 39, "" },   { 30, 40, "CW-1 warning" },
                { 40, 30, "" },   { 0, 9, "" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                uint32_t *n = &s.now.sockets.states[SNAPSHOT_IPV4][TCP_STATE_CLOSE_WAIT];
                *n = row->n_before;
                situation_earlier(&s);
                *n = row->n_now;
                const SnapshotHolder holder = { 33, SNAPSHOT_OUTGOING, 5432, row->n_now };
                s.now.sockets.holders = &holder;
                s.now.sockets.n_holders = 1;
                situation_expect(&s, row->wanted);
                /* without the earlier list, growth is not known */
                s.before.has_sockets = false;
                situation_expect(&s, row->n_now > 100 ? "CW-1 warning" : "");
                situation_deinit(&s);
        }
}

static void test_who_does_not_close(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        s.now.sockets.states[SNAPSHOT_IPV4][TCP_STATE_CLOSE_WAIT] = 150;
        const SnapshotHolder holder = { 33, SNAPSHOT_INCOMING, 8080, 120 };
        s.now.sockets.holders = &holder;
        s.now.sockets.n_holders = 1;
        Advice advice = situation_judge(&s);
        const AdviceFinding *f = situation_find(&advice, "CW-1");
        assert_non_null(f);
        if (f) {
                assert_string_equal(f->subject, "uid 33, local port 8080");
                assert_string_equal(f->next, "ss -tnp state close-wait '( sport = :8080 )'");
        }
        s.now.sockets.n_holders = 0;
        advice = situation_judge(&s);
        f = situation_find(&advice, "CW-1");
        assert_non_null(f);
        if (f)
                assert_string_equal(f->next, "ss -tnp state close-wait");
        situation_deinit(&s);
}

static void test_orphans(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, "net.ipv4.tcp_max_orphans", "1000");
        s.now.sockstat = (SnapshotSockstat){ .known = true, .orphans = 699 };
        situation_earlier(&s);
        situation_expect(&s, "");
        s.now.sockstat.orphans = 700;
        situation_expect(&s, "ORPH-1 warning");
        situation_grow(&s, COUNTER_ABORT_ON_MEMORY, 1);
        situation_expect(&s, "ORPH-1 critical");
        situation_set(&s, "net.ipv4.tcp_max_orphans",
                      NULL); /* as in another namespace than the first */
        situation_expect(&s, "ORPH-1 critical");
        s.has_before = false;
        situation_expect(&s, "");
        assert_non_null(situation_skipped(&s, "ORPH-1"));
        situation_deinit(&s);
}

static void test_aborts(void **state UNUSED) {
        static const struct {
                uint64_t aborts, opens, accepts;
                const char *wanted;
        } rows[] = {
                { 0, 0, 0, "" },
                { 1, 0, 0, "RST-1 notice" },
                { 4, 20, 20, "" }, /* a tenth */
                { 5, 20, 20, "RST-1 notice" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_earlier(&s);
                situation_grow(&s, COUNTER_ABORT_ON_DATA, row->aborts);
                situation_grow(&s, COUNTER_ACTIVE_OPENS, row->opens);
                situation_grow(&s, COUNTER_PASSIVE_OPENS, row->accepts);
                situation_expect(&s, row->wanted);
                s.now.known[COUNTER_ABORT_ON_DATA] = false;
                situation_expect(&s, "");
                assert_non_null(situation_skipped(&s, "RST-1"));
                situation_deinit(&s);
        }
}

TEST_MAIN(cmocka_unit_test(test_fin_timeout), cmocka_unit_test(test_orphans_of_fin_wait2),
          cmocka_unit_test(test_unanswered), cmocka_unit_test(test_close_wait),
          cmocka_unit_test(test_who_does_not_close), cmocka_unit_test(test_orphans),
          cmocka_unit_test(test_aborts))
