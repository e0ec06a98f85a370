/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/net-counters.h"

#include <fcntl.h>
#include <unistd.h>

#include "seam/scratch.h"
#include "test.h"

#define NETSTAT "proc/self/net/netstat"
#define SNMP    "proc/self/net/snmp"

/* Cut from a Linux 6.1, with a column and a group that no kernel has. */
static const char netstat[] =
                "TcpExt: SyncookiesSent TW PAWSActive PAWSEstab ListenOverflows ListenDrops NewInLinux99\n"
                "TcpExt: 1 22 333 4444 55555 18446744073709551615 7\n"
                "IpExt: InNoRoutes InTruncatedPkts\n"
                "IpExt: 8 9\n"
                "FutureExt: A B\n"
                "FutureExt: 1 2\n";
static const char snmp[] =
                "Ip: Forwarding DefaultTTL\n"
                "Ip: 2 64\n"
                "Tcp: RtoAlgorithm MaxConn AttemptFails EstabResets OutSegs RetransSegs OutRsts\n"
                "Tcp: 1 -1 11 12 1000 20 14\n"
                "Udp: InDatagrams OutRsts\n"
                "Udp: 5 99\n";

static void test_parse_by_name(void **state UNUSED) {
        GateSample sample = { 0 };
        net_counters_parse(netstat, &sample);
        net_counters_parse(snmp, &sample);
        static const struct {
                GateId id;
                uint64_t value;
        } rows[] = {
                { GATE_SYN_COOKIES, 1 },           { GATE_PAWS_ACTIVE, 333 },
                { GATE_PAWS_ESTAB, 4444 },         { GATE_LISTEN_OVERFLOWS, 55555 },
                { GATE_LISTEN_DROPS, UINT64_MAX }, { GATE_ATTEMPT_FAILS, 11 },
                { GATE_ESTAB_RESETS, 12 },         { GATE_RETRANSMITS, 20 },
                { GATE_RESETS_SENT, 14 },
        };
        TEST_EACH(row, rows) {
                assert_true(sample.known[row->id]);
                assert_true(sample.value[row->id] == row->value);
        }
        assert_int_equal(sample.whole[GATE_RETRANSMITS], 1000);
        assert_false(sample.known[GATE_TIME_WAIT_OVERFLOW]);
        assert_false(sample.known[GATE_REQUEST_DROPS]);
        assert_false(sample.known[GATE_PORTS]);
}

static void test_parse_passes_over_nonsense(void **state UNUSED) {
        static const char *const rows[] = {
                "",
                "\n",
                "\n\n\n",
                "TcpExt: ListenOverflows",
                "TcpExt: ListenOverflows\n",
                "TcpExt: ListenOverflows\nTcpExt:\n",
                "TcpExt: ListenOverflows\nTcp: 1\n",
                "TcpExt: ListenOverflows\nTcpExtra: 1\n",
                "TcpExt: ListenOverflows\nTcpExt: -1\n",
                "TcpExt: ListenOverflows\nTcpExt: 0x10\n",
                "TcpExt: ListenOverflows\nTcpExt: 18446744073709551616\n",
                "TcpExt: ListenOverflows\nTcpExt: 1844674407370955161511111111111111111111111\n",
                "TcpExt: ListenOverflowsX\nTcpExt: 1\n",
                "TcpExt: ListenOverflow\nTcpExt: 1\n",
                "TcpExt ListenOverflows\nTcpExt 1\n",
                "Tcp: ListenOverflows\nTcp: 1\n",
                "Tcp: RetransSegs\nTcp: 1\n",
                "Tcp: OutSegs\nTcp: 1\n",
                "Tcp: RetransSegs OutSegs\nTcp: 1 x\n",
                "Tcp: RetransSegs OutSegs\nTcp: x 1\n",
        };
        TEST_EACH(row, rows) {
                GateSample sample = { 0 };
                net_counters_parse(*row, &sample);
                for (GateId id = 0; id < GATE_COUNTERS; id++)
                        assert_false(sample.known[id]);
        }
}

static void test_read(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        scratch_write(&scratch, NETSTAT, netstat);
        scratch_write(&scratch, SNMP, snmp);
        GateSample sample = { .time_ms = 7 };
        sample.known[GATE_PORTS] = sample.known[GATE_TIME_WAIT_OVERFLOW] = true;
        assert_int_equal(net_counters_read(seam_real(), scratch.fd, &sample, NULL), 0);
        assert_int_equal(sample.value[GATE_LISTEN_OVERFLOWS], 55555);
        assert_int_equal(sample.value[GATE_RETRANSMITS], 20);
        assert_true(sample.known[GATE_RETRANSMITS]);
        assert_int_equal(sample.time_ms, 7);
        /* a level is not ours, what is not counted any more is unknown again */
        assert_true(sample.known[GATE_PORTS]);
        assert_false(sample.known[GATE_TIME_WAIT_OVERFLOW]);

        scratch_remove(&scratch, NETSTAT);
        assert_int_equal(net_counters_read(seam_real(), scratch.fd, &sample, NULL), 0);
        assert_false(sample.known[GATE_LISTEN_OVERFLOWS]);
        assert_true(sample.known[GATE_RESETS_SENT]);
        scratch_deinit(&scratch);
}

static void test_read_refuses(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        CLEANUP(strbuf_deinit) StrBuf large = { 0 };
        strbuf_add(&large, netstat);
        strbuf_add_repeat(&large, ' ', NET_COUNTERS_MAX_BYTES);
        scratch_write(&scratch, NETSTAT, strbuf_text(&large));
        GateSample sample = { .time_ms = 7 };
        Error error = { 0 };
        assert_int_equal(net_counters_read(seam_real(), scratch.fd, &sample, &error), -EFBIG);
        assert_non_null(strstr(error.text, "/proc/self/net/netstat"));
        assert_int_equal(sample.time_ms, 7);
        scratch_deinit(&scratch);
}

/* The kernel of this machine has all of them but those that came or went with a version. */
static void test_read_of_this_machine(void **state UNUSED) {
        cleanup_close int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        GateSample sample = { 0 };
        Error error = { 0 };
        if (access("/proc/self/net/netstat", R_OK) < 0) {
                print_message("no /proc/net/netstat here\n");
                skip();
        }
        assert_int_equal(net_counters_read(seam_real(), root, &sample, &error), 0);
        for (GateId id = 0; id < GATE_COUNTERS; id++)
                if (gate_counter(id)->group && !sample.known[id])
                        fail_msg("%s is unknown", gate_counter(id)->name);
}

TEST_MAIN(cmocka_unit_test(test_parse_by_name), cmocka_unit_test(test_parse_passes_over_nonsense),
          cmocka_unit_test(test_read), cmocka_unit_test(test_read_refuses),
          cmocka_unit_test(test_read_of_this_machine))
