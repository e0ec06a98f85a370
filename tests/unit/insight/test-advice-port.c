/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-port.h"

#include "situation.h"

/* One tuple on both sides of each limit, of 1000 ports. */
static void test_levels(void **state UNUSED) {
        static const struct {
                uint32_t time_wait, orphans, open;
                const char *rule; /* of PORT-1 to PORT-4, or NULL */
        } rows[] = {
                { 499, 0, 0, NULL },       { 500, 0, 0, "PORT-2" },     { 949, 0, 0, "PORT-2" },
                { 950, 0, 0, "PORT-1" },   { 318, 316, 316, "PORT-1" }, { 400, 0, 399, "PORT-2" },
                { 100, 0, 699, "PORT-2" }, { 100, 0, 700, "PORT-3" },   { 10, 0, 985, "PORT-3" },
                { 100, 700, 0, "PORT-4" }, { 100, 699, 0, "PORT-2" },   { 0, 990, 0, "PORT-4" },
                { 0, 0, 499, NULL },
        };
        static const char *const levels[] = { "PORT-1", "PORT-2", "PORT-3", "PORT-4" };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                SnapshotTuple tuple = situation_tuple(
                                "10.0.0.2", 80,
                                (SnapshotUse){ .n_time_wait = row->time_wait,
                                               .n_fin_wait2 = row->orphans,
                                               .n_other = row->open });
                situation_outgoing(&s, &tuple, 1);
                Advice advice = situation_judge(&s);
                for (size_t i = 0; i < ELEMENTSOF(levels); i++) {
                        const AdviceFinding *f = situation_find(&advice, levels[i]);
                        assert_int_equal(f != NULL, row->rule && streq(row->rule, levels[i]));
                        if (f)
                                assert_ptr_equal(f->tuple, &tuple);
                }
                situation_deinit(&s);
        }
}

static const AdviceFinding *judge_used_up(
                Situation *s, const char *reuse, const char *timestamps, const char *remote) {
        static SnapshotTuple tuple;
        static Advice advice;
        situation_init(s);
        situation_set(s, "net.ipv4.tcp_tw_reuse", reuse);
        situation_set(s, "net.ipv4.tcp_timestamps", timestamps);
        situation_set(s, "net.ipv4.tcp_tw_reuse_delay", "1000");
        tuple = situation_tuple(remote, 80, (SnapshotUse){ .n_time_wait = 960 });
        situation_outgoing(s, &tuple, 1);
        advice = situation_judge(s);
        return situation_find(&advice, "PORT-1");
}

/* The conditions of tcp_tw_reuse. */
static void test_reuse_is_recommended(void **state UNUSED) {
        static const struct {
                const char *reuse, *timestamps, *remote;
                bool reuse_1, reuse_2, timestamps_on, delay;
        } rows[] = {
                { "0", "1", "10.0.0.2", true, false, false, true },
                { "2", "1", "10.0.0.2", true, false, false, true },
                { "1", "1", "10.0.0.2", false, false, false, true },
                { "0", "0", "10.0.0.2", false, false, true, false },
                { NULL, "1", "10.0.0.2", false, false, false, true },
                { "0", "1", "127.0.0.1", false, true, false, false },
        };
        TEST_EACH(row, rows) {
                Situation s;
                const AdviceFinding *f = judge_used_up(
                                &s, row->reuse, row->timestamps, row->remote);
                assert_non_null(f);
                const bool *has = f ? f->has_remedy : NULL;
                assert_int_equal(has && has[ADVICE_REMEDY_TW_REUSE], row->reuse_1);
                assert_int_equal(has && has[ADVICE_REMEDY_TW_REUSE_LOOPBACK], row->reuse_2);
                assert_int_equal(has && has[ADVICE_REMEDY_TIMESTAMPS_ON], row->timestamps_on);
                assert_int_equal(has && has[ADVICE_REMEDY_TW_REUSE_DELAY], row->delay);
                situation_deinit(&s);
        }
}

static void test_first_remedy_and_numbers(void **state UNUSED) {
        Situation s;
        const AdviceFinding *f = judge_used_up(&s, "2", "1", "10.0.0.2");
        assert_non_null(f);
        if (f) {
                assert_int_equal(
                                advice_next_remedy(f, ADVICE_REMEDIES),
                                ADVICE_REMEDY_REUSE_CONNECTIONS);
                assert_string_equal(f->subject, "10.0.0.1 -> 10.0.0.2:80");
                assert_non_null(strstr(f->formula, "(960 + 0 + 0) / 1,000 = 96%"));
                assert_non_null(strstr(f->formula, "C0 = P / 60 s = 1,000 / 60 = 16.7"));
                assert_string_equal(f->profile, "outbound-proxy");
        }
        situation_deinit(&s);
}

/* (1 - U) x P / (lambda - C0) = 400 / (1000 - 16.7) */
static void test_time_left(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_earlier(&s);
        SnapshotTuple tuple = situation_tuple(
                        "10.0.0.2", 80, (SnapshotUse){ .n_time_wait = 600, .n_recent = 600 });
        situation_outgoing(&s, &tuple, 1);
        s.now.counters[COUNTER_ACTIVE_OPENS] = 1000;
        Advice advice = situation_judge(&s);
        const AdviceFinding *f = situation_find(&advice, "PORT-2");
        assert_non_null(f);
        if (f)
                assert_non_null(strstr(f->formula, "= 400 / (1,000 - 16.7) = 0.406 s"));
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_levels), cmocka_unit_test(test_reuse_is_recommended),
          cmocka_unit_test(test_first_remedy_and_numbers), cmocka_unit_test(test_time_left))
