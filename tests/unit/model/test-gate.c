/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/gate.h"

#include "test.h"

/* A sample in which everything is known and stands still but what a test changes. */
static GateSample sample_at(int64_t ms) {
        GateSample sample = { .time_ms = ms };
        for (GateId id = 0; id < GATE_COUNTERS; id++)
                sample.known[id] = true;
        sample.whole[GATE_RETRANSMITS] = (uint64_t) ms; /* a thousand segments a second */
        return sample;
}

/* Five seconds in which `id` counts `per_second`, with one interval of twice that. */
static GateBaseline baseline_of(GateId id, uint64_t per_second) {
        GateBaseline baseline = { 0 };
        GateSample previous = sample_at(0);
        for (int i = 1; i <= 10; i++) {
                GateSample now = sample_at((int64_t) i * 500);
                now.value[id] = previous.value[id] + (i == 5 ? per_second : per_second / 2);
                gate_baseline_add(&baseline, &previous, &now);
                previous = now;
        }
        return baseline;
}

/* Samples of half a second in which `id` counts `per_second`; how many it takes to be worse, 0 for never. */
static unsigned samples_until_worse(
                const GateBaseline *baseline, GateId id, uint64_t per_second, GateVerdict *ret) {
        GateWatch watch;
        gate_watch_start(&watch, baseline);
        GateSample sample = sample_at(10000);
        for (unsigned i = 1; i <= 20; i++) {
                if (gate_watch_add(&watch, &sample, ret))
                        return i;
                uint64_t value = sample.value[id] + per_second / 2;
                sample = sample_at(10000 + (int64_t) i * 500);
                sample.value[id] = value;
        }
        return 0;
}

static void test_gate_sees_what_got_worse(void **state UNUSED) {
        GateVerdict verdict;
        GateBaseline quiet = baseline_of(GATE_LISTEN_OVERFLOWS, 0);
        assert_int_equal(quiet.span_ms, 5000);
        assert_int_equal(samples_until_worse(&quiet, GATE_LISTEN_OVERFLOWS, 100, &verdict), 3);
        assert_int_equal(verdict.id, GATE_LISTEN_OVERFLOWS);
        assert_int_equal(verdict.now, 100000);
        assert_int_equal(verdict.after_ms, 1000);

        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        gate_verdict_render(&verdict, &text);
        assert_string_equal(
                        strbuf_text(&text),
                        "TcpExt.ListenOverflows (connections refused because an accept queue was full) at "
                        "100.0/s, before the change 0.0/s and at most 0.0/s; allowed was 5.0/s; seen 1.0 s into "
                        "the window");
}

static void test_gate_bears_the_noise_of_before(void **state UNUSED) {
        GateVerdict verdict;
        GateBaseline noisy = baseline_of(GATE_TIME_WAIT_OVERFLOW, 100);
        assert_int_equal(noisy.peak[GATE_TIME_WAIT_OVERFLOW], 200000);
        assert_int_equal(samples_until_worse(&noisy, GATE_TIME_WAIT_OVERFLOW, 100, &verdict), 0);
        assert_int_equal(samples_until_worse(&noisy, GATE_TIME_WAIT_OVERFLOW, 400, &verdict), 0);
        assert_int_not_equal(
                        samples_until_worse(&noisy, GATE_TIME_WAIT_OVERFLOW, 500, &verdict), 0);
}

static void test_gate_one_spike_is_none(void **state UNUSED) {
        GateBaseline quiet = baseline_of(GATE_RESETS_SENT, 0);
        GateWatch watch;
        GateVerdict verdict;
        gate_watch_start(&watch, &quiet);
        uint64_t value = 0;
        for (int i = 0; i < 20; i++) {
                GateSample sample = sample_at((int64_t) i * 500);
                value += i % 2 ? 1000 : 0; /* never in two intervals one behind the other */
                sample.value[GATE_RESETS_SENT] = value;
                assert_false(gate_watch_add(&watch, &sample, &verdict));
        }
}

