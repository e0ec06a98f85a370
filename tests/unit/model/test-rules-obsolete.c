/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-obsolete.h"

#include "rules-fixture.h"

#define IPV4      "net.ipv4."
#define CONTROL   IPV4 "tcp_congestion_control"
#define ALLOWED   IPV4 "tcp_allowed_congestion_control"
#define AVAILABLE IPV4 "tcp_available_congestion_control"
#define NEIGH4    IPV4 "neigh.default.gc_thresh"
#define NEIGH6    "net.ipv6.neigh.default.gc_thresh"
#define CHALLENGE IPV4 "tcp_challenge_ack_limit"
#define WIN_SCALE IPV4 "tcp_adv_win_scale"
#define METRICS   IPV4 "tcp_no_metrics_save"
#define SSTHRESH  IPV4 "tcp_no_ssthresh_metrics_save"
#define ECN       IPV4 "tcp_ecn"
#define FALLBACK  IPV4 "tcp_ecn_fallback"

#define LOADED(list)                            \
        {                                       \
                .keys = { { AVAILABLE, list } } \
        }

static const RulesRow rows[] = {
        { DIAG_WINDOW_SCALING_OFF, true, { { IPV4 "tcp_window_scaling", "0" } }, .no_live = true },
        { DIAG_WINDOW_SCALING_OFF, false, { { IPV4 "tcp_window_scaling", "1" } } },
        { DIAG_SACK_OFF, true, { { IPV4 "tcp_sack", "0" } }, .no_live = true },
        { DIAG_SACK_OFF, false, { { IPV4 "tcp_sack", "1" } } },

        { DIAG_CONGESTION_NOT_LOADED,
          true,
          { { CONTROL, "bbr" } },
          LOADED("reno cubic"),
          .says = "no 'bbr' loaded, only: reno cubic" },
        { DIAG_CONGESTION_NOT_LOADED, false, { { CONTROL, "cubic" } }, LOADED("reno cubic") },
        { DIAG_CONGESTION_NOT_LOADED, false, { { CONTROL, "reno" } }, LOADED("reno cubic") },
        { DIAG_CONGESTION_NOT_LOADED, true, { { CONTROL, "cub" } }, LOADED("reno cubic") },
        { DIAG_CONGESTION_NOT_LOADED, true, { { CONTROL, "cubics" } }, LOADED("reno cubic") },
        { DIAG_CONGESTION_NOT_LOADED, false, { { CONTROL, "bbr" } } },
        { DIAG_CONGESTION_NOT_LOADED, false, { { CONTROL, "bbr" } }, .no_live = true },
        { DIAG_CONGESTION_NOT_LOADED,
          true,
          { { ALLOWED, "cubic dctcp reno" } },
          LOADED("reno cubic"),
          .says = "no 'dctcp' loaded" },
        { DIAG_CONGESTION_NOT_LOADED, false, { { ALLOWED, "cubic reno" } }, LOADED("reno cubic") },

        { DIAG_NEIGH_DISORDERED,
          true,
          { { NEIGH4 "1", "513" } },
          { .keys = { { NEIGH4 "2", "512" }, { NEIGH4 "3", "1024" } } },
          .says = "gc_thresh1 would be 513, above the 512 of " NEIGH4 "2" },
        { DIAG_NEIGH_DISORDERED,
          false,
          { { NEIGH4 "1", "512" } },
          { .keys = { { NEIGH4 "2", "512" }, { NEIGH4 "3", "1024" } } } },
        { DIAG_NEIGH_DISORDERED,
          true,
          { { NEIGH4 "2", "4096" } },
          { .keys = { { NEIGH4 "1", "128" }, { NEIGH4 "3", "1024" } } },
          .says = "gc_thresh2 would be 4096, above the 1024 of " NEIGH4 "3" },
        /* the live gc_thresh1 is above */
        { DIAG_NEIGH_DISORDERED,
          true,
          { { NEIGH4 "2", "256" } },
          { .keys = { { NEIGH4 "1", "257" }, { NEIGH4 "3", "1024" } } },
          .says = "gc_thresh1 would be 257, above the 256" },
        { DIAG_NEIGH_DISORDERED,
          true,
          { { NEIGH6 "3", "1024" } },
          { .keys = { { NEIGH6 "1", "128" }, { NEIGH6 "2", "1025" } } } },
        { DIAG_NEIGH_DISORDERED,
          true,
          { { NEIGH6 "2", "1025" }, { NEIGH6 "3", "1024" } },
          { .keys = { { NEIGH6 "1", "128" } } } },
        /* said at gc_thresh2, once */
        { DIAG_NEIGH_DISORDERED,
          false,
          { { NEIGH6 "3", "1024" }, { NEIGH6 "2", "1025" } },
          { .keys = { { NEIGH6 "1", "128" } } } },
        { DIAG_NEIGH_DISORDERED, false, { { NEIGH4 "3", "4096" }, { NEIGH6 "2", "8192" } } },
        { DIAG_NEIGH_DISORDERED, false, { { NEIGH4 "1", "4096" } }, .no_live = true },

        { DIAG_CHALLENGE_ACK_LIMITED, true, { { CHALLENGE, "999" } }, .says = "whoever counts" },
        { DIAG_CHALLENGE_ACK_LIMITED, true, { { CHALLENGE, "0" } }, .says = "is never told" },
        { DIAG_CHALLENGE_ACK_LIMITED, false, { { CHALLENGE, "1000" } } },

        { DIAG_ADV_WIN_SCALE_UNUSED,
          true,
          { { WIN_SCALE, "1" } },
          { .version = { 6, 6, 0 } },
          .says = "on Linux 6.6" },
        { DIAG_ADV_WIN_SCALE_UNUSED, true, { { WIN_SCALE, "2" } } },
        { DIAG_ADV_WIN_SCALE_UNUSED, false, { { WIN_SCALE, "2" } }, { .version = { 6, 5, 9 } } },
        { DIAG_ADV_WIN_SCALE_UNUSED, false, { { WIN_SCALE, "2" } }, .no_live = true },

        { DIAG_METRICS_NOT_SAVED,
          true,
          { { METRICS, "1" } },
          { .keys = { { SSTHRESH, "1" } } },
          .says = "forgets round trip times" },
        { DIAG_METRICS_NOT_SAVED, true, { { METRICS, "1" }, { SSTHRESH, "1" } } },
        { DIAG_METRICS_NOT_SAVED, false, { { METRICS, "1" } }, { .keys = { { SSTHRESH, "0" } } } },
        { DIAG_METRICS_NOT_SAVED, false, { { METRICS, "0" } }, { .keys = { { SSTHRESH, "1" } } } },
        { DIAG_METRICS_NOT_SAVED, false, { { METRICS, "1" } } }, /* before 5.6 it has a use */

        { DIAG_ECN_WITHOUT_FALLBACK, true, { { ECN, "1" } }, { .keys = { { FALLBACK, "0" } } } },
        { DIAG_ECN_WITHOUT_FALLBACK, true, { { FALLBACK, "0" } }, { .keys = { { ECN, "1" } } } },
        { DIAG_ECN_WITHOUT_FALLBACK, true, { { ECN, "1" }, { FALLBACK, "0" } } },
        { DIAG_ECN_WITHOUT_FALLBACK, false, { { FALLBACK, "0" }, { ECN, "1" } } },
        { DIAG_ECN_WITHOUT_FALLBACK, false, { { FALLBACK, "0" } }, { .keys = { { ECN, "2" } } } },
        { DIAG_ECN_WITHOUT_FALLBACK, false, { { ECN, "1" } }, { .keys = { { FALLBACK, "1" } } } },
        { DIAG_ECN_WITHOUT_FALLBACK, false, { { ECN, "1" } } },
};

static void test_rows(void **state UNUSED) {
        RULES_FIXTURE_RUN(&rules_obsolete, rows);
}

TEST_MAIN(cmocka_unit_test(test_rows))
