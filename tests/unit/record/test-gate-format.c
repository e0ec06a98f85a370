/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/gate-format.h"

#include "fixture.h"

static GateBaseline sample(void) {
        GateBaseline baseline = { .span_ms = 5003, .n_intervals = 10 };
        baseline.known[GATE_LISTEN_OVERFLOWS] = true;
        baseline.peak[GATE_LISTEN_OVERFLOWS] = 12500;
        baseline.mean[GATE_LISTEN_OVERFLOWS] = 7000;
        baseline.known[GATE_PORTS] = true;
        baseline.peak[GATE_PORTS] = 971;
        baseline.mean[GATE_PORTS] = INT64_MAX;
        return baseline;
}

static void test_gate_round_trip(void **state UNUSED) {
        GateBaseline baseline = sample(), got;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(gate_baseline_encode(&baseline, &out), 0);
        assert_string_equal(
                        strbuf_text(&out),
                        "{\"counters\":{\"TcpExt.ListenOverflows\":{\"mean\":7000,\"peak\":12500},"
                        "\"ports.busiest\":{\"mean\":9223372036854775807,\"peak\":971}},"
                        "\"intervals\":10,\"span_ms\":5003,\"v\":1}");
        assert_int_equal(gate_baseline_decode(out.data, out.length, &got, NULL), 0);
        assert_int_equal(got.span_ms, 5003);
        assert_int_equal(got.n_intervals, 10);
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                assert_int_equal(got.known[id], baseline.known[id]);
                assert_int_equal(got.peak[id], baseline.peak[id]);
                assert_int_equal(got.mean[id], baseline.mean[id]);
        }
}

/* Whatever can be known fits, also into what the pending file takes. */
static void test_gate_largest(void **state UNUSED) {
        GateBaseline baseline = { .span_ms = 86400000, .n_intervals = 1000000 }, got;
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                baseline.known[id] = true;
                baseline.peak[id] = baseline.mean[id] = INT64_MAX;
        }
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(gate_baseline_encode(&baseline, &out), 0);
        assert_true(out.length <= GATE_FORMAT_MAX_BYTES);
        assert_int_equal(gate_baseline_decode(out.data, out.length, &got, NULL), 0);
        assert_int_equal(got.peak[GATE_COUNTERS - 1], INT64_MAX);
}

static void test_gate_refuses(void **state UNUSED) {
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "{", "", "not valid JSON" },
                { "\"v\":1", "\"v\":2", "newer version" },
                { "\"v\":1", "\"v\":1,\"more\":1", "unknown member" },
                { "\"peak\":12500", "\"peak\":-1", "'peak'" },
                { "\"peak\":12500", "\"peak\":1.5", "'peak'" },
                { "\"peak\":12500", "\"peak\":99999999999999999999", "not valid JSON" },
                { ",\"peak\":12500", "", "TcpExt.ListenOverflows" },
                { "{\"mean\":7000,\"peak\":12500}", "[]", "TcpExt.ListenOverflows" },
                { "TcpExt.ListenOverflows", "TcpExt.Hostile\\n", "unknown counter" },
                { "\"ports.busiest\"", "\"TcpExt.ListenOverflows\"", "given twice" },
                { "\"counters\":{", "\"counters\":[],\"other\":{", "'" },
                { "\"intervals\":10", "\"intervals\":1000001", "too long" },
                { "\"span_ms\":5003", "\"span_ms\":9223372036854775807", "too long" },
                { "\"span_ms\":5003", "\"span_ms\":\"x\"", "'span_ms'" },
        };
        GateBaseline baseline = sample();
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(gate_baseline_encode(&baseline, &out), 0);
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(strbuf_text(&out), row->from, row->to);
                GateBaseline got = { .span_ms = 77 };
                Error error = {};
                assert_int_equal(gate_baseline_decode(bad, strlen(bad), &got, &error), -EBADMSG);
                test_error_says(&error, row->says);
                assert_int_equal(got.span_ms, 77);
        }
        static char large[GATE_FORMAT_MAX_BYTES + 1];
        memset(large, ' ', sizeof(large));
        GateBaseline got;
        assert_int_equal(gate_baseline_decode(large, sizeof(large), &got, NULL), -EBADMSG);
        for (size_t n = 0; n < out.length; n++)
                assert_int_equal(gate_baseline_decode(out.data, n, &got, NULL), -EBADMSG);
}

static void test_gate_out_of_memory(void **state UNUSED) {
        GateBaseline baseline = sample();
        size_t n = 0;
        for (int r = -ENOMEM; r != 0; n++) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                test_jansson_allow(n);
                r = gate_baseline_encode(&baseline, &out);
                test_jansson_allow_all();
                assert_true(r == 0 || r == -ENOMEM);
        }
        assert_true(n > 5);
}

TEST_MAIN(cmocka_unit_test(test_gate_round_trip), cmocka_unit_test(test_gate_largest),
          cmocka_unit_test(test_gate_refuses), cmocka_unit_test(test_gate_out_of_memory))
