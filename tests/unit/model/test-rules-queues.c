/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-queues.h"

#include "rules-fixture.h"

#define COOKIES  "net.ipv4.tcp_syncookies"
#define BACKLOG  "net.ipv4.tcp_max_syn_backlog"
#define MAXCONN  "net.core.somaxconn"
#define ABORT    "net.ipv4.tcp_abort_on_overflow"
#define NETDEV   "net.core.netdev_max_backlog"
#define BUDGET   "net.core.netdev_budget"
#define SYNACK   "net.ipv4.tcp_synack_retries"
#define SYN      "net.ipv4.tcp_syn_retries"
#define FASTOPEN "net.ipv4.tcp_fastopen"

static const RulesRow rows[] = {
        { DIAG_SYNCOOKIES_OFF, true, { { COOKIES, "0" } }, .no_live = true },
        { DIAG_SYNCOOKIES_OFF, false, { { COOKIES, "1" } } },
        { DIAG_SYNCOOKIES_OFF, false, { { COOKIES, "2" } } },
        { DIAG_SYNCOOKIES_ALWAYS, true, { { COOKIES, "2" } }, .no_live = true },
        { DIAG_SYNCOOKIES_ALWAYS, false, { { COOKIES, "1" } } },
        { DIAG_SYNCOOKIES_ALWAYS, false, { { COOKIES, "0" } } },

        { DIAG_SYN_BACKLOG_UNUSED,
          true,
          { { BACKLOG, "8192" }, { COOKIES, "1" } },
          .says = "tcp_max_syn_backlog of 8192 does nothing while tcp_syncookies is 1" },
        { DIAG_SYN_BACKLOG_UNUSED,
          true,
          { { BACKLOG, "8192" } },
          { .keys = { { COOKIES, "2" } } } },
        { DIAG_SYN_BACKLOG_UNUSED,
          false,
          { { BACKLOG, "8192" } },
          { .keys = { { COOKIES, "0" } } } },
        { DIAG_SYN_BACKLOG_UNUSED,
          false,
          { { BACKLOG, "8192" }, { COOKIES, "0" } },
          { .keys = { { COOKIES, "1" } } } }, /* what it will be counts */
        { DIAG_SYN_BACKLOG_UNUSED, false, { { BACKLOG, "8192" } } },
        { DIAG_SYN_BACKLOG_UNUSED, false, { { BACKLOG, "8192" } }, .no_live = true },

        { DIAG_SOMAXCONN_LOWERED,
          true,
          { { MAXCONN, "4095" } },
          { .version = { 5, 4, 0 } },
          .says = "somaxconn of 4095" },
        { DIAG_SOMAXCONN_LOWERED, true, { { MAXCONN, "1024" } } },
        { DIAG_SOMAXCONN_LOWERED, false, { { MAXCONN, "4096" } } },
        { DIAG_SOMAXCONN_LOWERED, false, { { MAXCONN, "1024" } }, { .version = { 5, 3, 18 } } },
        { DIAG_SOMAXCONN_LOWERED, false, { { MAXCONN, "1024" } }, .no_live = true },

        { DIAG_ABORT_ON_OVERFLOW, true, { { ABORT, "1" } }, .no_live = true },
        { DIAG_ABORT_ON_OVERFLOW, false, { { ABORT, "0" } } },

        { DIAG_NETDEV_BACKLOG_SMALL, true, { { NETDEV, "999" } }, .no_live = true },
        { DIAG_NETDEV_BACKLOG_SMALL, false, { { NETDEV, "1000" } } },
        { DIAG_NETDEV_BUDGET_SMALL, true, { { BUDGET, "63" } }, .no_live = true },
        { DIAG_NETDEV_BUDGET_SMALL, false, { { BUDGET, "64" } } },

        { DIAG_SYNACK_RETRIES_FEW, true, { { SYNACK, "1" } }, .says = "has 3 s" },
        { DIAG_SYNACK_RETRIES_FEW, true, { { SYNACK, "0" } }, .says = "has 1 s" },
        { DIAG_SYNACK_RETRIES_FEW, false, { { SYNACK, "2" } } },
        { DIAG_SYNACK_RETRIES_MANY, true, { { SYNACK, "6" } }, .says = "for 127 s" },
        { DIAG_SYNACK_RETRIES_MANY, true, { { SYNACK, "7" } }, .says = "for 247 s" },
        { DIAG_SYNACK_RETRIES_MANY, true, { { SYNACK, "10" } }, .says = "for 607 s" },
        { DIAG_SYNACK_RETRIES_MANY, false, { { SYNACK, "5" } } },
        { DIAG_SYN_RETRIES_FEW, true, { { SYN, "2" } }, .says = "after 7 s" },
        { DIAG_SYN_RETRIES_FEW, true, { { SYN, "1" } }, .says = "after 3 s" },
        { DIAG_SYN_RETRIES_FEW, false, { { SYN, "3" } } },

        { DIAG_FASTOPEN_WITHOUT_COOKIE,
          true,
          { { FASTOPEN, "515" } },
          .says = "takes data of a SYN without a cookie (bit 512)" },
        { DIAG_FASTOPEN_WITHOUT_COOKIE, true, { { FASTOPEN, "5" } }, .says = "(bit 4)" },
        { DIAG_FASTOPEN_WITHOUT_COOKIE, false, { { FASTOPEN, "3" } } },
        { DIAG_FASTOPEN_WITHOUT_COOKIE, false, { { FASTOPEN, "1027" } } },
        { DIAG_FASTOPEN_BITS_IDLE,
          true,
          { { FASTOPEN, "1025" } },
          .says = "lacks bit 2, without which bits 512 and 1024 do nothing" },
        { DIAG_FASTOPEN_BITS_IDLE, true, { { FASTOPEN, "513" } } },
        { DIAG_FASTOPEN_BITS_IDLE,
          true,
          { { FASTOPEN, "6" } },
          .says = "lacks bit 1, without which bit 4 does nothing" },
        { DIAG_FASTOPEN_BITS_IDLE, false, { { FASTOPEN, "1027" } } },
        { DIAG_FASTOPEN_BITS_IDLE, false, { { FASTOPEN, "5" } } },
        { DIAG_FASTOPEN_BITS_IDLE, false, { { FASTOPEN, "0" } } },
};

static void test_rows(void **state UNUSED) {
        RULES_FIXTURE_RUN(&rules_queues, rows);
}

TEST_MAIN(cmocka_unit_test(test_rows))
