/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-counters.h"
#include "test.h"

static void test_counters_parse_pairs_of_lines(void **state) {
        (void) state;
        static const char text[] = "Ip: Forwarding OutRsts\nIp: 1 77\n"
                                   "Tcp: ActiveOpens OutRsts MaxConn\nTcp: 12 34 -1\n"
                                   "TcpExt: TW TWRecycled TWKilled\nTcpExt: 5 6 7";
        LabCounters counters = {};
        lab_counters_parse(text, &counters);
        assert_int_equal(counters.value[LAB_ACTIVE_OPENS], 12);
        assert_int_equal(counters.value[LAB_OUT_RSTS], 34); /* not that of Ip */
        assert_int_equal(counters.value[LAB_TW], 5);
        assert_int_equal(counters.value[LAB_TW_RECYCLED], 6);
        assert_true(counters.known[LAB_TW]);
        assert_false(counters.known[LAB_TW_OVERFLOW]);
}

static void test_counters_parse_passes_over_other_forms(void **state) {
        (void) state;
        static const char *const texts[] = {
                "",
                "\n\n",
                "TcpExt: TW\n",
                "TcpExt: TW\nOther: 5\n",
                "TcpExt: TW\nTcpExt: -5\n",
                "TcpExt: TW\nTcpExt: 5x\n",
                "TcpExt: TW\nTcpExt: 99999999999999999999999\n",
                "TcpExt: TW",
                "aVeryLongNameOfAGroup: TW\naVeryLongNameOfAGroup: 1\n",
        };
        TEST_EACH(text, texts) {
                LabCounters counters = {};
                lab_counters_parse(*text, &counters);
                for (size_t i = 0; i < LAB_COUNTER_COUNT; i++)
                        assert_false(counters.known[i]);
        }
}

static void test_counter_names_are_distinct(void **state) {
        (void) state;
        for (int i = 0; i < LAB_COUNTER_COUNT; i++)
                for (int k = 0; k < i; k++)
                        assert_string_not_equal(
                                        lab_counter_name((LabCounterId) i),
                                        lab_counter_name((LabCounterId) k));
}

static void test_time_wait_parse(void **state) {
        (void) state;
        static const struct {
                const char *text;
                int r;
                uint32_t tw;
        } rows[] = {
                { "sockets: used 1\nTCP: inuse 2 orphan 0 tw 17 alloc 3 mem 1\nUDP: inuse 0\n", 0,
                  17 },
                { "TCP: inuse 2 orphan 0 tw 0\n", 0, 0 },
                { "TCP: inuse 2\nTCP6: tw 3\n", -EBADMSG, 0 },
                { "TCP: tw x\n", -EBADMSG, 0 },
                { "TCP: tw 5000000000\n", -EBADMSG, 0 },
                { "", -EBADMSG, 0 },
        };
        TEST_EACH(row, rows) {
                uint32_t tw = 0;
                assert_int_equal(lab_time_wait_parse(row->text, &tw), row->r);
                assert_int_equal(tw, row->tw);
        }
}

TEST_MAIN(cmocka_unit_test(test_counters_parse_pairs_of_lines),
          cmocka_unit_test(test_counters_parse_passes_over_other_forms),
          cmocka_unit_test(test_counter_names_are_distinct), cmocka_unit_test(test_time_wait_parse))
