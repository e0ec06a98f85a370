/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-memory.h"

#include "rules-fixture.h"

#define MEM      "net.ipv4.tcp_mem"
#define RMEM     "net.ipv4.tcp_rmem"
#define WMEM     "net.ipv4.tcp_wmem"
#define RCVMAX   "net.core.rmem_max"
#define SNDMAX   "net.core.wmem_max"
#define MODERATE "net.ipv4.tcp_moderate_rcvbuf"
#define ORPHANS  "net.ipv4.tcp_max_orphans"

#define GIB      (UINT64_C(1) << 30)
#define SMALL \
        { .memory = 4 * GIB, .page_size = 4096 } /* 1048576 pages */
#define WIDE \
        { .memory = 4 * GIB, .page_size = 65536 } /* 65536 pages */

static const RulesRow rows[] = {
        { DIAG_TCP_MEM_ABOVE_MEMORY,
          true,
          { { MEM, "65536 131072 1048577" } },
          .machine = SMALL,
          .says = "1048577 are 4096 MiB, and this host has 4096 MiB" },
        { DIAG_TCP_MEM_ABOVE_MEMORY, false, { { MEM, "65536 131072 1048576" } }, .machine = SMALL },
        { DIAG_TCP_MEM_ABOVE_MEMORY, true, { { MEM, "16384 32768 65537" } }, .machine = WIDE },
        { DIAG_TCP_MEM_ABOVE_MEMORY,
          false,
          { { MEM, "94500000 915000000 927000000" } },
          .machine = { .memory = 4 * GIB } },
        { DIAG_TCP_MEM_ABOVE_MEMORY,
          false,
          { { MEM, "94500000 915000000 927000000" } },
          .no_live = true },

        { DIAG_TCP_MEM_LARGE,
          true,
          { { MEM, "65536 131072 524289" } },
          .machine = SMALL,
          .says = "2048 of the 4096 MiB" },
        { DIAG_TCP_MEM_LARGE, true, { { MEM, "65536 131072 1048576" } }, .machine = SMALL },
        { DIAG_TCP_MEM_LARGE, false, { { MEM, "65536 131072 524288" } }, .machine = SMALL },
        { DIAG_TCP_MEM_LARGE, false, { { MEM, "65536 131072 1048577" } }, .machine = SMALL },
        { DIAG_TCP_MEM_LARGE,
          false,
          { { MEM, "65536 131072 524289" } },
          .machine = { .page_size = 4096 } },

        { DIAG_TCP_MEM_SMALL,
          true,
          { { MEM, "4096 8192 32767" } },
          .machine = SMALL,
          .says = "127 MiB of the 4096 MiB" },
        { DIAG_TCP_MEM_SMALL, false, { { MEM, "4096 8192 32768" } }, .machine = SMALL },
        { DIAG_TCP_MEM_SMALL, false, { { MEM, "1024 1536 2048" } }, .machine = WIDE },
        { DIAG_TCP_MEM_SMALL, false, { { MEM, "128 256 512" } } },

        { DIAG_BUFFER_LARGE, true, { { RMEM, "4096 131072 67108865" } }, .no_live = true },
        { DIAG_BUFFER_LARGE,
          true,
          { { WMEM, "4096 16384 134217728" } },
          .says = "may take 128 MiB" },
        { DIAG_BUFFER_LARGE, false, { { RMEM, "4096 131072 67108864" } } },

        { DIAG_BUFFER_ABOVE_TCP_MEM,
          true,
          { { RMEM, "4096 131072 33554433" } },
          { .keys = { { MEM, "4096 8192 16384" } } },
          .machine = SMALL,
          .says = "may take 32 MiB, and above 32 MiB" },
        { DIAG_BUFFER_ABOVE_TCP_MEM,
          false,
          { { RMEM, "4096 131072 33554432" } },
          { .keys = { { MEM, "4096 8192 16384" } } },
          .machine = SMALL },
        { DIAG_BUFFER_ABOVE_TCP_MEM,
          false,
          { { WMEM, "4096 131072 33554433" } },
          { .keys = { { MEM, "4096 8192 16384" } } },
          .machine = WIDE },
        { DIAG_BUFFER_ABOVE_TCP_MEM,
          true,
          { { WMEM, "4096 131072 33554433" }, { MEM, "4096 8192 16384" } },
          .machine = SMALL },
        { DIAG_BUFFER_ABOVE_TCP_MEM,
          false,
          { { RMEM, "4096 131072 1073741824" } },
          .machine = SMALL },
        { DIAG_BUFFER_ABOVE_TCP_MEM,
          false,
          { { RMEM, "4096 131072 1073741824" } },
          { .keys = { { MEM, "4096 8192 16384" } } } },

        { DIAG_CORE_BUFFER_BELOW_TCP,
          true,
          { { RCVMAX, "6291455" } },
          { .keys = { { RMEM, "4096 131072 6291456" } } },
          .says = "only SO_RCVBUF ends at 6291455" },
        { DIAG_CORE_BUFFER_BELOW_TCP,
          false,
          { { RCVMAX, "6291456" } },
          { .keys = { { RMEM, "4096 131072 6291456" } } } },
        { DIAG_CORE_BUFFER_BELOW_TCP,
          true,
          { { SNDMAX, "212992" }, { WMEM, "4096 16384 4194304" } },
          .says = "only SO_SNDBUF ends at 212992" },
        { DIAG_CORE_BUFFER_BELOW_TCP,
          false,
          { { SNDMAX, "212992" } },
          { .keys = { { RMEM, "4096 131072 6291456" } } } },
        { DIAG_CORE_BUFFER_BELOW_TCP, false, { { RCVMAX, "212992" } } },

        { DIAG_RCVBUF_FIXED, true, { { MODERATE, "0" } } },
        { DIAG_RCVBUF_FIXED, false, { { MODERATE, "1" } } },

        { DIAG_ORPHANS_LARGE,
          true,
          { { ORPHANS, "65537" } },
          .machine = SMALL,
          .says = "65537 orphans of up to 64 KiB are 4096 MiB" },
        { DIAG_ORPHANS_LARGE, false, { { ORPHANS, "65536" } }, .machine = SMALL },
        { DIAG_ORPHANS_LARGE, false, { { ORPHANS, "16777216" } } },
        { DIAG_ORPHANS_LARGE, false, { { ORPHANS, "16777216" } }, .no_live = true },
        { DIAG_ORPHANS_LOWERED,
          true,
          { { ORPHANS, "16383" } },
          .machine = { .ehash_entries = 32768 },
          .says = "below the 16384 of this kernel" },
        { DIAG_ORPHANS_LOWERED,
          false,
          { { ORPHANS, "16384" } },
          .machine = { .ehash_entries = 32768 } },
        { DIAG_ORPHANS_LOWERED, false, { { ORPHANS, "1024" } } },
        { DIAG_ORPHANS_LOWERED, false, { { ORPHANS, "1024" } }, .no_live = true },
};

static void test_rows(void **state UNUSED) {
        RULES_FIXTURE_RUN(&rules_memory, rows);
}

TEST_MAIN(cmocka_unit_test(test_rows))
