/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/observe-text.h"

#include "insight/sockets-format.h"
#include "test.h"

static void test_thousandths(void **state UNUSED) {
        static const struct {
                uint64_t in;
                const char *want;
        } rows[] = {
                { 0, "0.0" },      { 49, "0.0" },
                { 100, "0.1" },    { 99999, "99.9" },
                { 100000, "100" }, { 100499, "100" },
                { 100500, "101" }, { UINT64_MAX, "18446744073709552" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                observe_add_thousandths(row->in, &out);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

static SnapshotTuple tuple(const char *remote, uint16_t port, uint32_t n_time_wait) {
        SnapshotTuple t = { .remote_port = port, .use = { .n_time_wait = n_time_wait } };
        assert_int_equal(tcp_address_from_text(remote, &t.remote), 0);
        assert_int_equal(tcp_address_from_text("10.0.0.1", &t.local), 0);
        return t;
}

static void test_tuples(void **state UNUSED) {
        const SnapshotTuple tuples[] = { tuple("10.0.0.2", 80, 250), tuple("2001:db8::1", 443, 7) };
        Snapshot snapshot = {
                .has_sockets = true,
                .sockets = { .tuples = tuples,
                             .n_tuples = 2,
                             .n_all_tuples = 5,
                             .tuples_error = 3 },
        };
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Error error = {};
        assert_int_equal(observe_add_tuples(&context, &snapshot, 1, &out, &error), 0);
        /* use is unknown without the range */
        assert_string_equal(
                        strbuf_text(&out),
                        "OUTGOING TO FROM     TIME_WAIT ORPHANS OTHER USE% PER_S\n"
                        "10.0.0.2:80 10.0.0.1       250       0     0    -   0.0\n"
                        "… and at least 4 destinations more\n"
                        "With so many destinations each line may be up to 3 sockets too low.\n");

        snapshot.has_pool = true;
        snapshot.pool.size = 1000;
        snapshot.sockets.n_all_tuples = 2;
        snapshot.sockets.tuples_error = 0;
        strbuf_reset(&out);
        assert_int_equal(observe_add_tuples(&context, &snapshot, 0, &out, &error), 0);
        assert_non_null(strstr(strbuf_text(&out), " 25.0 "));
        assert_non_null(strstr(strbuf_text(&out), "\n[2001:db8::1]:443 "));
        assert_null(strstr(strbuf_text(&out), "more"));
}

static void test_without_sockets(void **state UNUSED) {
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.out.width = 200;
        Snapshot snapshot = { .sockstat = { .known = true, .time_wait = 5 } };
        assert_int_equal(observe_render(&context, &snapshot, NULL), 0);
        const char *text = strbuf_text(&context.text);
        assert_non_null(strstr(text, "Buckets:      5: TIME_WAITs"));
        assert_non_null(strstr(text, "the range cannot be read"));
        assert_null(strstr(text, "STATE"));
        assert_null(strstr(text, "No TCP socket"));

        strbuf_reset(&context.text);
        snapshot.has_sockets = true;
        assert_int_equal(observe_render(&context, &snapshot, NULL), 0);
        assert_non_null(strstr(strbuf_text(&context.text), "No TCP socket.\n"));
}

TEST_MAIN(cmocka_unit_test(test_thousandths), cmocka_unit_test(test_tuples),
          cmocka_unit_test(test_without_sockets))
