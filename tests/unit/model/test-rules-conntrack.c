/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-conntrack.h"

#include "rules-fixture.h"

#define CT      "net.netfilter.nf_conntrack_"
#define VS      "net.ipv4.vs."
#define MAX     CT "max"
#define BUCKETS CT "buckets"
#define COUNT   CT "count"
#define TIMEOUT CT "tcp_timeout_"

#define KEEPALIVE(time, intvl, probes)                                                        \
        { "net.ipv4.tcp_keepalive_time", time }, { "net.ipv4.tcp_keepalive_intvl", intvl }, { \
                "net.ipv4.tcp_keepalive_probes", probes                                       \
        }

static const RulesRow rows[] = {
        { DIAG_CONNTRACK_MAX_BELOW_COUNT,
          true,
          { { MAX, "65535" } },
          { .keys = { { COUNT, "65536" } } },
          .says = "65536 connections are tracked now" },
        { DIAG_CONNTRACK_MAX_BELOW_COUNT,
          false,
          { { MAX, "65536" } },
          { .keys = { { COUNT, "65536" } } } },
        { DIAG_CONNTRACK_MAX_BELOW_COUNT, false, { { MAX, "4096" } } },
        { DIAG_CONNTRACK_MAX_BELOW_COUNT, false, { { MAX, "4096" } }, .no_live = true },

        { DIAG_CONNTRACK_CHAINS_LONG,
          true,
          { { MAX, "524289" } },
          { .keys = { { BUCKETS, "65536" } } },
          .says = "524289 connections in 65536 buckets has chains of 16" },
        { DIAG_CONNTRACK_CHAINS_LONG,
          false,
          { { MAX, "524288" } },
          { .keys = { { BUCKETS, "65536" } } } },
        { DIAG_CONNTRACK_CHAINS_LONG, true, { { MAX, "524289" }, { BUCKETS, "65536" } } },
        /* said at the first of the two, once */
        { DIAG_CONNTRACK_CHAINS_LONG, false, { { BUCKETS, "65536" }, { MAX, "524289" } } },
        { DIAG_CONNTRACK_CHAINS_LONG,
          true,
          { { BUCKETS, "65536" } },
          { .keys = { { MAX, "1048576" } } } },
        { DIAG_CONNTRACK_CHAINS_LONG, false, { { MAX, "1048576" } } },

        { DIAG_CONNTRACK_TABLE_LARGE,
          true,
          { { MAX, "4194305" } },
          .machine = { .memory = UINT64_C(2) << 30 },
          .says = "1024 MiB of the 2048 MiB" },
        { DIAG_CONNTRACK_TABLE_LARGE,
          false,
          { { MAX, "4194304" } },
          .machine = { .memory = UINT64_C(2) << 30 } },
        { DIAG_CONNTRACK_TABLE_LARGE, false, { { MAX, "4194305" } } },
        { DIAG_CONNTRACK_TABLE_LARGE, false, { { MAX, "67108864" } }, .no_live = true },

        { DIAG_CONNTRACK_TIME_WAIT_SHORT, true, { { TIMEOUT "time_wait", "59" } } },
        { DIAG_CONNTRACK_TIME_WAIT_SHORT, false, { { TIMEOUT "time_wait", "60" } } },
        { DIAG_CONNTRACK_TIME_WAIT_LONG, true, { { TIMEOUT "time_wait", "121" } } },
        { DIAG_CONNTRACK_TIME_WAIT_LONG, false, { { TIMEOUT "time_wait", "120" } } },

        { DIAG_CONNTRACK_BELOW_KEEPALIVE,
          true,
          { { TIMEOUT "established", "7874" } },
          { .keys = { KEEPALIVE("7200", "75", "9") } },
          .says = "7200 + 75 x 9 = 7875 s" },
        { DIAG_CONNTRACK_BELOW_KEEPALIVE,
          false,
          { { TIMEOUT "established", "7875" } },
          { .keys = { KEEPALIVE("7200", "75", "9") } } },
        { DIAG_CONNTRACK_BELOW_KEEPALIVE,
          false,
          { { TIMEOUT "established", "1200" }, { "net.ipv4.tcp_keepalive_time", "300" } },
          { .keys = { KEEPALIVE("7200", "75", "9") } } },
        { DIAG_CONNTRACK_BELOW_KEEPALIVE,
          true,
          { { TIMEOUT "established", "1200" }, { "net.ipv4.tcp_keepalive_time", "600" } },
          { .keys = { KEEPALIVE("7200", "75", "9") } },
          .says = "600 + 75 x 9 = 1275 s" },
        { DIAG_CONNTRACK_BELOW_KEEPALIVE, false, { { TIMEOUT "established", "300" } } },

        { DIAG_CONNTRACK_HALF_CLOSED_SHORT, true, { { TIMEOUT "fin_wait", "59" } } },
        { DIAG_CONNTRACK_HALF_CLOSED_SHORT, false, { { TIMEOUT "fin_wait", "60" } } },
        { DIAG_CONNTRACK_HALF_CLOSED_SHORT, true, { { TIMEOUT "close_wait", "29" } } },
        { DIAG_CONNTRACK_HALF_CLOSED_SHORT, false, { { TIMEOUT "close_wait", "30" } } },

        { DIAG_CONNTRACK_LOOSE_OFF, true, { { CT "tcp_loose", "0" } } },
        { DIAG_CONNTRACK_LOOSE_OFF, false, { { CT "tcp_loose", "1" } } },
        { DIAG_CONNTRACK_LIBERAL, true, { { CT "tcp_be_liberal", "1" } } },
        { DIAG_CONNTRACK_LIBERAL, false, { { CT "tcp_be_liberal", "0" } } },

        { DIAG_IPVS_REUSE_DELAY,
          true,
          { { VS "conn_reuse_mode", "1" } },
          { .keys = { { VS "conntrack", "1" } }, .version = { 5, 8, 18 } },
          .says = "on Linux 5.8" },
        { DIAG_IPVS_REUSE_DELAY,
          true,
          { { VS "conntrack", "1" } },
          { .keys = { { VS "conn_reuse_mode", "1" } }, .version = { 4, 19, 0 } } },
        { DIAG_IPVS_REUSE_DELAY,
          false,
          { { VS "conn_reuse_mode", "1" }, { VS "conntrack", "1" } },
          { .version = { 5, 9, 0 } } },
        { DIAG_IPVS_REUSE_DELAY,
          false,
          { { VS "conn_reuse_mode", "0" }, { VS "conntrack", "1" } },
          { .version = { 5, 4, 0 } } },
        { DIAG_IPVS_REUSE_DELAY,
          false,
          { { VS "conn_reuse_mode", "1" }, { VS "conntrack", "0" } },
          { .version = { 5, 4, 0 } } },
        { DIAG_IPVS_REUSE_DELAY,
          false,
          { { VS "conn_reuse_mode", "1" } },
          { .version = { 5, 4, 0 } } },

        { DIAG_IPVS_REMOVED_SERVERS,
          true,
          { { VS "conn_reuse_mode", "0" } },
          { .keys = { { VS "expire_nodest_conn", "0" } } } },
        { DIAG_IPVS_REMOVED_SERVERS,
          false,
          { { VS "conn_reuse_mode", "0" }, { VS "expire_nodest_conn", "1" } } },
        { DIAG_IPVS_REMOVED_SERVERS,
          false,
          { { VS "conn_reuse_mode", "1" } },
          { .keys = { { VS "expire_nodest_conn", "0" } } } },
        { DIAG_IPVS_REMOVED_SERVERS,
          true,
          { { VS "expire_nodest_conn", "0" } },
          { .keys = { { VS "conn_reuse_mode", "0" } } } },
        { DIAG_IPVS_REMOVED_SERVERS, false, { { VS "conn_reuse_mode", "0" } } },
};

static void test_rows(void **state UNUSED) {
        RULES_FIXTURE_RUN(&rules_conntrack, rows);
}

TEST_MAIN(cmocka_unit_test(test_rows))
