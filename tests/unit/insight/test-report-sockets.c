/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-sockets.h"

#include "report-test.h"

static TcpAddress address(uint8_t last) {
        return (TcpAddress){ .bytes = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = last } };
}

static char *render(Snapshot *sample) {
        Report report = { .sample = sample };
        return report_test_render(report_add_sockets, &report);
}

static void test_tables(void **state UNUSED) {
        const SnapshotTuple tuples[] = {
                { .local = address(1),
                  .remote = address(2),
                  .remote_port = 8080,
                  .use = { .n_time_wait = 500, .n_other = 250, .n_recent = 45 } },
                { .remote = { .bytes = { 0x20, 1, 0xd, 0xb8 } }, .remote_port = 443 },
        };
        const SnapshotListener listeners[] = { { .port = 443, .queue = 17, .queue_limit = 4096 } };
        const SnapshotHolder holders[] = { { .uid = 33, .port = 443, .n_close_wait = 120 } };
        Snapshot sample = {
                .has_sockets = true,
                .has_pool = true,
                .pool = { .first = 20000, .last = 20999, .size = 1000 },
                .sockets = { .tuples = tuples,
                             .n_tuples = 2,
                             .n_all_tuples = 14,
                             .listeners = listeners,
                             .n_listeners = 1,
                             .n_all_listeners = 1,
                             .holders = holders,
                             .n_holders = 1,
                             .n_buckets = 25087 },
        };
        sample.sockets.states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT] = 25000;
        sample.sockets.states[SNAPSHOT_IPV6][TCP_STATE_TIME_WAIT] = 87;
        sample.sockets.states[SNAPSHOT_IPV4][TCP_STATE_ESTABLISHED] = 3;
        cleanup_free char *text = render(&sample);
        const char *time_wait = strstr(
                        text, "<th scope=\"row\">TIME_WAIT</th><td class=\"n\">25,087<");
        const char *established = strstr(
                        text, "<th scope=\"row\">ESTABLISHED</th><td class=\"n\">3<");
        assert_non_null(time_wait);
        assert_non_null(established);
        assert_true(time_wait < established);
        assert_non_null(strstr(text, "1,000 ports from 20000 to 20999"));
        assert_non_null(strstr(
                        text,
                        "10.0.0.2:8080</th><td class=\"x\">10.0.0.1</td><td class=\"n\">75.0</td>"));
        assert_non_null(strstr(
                        text,
                        "<rect class=\"p0\" x=\"0\" width=\"500\" height=\"10\"/><rect class=\"p2\" x=\"500\" width=\"250\""));
        assert_non_null(strstr(text, "[2001:db8::]:443"));
        assert_non_null(strstr(text, "The largest 2 of 14 destinations."));
        assert_non_null(strstr(text, "<td class=\"n\">17</td><td class=\"n\">4,096</td>"));
        assert_non_null(strstr(text, "uid 33"));
        assert_non_null(strstr(text, "<dt>TIME_WAIT buckets</dt>\n<dd>25,087"));
}

static void test_empty(void **state UNUSED) {
        Snapshot sample = { .has_sockets = true };
        cleanup_free char *text = render(&sample);
        assert_non_null(strstr(text, "There is no TCP socket."));
        assert_non_null(strstr(text, "There is no outgoing connection"));
        assert_null(strstr(text, "<table"));
}

static void test_unknown(void **state UNUSED) {
        Snapshot sample = { .sockstat = { .known = true, .memory_pages = 5, .time_wait = 9 },
                            .page_size = 4096 };
        cleanup_free char *text = render(&sample);
        assert_non_null(strstr(text, "could not be listed"));
        assert_non_null(strstr(text, "20.4&nbsp;kB"));
        assert_non_null(strstr(text, "<dd>9<small>"));
}

TEST_MAIN(cmocka_unit_test(test_tables), cmocka_unit_test(test_empty),
          cmocka_unit_test(test_unknown))