static void test_gate_shares(void **state UNUSED) {
        GateVerdict verdict;
        GateBaseline quiet = baseline_of(GATE_RETRANSMITS, 10); /* one per cent, once two */
        assert_int_equal(quiet.peak[GATE_RETRANSMITS], 20);
        assert_int_equal(samples_until_worse(&quiet, GATE_RETRANSMITS, 40, &verdict), 0);
        assert_int_equal(samples_until_worse(&quiet, GATE_RETRANSMITS, 80, &verdict), 3);
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        gate_verdict_render(&verdict, &text);
        assert_non_null(strstr(strbuf_text(&text), " at 8.0 %, before the change 1."));

        /* hardly any traffic: no share can be told, and none is worse */
        GateWatch watch;
        gate_watch_start(&watch, &quiet);
        for (int i = 0; i < 6; i++) {
                GateSample sample = sample_at((int64_t) i * 500);
                sample.whole[GATE_RETRANSMITS] = (uint64_t) i * 10;
                sample.value[GATE_RETRANSMITS] = (uint64_t) i * 10;
                assert_false(gate_watch_add(&watch, &sample, &verdict));
        }
}

static void test_gate_ports(void **state UNUSED) {
        static const struct {
                uint64_t before, now;
                bool worse;
        } cases[] = {
                { 100, 880, false }, { 100, 950, true },    { 930, 960, false },
                { 930, 990, true },  { 1000, 1000, false },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                GateBaseline baseline = { 0 };
                GateSample a = sample_at(0), b = sample_at(500);
                a.value[GATE_PORTS] = b.value[GATE_PORTS] = cases[i].before;
                gate_baseline_add(&baseline, &a, &b);
                GateWatch watch;
                GateVerdict verdict;
                gate_watch_start(&watch, &baseline);
                bool worse = false;
                for (int k = 0; k < 3; k++) {
                        GateSample now = sample_at(1000 + (int64_t) k * 500);
                        now.value[GATE_PORTS] = cases[i].now;
                        worse = gate_watch_add(&watch, &now, &verdict) || worse;
                }
                assert_int_equal(worse, cases[i].worse);
        }
}

static void test_gate_judges_only_what_is_known(void **state UNUSED) {
        GateVerdict verdict;
        GateBaseline baseline = { 0 };
        GateSample a = sample_at(0), b = sample_at(500);
        a.known[GATE_SYN_COOKIES] = b.known[GATE_SYN_COOKIES] = false;
        gate_baseline_add(&baseline, &a, &b);
        assert_int_equal(samples_until_worse(&baseline, GATE_SYN_COOKIES, 10000, &verdict), 0);

        /* a counter that falls was started anew; time that stands still shows nothing */
        GateWatch watch;
        gate_watch_start(&watch, &baseline);
        GateSample high = sample_at(1000), low = sample_at(1500);
        high.value[GATE_LISTEN_DROPS] = UINT64_MAX;
        assert_false(gate_watch_add(&watch, &high, &verdict));
        assert_false(gate_watch_add(&watch, &low, &verdict));
        low.value[GATE_LISTEN_DROPS] = 1000;
        assert_false(gate_watch_add(&watch, &low, &verdict));
        assert_false(gate_watch_add(&watch, &low, &verdict));
}

static void test_gate_names(void **state UNUSED) {
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                const GateCounter *counter = gate_counter(id);
                assert_non_null(counter->means);
                assert_int_equal(gate_counter_find(counter->name), id);
                assert_int_equal(counter->group == NULL, counter->kind == GATE_LEVEL);
                assert_int_equal(counter->whole != NULL, counter->kind == GATE_SHARE);
        }
        assert_int_equal(gate_counter_find("TcpExt.Nothing"), GATE_COUNTERS);
}

