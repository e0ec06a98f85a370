/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-tuple.h"

#include "situation.h"

static AdviceTuple figures(const Situation *s, const SnapshotTuple *tuple) {
        AdviceInput input = situation_input(s);
        AdviceRun run = { .input = &input, .now = &s->now };
        if (s->has_before)
                assert_true(rates_between(&s->before, &s->now, &run.rates));
        return advice_tuple_figures(&run, tuple);
}

static void test_ceilings(void **state UNUSED) {
        static const struct {
                KernelVersion kernel;
                const char *delay, *time_wait;
                uint64_t ceiling, reuse_ceiling;
        } rows[] = {
                { { 6, 18, 0 }, "1000", NULL, 16666, 1000000 },
                { { 6, 18, 0 }, "500", NULL, 16666, 2000000 },
                { { 6, 18, 0 }, "0", NULL, 16666, 1000000000 }, /* as 1 */
                { { 5, 10, 0 }, NULL, NULL, 16666, 1000000 },
                { { 4, 15, 0 }, NULL, NULL, 16666, 500000 },
                { { 4, 19, 91 }, NULL, "30", 33333, 1000000 },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                s.now.settings.kernel = row->kernel;
                situation_set(&s, "net.ipv4.tcp_tw_reuse_delay", row->delay);
                situation_set(&s, "net.ipv4.tcp_tw_timeout", row->time_wait);
                SnapshotTuple tuple = situation_tuple("10.0.0.2", 80, (SnapshotUse){});
                AdviceTuple t = figures(&s, &tuple);
                assert_true(t.ceiling == row->ceiling);
                assert_true(t.reuse_ceiling == row->reuse_ceiling);
                situation_deinit(&s);
        }
}

/* Old TIME_WAITs are no obstacle where reuse works, and only there. */
static void test_what_is_taken(void **state UNUSED) {
        static const struct {
                const char *reuse, *timestamps, *remote;
                uint64_t opens, recycled;
                bool on, happens;
                uint32_t level;
        } rows[] = {
                { "0", "1", "10.0.0.2", 10, 0, false, false, 700 },
                { "1", "1", "10.0.0.2", 10, 5, true, true, 100 },
                { "1", "1", "10.0.0.2", 10, 0, true, false, 700 },
                { "1", "1", "10.0.0.2", 0, 0, true, true,
                  100 }, /* nothing is opened: nothing fails */
                { "1", "0", "10.0.0.2", 10, 0, false, false, 700 },
                { "2", "1", "10.0.0.2", 10, 5, false, false, 700 },
                { "2", "1", "127.0.0.1", 10, 5, true, true, 100 },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_tw_reuse", row->reuse);
                situation_set(&s, "net.ipv4.tcp_timestamps", row->timestamps);
                situation_earlier(&s);
                s.now.counters[COUNTER_ACTIVE_OPENS] = row->opens;
                s.now.counters[COUNTER_TIME_WAIT_RECYCLED] = row->recycled;
                SnapshotTuple tuple = situation_tuple(
                                row->remote, 80,
                                (SnapshotUse){ .n_time_wait = 690,
                                               .n_other = 10,
                                               .n_reusable = 600 });
                AdviceTuple t = figures(&s, &tuple);
                assert_int_equal(t.reuse_is_on, row->on);
                assert_int_equal(t.reuse_happens, row->happens);
                assert_int_equal(t.level, row->level);
                situation_deinit(&s);
        }
}

/* A pool that is used up opens nothing: then reuse fails where nothing was ever taken over. */
static void test_used_up_without_opens(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, "net.ipv4.tcp_tw_reuse", "1");
        situation_earlier(&s);
        SnapshotTuple tuple = situation_tuple(
                        "10.0.0.2", 80, (SnapshotUse){ .n_time_wait = 990, .n_reusable = 990 });
        assert_int_equal(figures(&s, &tuple).level, 990);
        s.now.counters[COUNTER_TIME_WAIT_RECYCLED] = 1000; /* it has worked before */
        s.before.counters[COUNTER_TIME_WAIT_RECYCLED] = 1000;
        assert_int_equal(figures(&s, &tuple).level, 0);
        situation_deinit(&s);
}

static void test_rate(void **state UNUSED) {
        static const struct {
                const char *reuse;
                uint32_t earlier; /* TIME_WAITs; 0: one sample */
                uint64_t opens;
                bool has, steady;
                uint64_t rate;
        } rows[] = {
                { "0", 0, 0, true, true, 10000 },     /* 600 / 60 */
                { "0", 600, 40, true, true, 10000 },  /* none more, none less */
                { "0", 598, 40, true, true, 10000 },  /* by 2 in a second: a fifth of 10 */
                { "0", 560, 40, true, false, 30000 }, /* its share of ActiveOpens: 3 of 4 */
                { "1", 600, 40, true, false, 30000 }, { "1", 0, 40, false, false, 0 },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_tw_reuse", row->reuse);
                SnapshotTuple tuple = situation_tuple(
                                "10.0.0.2", 80,
                                (SnapshotUse){ .n_time_wait = 600, .n_recent = 30 });
                SnapshotTuple earlier = tuple;
                earlier.use.n_time_wait = row->earlier;
                situation_outgoing(&s, &earlier, 1);
                if (row->earlier > 0)
                        situation_earlier(&s);
                situation_outgoing(&s, &tuple, 1);
                s.now.sockets.sides[SNAPSHOT_OUTGOING].n_recent = 40;
                s.now.counters[COUNTER_ACTIVE_OPENS] = row->opens;
                AdviceTuple t = figures(&s, &tuple);
                assert_int_equal(t.has_rate, row->has);
                assert_int_equal(t.rate_is_steady, row->steady);
                assert_true(t.rate == row->rate);
                situation_deinit(&s);
        }
}

static void test_bound(void **state UNUSED) {
        static const struct {
                uint32_t taken, most, error;
                bool want;
        } rows[] = {
                { 900, 499, 0, true },
                { 899, 100, 0, false },
                { 1000, 500, 0, false },
                { 950, 450, 50, false }, /* the list may be too low by so much */
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                SnapshotTuple tuple = situation_tuple(
                                "10.0.0.2", 80, (SnapshotUse){ .n_other = row->most });
                situation_outgoing(&s, &tuple, 1);
                s.now.sockets.n_pool_ports_taken = row->taken;
                s.now.sockets.tuples_error = row->error;
                AdviceInput input = situation_input(&s);
                AdviceRun run = { .input = &input, .now = &s.now };
                assert_int_equal(advice_ports_are_bound(&run), row->want);
                s.now.pool.size = 0;
                assert_false(advice_ports_are_bound(&run));
                situation_deinit(&s);
        }
}

TEST_MAIN(cmocka_unit_test(test_ceilings), cmocka_unit_test(test_what_is_taken),
          cmocka_unit_test(test_used_up_without_opens), cmocka_unit_test(test_rate),
          cmocka_unit_test(test_bound))
