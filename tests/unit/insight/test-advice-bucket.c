/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-bucket.h"

#include "situation-expect.h"

static const char limit_key[] = "net.ipv4.tcp_max_tw_buckets";

static void test_limit(void **state UNUSED) {
        static const struct {
                const char *limit, *slots; /* NULL: not there */
                uint32_t n_buckets;
                const char *wanted;
        } rows[] = {
                { NULL, NULL, 0, "" },
                { "131072", "262144", 0, "" },
                { "131071", "262144", 0, "TWB-3 warning" },
                { "131072", "-262144", 0, "" }, /* a child that shares the table */
                { "131071", "-262144", 0, "TWB-3 warning" },
                { "512", "1024", 0, "TWB-3 warning" }, /* few, though nobody lowered it */
                { "4096", NULL, 0, "" },
                { "4095", NULL, 0, "TWB-3 warning" },
                { "10000", NULL, 8999, "" },
                { "10000", NULL, 9000, "TWB-2 warning" },
                { "0", "262144", 0, "TWB-4 critical" },
                { "-1", NULL, 0, "TWB-4 critical" },
                { "0", "1", 0, "TWB-4 critical" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, limit_key, row->limit);
                situation_set(&s, "net.ipv4.tcp_ehash_entries", row->slots);
                s.now.sockets.n_buckets = row->n_buckets;
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_overflow(void **state UNUSED) {
        static const struct {
                const char *limit;
                uint32_t n_buckets;
                uint64_t total, growth;
                const char *wanted;
        } rows[] = {
                { "10000", 0, 0, 0, "" },
                { "10000", 0, 7, 0, "TWB-5 info" },
                { "10000", 10000, 7, 1, "TWB-1 critical" }, /* says what TWB-2 and TWB-5 say */
                { "10000", 9000, 7, 0, "TWB-2 warning, TWB-5 info" },
                { "100", 100, 0, 400, "TWB-1 critical, TWB-3 warning" },
                { "0", 0, 0, 400, "TWB-4 critical" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, limit_key, row->limit);
                s.now.sockets.n_buckets = row->n_buckets;
                s.now.counters[COUNTER_TIME_WAIT_OVERFLOW] = row->total;
                situation_earlier(&s);
                situation_grow(&s, COUNTER_TIME_WAIT_OVERFLOW, row->growth);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static const char *raised_to(Situation *s, const char *rule) {
        const Advice advice = situation_judge(s);
        const AdviceFinding *f = situation_find(&advice, rule);
        assert_non_null(f);
        return f ? f->remedy_detail[ADVICE_REMEDY_MORE_BUCKETS] : NULL;
}

static void assert_raised_to(Situation *s, const char *rule, const char *wanted) {
        const char *text = raised_to(s, rule);
        assert_non_null(text);
        if (text)
                assert_non_null(strstr(text, wanted));
}

/* Twice the peak, and what the kernel computed; never less than what is there. */
static void test_how_far_it_is_raised(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, limit_key, "5000");
        situation_set(&s, "net.ipv4.tcp_ehash_entries", "262144");
        s.now.sockets.n_buckets = 4900;
        assert_raised_to(&s, "TWB-3", "131,072");
        situation_set(&s, "net.ipv4.tcp_ehash_entries", NULL);
        assert_raised_to(&s, "TWB-2", "16,384");
        situation_set(&s, limit_key, "100000");
        s.now.sockets.n_buckets = 90000;
        assert_raised_to(&s, "TWB-2", "180,000");

        /* the kernel had no memory: a limit that is far is not what has to be changed */
        situation_set(&s, limit_key, "131072");
        s.now.sockets.n_buckets = 5;
        situation_earlier(&s);
        situation_grow(&s, COUNTER_TIME_WAIT_OVERFLOW, 1);
        assert_null(raised_to(&s, "TWB-1"));
        situation_deinit(&s);
}

static void test_what_is_not_known(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, limit_key, "131072");
        s.now.has_sockets = false;
        situation_expect(&s, "");
        assert_non_null(situation_skipped(&s, "TWB-2"));
        s.now.sockstat = (SnapshotSockstat){ .known = true, .time_wait = 130000 };
        situation_expect(&s, "TWB-2 warning");
        s.now.known[COUNTER_TIME_WAIT_OVERFLOW] = false;
        situation_earlier(&s);
        assert_non_null(situation_skipped(&s, "TWB-1"));
        assert_non_null(situation_skipped(&s, "TWB-5"));
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_limit), cmocka_unit_test(test_overflow),
          cmocka_unit_test(test_how_far_it_is_raised), cmocka_unit_test(test_what_is_not_known))