/* Strikes are in a row: an interval that says nothing ends it, but for a level, which is not measured each time. */
static void test_gate_strikes_in_a_row(void **state UNUSED) {
        GateVerdict verdict;
        GateBaseline quiet = baseline_of(GATE_RETRANSMITS, 10);
        GateWatch watch;
        gate_watch_start(&watch, &quiet);
        static const struct {
                uint64_t segments, again;
                bool worse;
        } intervals[] = {
                { 500, 40, false }, { 10, 10, false }, { 500, 40, false }, { 500, 40, true }
        };
        GateSample sample = sample_at(0);
        assert_false(gate_watch_add(&watch, &sample, &verdict));
        for (size_t i = 0; i < ELEMENTSOF(intervals); i++) {
                sample.time_ms += 500;
                sample.whole[GATE_RETRANSMITS] += intervals[i].segments;
                sample.value[GATE_RETRANSMITS] += intervals[i].again;
                assert_int_equal(gate_watch_add(&watch, &sample, &verdict), intervals[i].worse);
        }

        GateBaseline empty = { 0 };
        GateSample a = sample_at(0), b = sample_at(500);
        gate_baseline_add(&empty, &a, &b);
        gate_watch_start(&watch, &empty);
        for (int i = 0; i < 4; i++) {
                sample = sample_at(1000 + (int64_t) i * 500);
                sample.known[GATE_PORTS] = i % 2 == 1;
                sample.value[GATE_PORTS] = 950;
                assert_int_equal(gate_watch_add(&watch, &sample, &verdict), i == 3);
        }
}

/* "5 per second", "2.0 % of 200 or more", "5.0 %, from 90.0 % on" */
static void describe_allowed(const GateCounter *counter, StrBuf *out) {
        if (counter->kind == GATE_RATE)
                strbuf_addf(out, "%d per second", (int) (counter->rise / 1000));
        else if (counter->kind == GATE_SHARE)
                strbuf_addf(out, "%d.%d %% of %d or more", (int) (counter->rise / 10),
                            (int) (counter->rise % 10), (int) counter->floor);
        else
                strbuf_addf(out, "%d.%d %%, from %d.%d %% on", (int) (counter->rise / 10),
                            (int) (counter->rise % 10), (int) (counter->floor / 10),
                            (int) (counter->floor % 10));
}

/* The table of twprofile(8) is this one: the same rows, in the same order, and no others. */
static void test_gate_manual(void **state UNUSED) {
        static char page[128 * 1024];
        FILE *file = fopen("docs/twprofile.8.scd", "re");
        assert_non_null(file);
        size_t n = fread(page, 1, sizeof(page) - 1, file);
        (void) fclose(file);
        assert_true(n > 0 && n < sizeof(page) - 1);
        char *table = strstr(page, "[[ *Counter*\n");
        assert_non_null(table);
        char *end = strstr(table, "\n\n");
        assert_non_null(end);
        end[1] = '\0';

        CLEANUP(strbuf_deinit) StrBuf want = { 0 };
        strbuf_add(&want, "[[ *Counter*\n:[ *Allowed*\n:[ *What it counts*\n");
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                const GateCounter *counter = gate_counter(id);
                strbuf_addf(&want, "|  %s\n:  ", counter->name);
                describe_allowed(counter, &want);
                strbuf_addf(&want, "\n:  %s\n", counter->means);
        }
        assert_string_equal(table, strbuf_text(&want));
}

TEST_MAIN(cmocka_unit_test(test_gate_manual), cmocka_unit_test(test_gate_strikes_in_a_row),
          cmocka_unit_test(test_gate_sees_what_got_worse),
          cmocka_unit_test(test_gate_bears_the_noise_of_before),
          cmocka_unit_test(test_gate_one_spike_is_none), cmocka_unit_test(test_gate_shares),
          cmocka_unit_test(test_gate_ports), cmocka_unit_test(test_gate_judges_only_what_is_known),
          cmocka_unit_test(test_gate_names))
