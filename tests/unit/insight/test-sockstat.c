/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/sockstat.h"

#include "test.h"

static void test_parse(void **state UNUSED) {
        SnapshotSockstat got = { 0 };
        sockstat_parse("sockets: used 240\n"
                       "TCP: inuse 5 orphan 2 tw 100000 alloc 7 mem 18446744073709551615\n"
                       "UDP: inuse 9 mem 1\n"
                       "FRAG: inuse 0 memory 0\n",
                       &got);
        assert_true(got.known);
        assert_int_equal(got.in_use[SNAPSHOT_IPV4], 5);
        assert_int_equal(got.orphans, 2);
        assert_int_equal(got.time_wait, 100000);
        assert_int_equal(got.allocated, 7);
        assert_true(got.memory_pages == UINT64_MAX);

        sockstat_parse("TCP6: inuse 3\nUDP6: inuse 4\n", &got);
        assert_true(got.known);
        assert_int_equal(got.in_use[SNAPSHOT_IPV6], 3);
        assert_int_equal(got.in_use[SNAPSHOT_IPV4], 5);
}

static void test_parse_what_is_broken(void **state UNUSED) {
        static const char *const rows[] = {
                "",
                "\n\n",
                "TCP:",
                "TCP: inuse",
                "TCP: inuse ",
                "TCP: inuse 5 orphan 2 tw x alloc 7 mem 1\n",
                "TCP: inuse 5 orphan 2 tw -1 alloc 7 mem 1\n",
                "TCP: inuse 5 orphan 2\nUDP: tw 1 alloc 2 mem 3\n",
                "TCP: inuse 5 orphan 2 tw 184467440737095516160 alloc 7 mem 1\n",
                "UDPLITE: inuse 0\n",
        };
        TEST_EACH(row, rows) {
                SnapshotSockstat got = { 0 };
                sockstat_parse(*row, &got);
                assert_false(got.known);
        }
}

TEST_MAIN(cmocka_unit_test(test_parse), cmocka_unit_test(test_parse_what_is_broken))
