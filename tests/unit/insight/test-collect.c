/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/collect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"
#include "seam/scratch.h"
#include "test.h"

static void fill(Scratch *scratch) {
        scratch_init(scratch);
        scratch_write(scratch, "proc/sys/kernel/random/boot_id",
                      "b007b007-0000-4000-8000-000000000001\n");
        scratch_write(scratch, "proc/sys/kernel/osrelease", "6.1.0-37-amd64\n");
        scratch_link(scratch, "proc/self/ns/net", "net:[4026531841]");
        scratch_write(scratch, "proc/sys/net/core/somaxconn", "4096\n");
        scratch_write(scratch, "proc/sys/net/ipv4/ip_local_port_range", "40000\t40999\n");
        scratch_write(scratch, "proc/sys/net/ipv4/ip_local_reserved_ports", "40000-40009\n");
        scratch_write(scratch, "proc/sys/net/ipv4/tcp_max_tw_buckets", "5000\n");
        scratch_write(scratch, "proc/self/net/netstat",
                      "TcpExt: TW TWRecycled PAWSEstab TWNew\nTcpExt: 11 12 13 14\n"
                      "MPTcpExt: TW\nMPTcpExt: 99\n");
        scratch_write(scratch, "proc/self/net/snmp",
                      "Tcp: RtoAlgorithm MaxConn ActiveOpens OutRsts xt.TW\nTcp: 1 -1 5 6 99\n");
        scratch_write(scratch, "proc/self/net/sockstat",
                      "sockets: used 9\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\n");
        scratch_write(scratch, "proc/self/net/sockstat6", "TCP6: inuse 6\n");
        scratch_write(scratch, "proc/self/net/softnet_stat", "0000000a 00000001 00000002\n");
        scratch_write(scratch, "proc/self/net/stat/nf_conntrack",
                      "entries drop\n00000001 0000001f\n");
}

static void test_counts(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot got;
        Error error = { 0 };
        int r = collect_counts(seam_real(), scratch.fd, arena, &got, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(r, 0);
        assert_int_equal(got.netns, 4026531841);
        assert_int_equal(got.settings.kernel.minor, 1);
        assert_int_equal(snapshot_number(&got, "net.ipv4.tcp_max_tw_buckets", -1), 5000);
        assert_true(got.has_pool);
        assert_int_equal(got.pool.size, 990);
        assert_int_equal(got.counters[COUNTER_TIME_WAIT], 11);
        assert_int_equal(got.counters[COUNTER_TIME_WAIT_RECYCLED], 12);
        assert_int_equal(got.counters[COUNTER_PAWS_ESTAB], 13);
        assert_int_equal(got.counters[COUNTER_ACTIVE_OPENS], 5);
        assert_false(got.known[COUNTER_PASSIVE_OPENS]);
        assert_true(got.sockstat.known);
        assert_int_equal(got.sockstat.time_wait, 3);
        assert_int_equal(got.sockstat.in_use[SNAPSHOT_IPV6], 6);
        assert_int_equal(got.counters[COUNTER_BACKLOG_DROPPED], 1);
        assert_int_equal(got.counters[COUNTER_BUDGET_SPENT], 2);
        assert_int_equal(got.counters[COUNTER_TRACKING_DROPPED], 31);
        assert_false(got.known[COUNTER_TRACKING_INSERT_FAILED]);
        assert_false(got.has_sockets);
        assert_true(got.time_us > 0);
        assert_true(got.page_size > 0);

        /* what counting does not need is read when it is asked for */
        assert_int_equal(snapshot_number(&got, "net.core.somaxconn", -1), -1);
        assert_int_equal(collect_settings(seam_real(), scratch.fd, arena, &got, &error), 0);
        assert_int_equal(snapshot_number(&got, "net.core.somaxconn", -1), 4096);
        assert_int_equal(snapshot_number(&got, "net.ipv4.tcp_max_tw_buckets", -1), 5000);
        assert_int_equal(got.settings.n_keys, snapshot_setting_count());
        assert_int_equal(got.settings.kernel.minor, 1);

        /* a kernel without IPv6 and without counters */
        scratch_remove(&scratch, "proc/self/net");
        assert_int_equal(collect_counts(seam_real(), scratch.fd, arena, &got, &error), 0);
        assert_false(got.sockstat.known);
        assert_false(got.known[COUNTER_TIME_WAIT]);

        scratch_mkdir(&scratch, "proc/self/net/snmp");
        assert_true(collect_counts(seam_real(), scratch.fd, arena, &got, &error) < 0);
        assert_non_null(strstr(error.text, "/proc/self/net/snmp"));
        scratch_deinit(&scratch);
}

static int connect_to(uint16_t port) {
        const struct sockaddr_in address = { .sin_family = AF_INET,
                                             .sin_port = htons(port),
                                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static const SnapshotListener *find_listener(const Snapshot *got, uint16_t port) {
        for (size_t i = 0; i < got->sockets.n_listeners; i++)
                if (got->sockets.listeners[i].port == port)
                        return &got->sockets.listeners[i];
        fail_msg("no listener at port %u", port);
        return &got->sockets.listeners[0]; /* not reached */
}

static const SnapshotTuple *find_tuple(const Snapshot *got, uint16_t port) {
        for (size_t i = 0; i < got->sockets.n_tuples; i++)
                if (got->sockets.tuples[i].remote_port == port)
                        return &got->sockets.tuples[i];
        fail_msg("no connection to port %u", port);
        return &got->sockets.tuples[0]; /* not reached */
}

/* Two connections of our own, one waiting to be accepted, in whatever namespace the test runs. */
static void test_sockets_of_this_machine(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        cleanup_close int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        uint16_t port = 0;
        cleanup_close int listening = loopback_listen(AF_INET, &port);
        if (listening < 0) {
                print_message("cannot listen on the loopback: %s\n", strerror(-listening));
                skip();
        }
        cleanup_close int first = connect_to(port);
        cleanup_close int second = connect_to(port);
        cleanup_close int accepted = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        assert_true(first >= 0 && second >= 0 && accepted >= 0);

        Snapshot got;
        Error error = { 0 };
        assert_int_equal(collect_counts(seam_real(), root, arena, &got, &error), 0);
        CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
        if (collect_sockets(&diag, arena, &got, &error) < 0) {
                print_message("no sock_diag here: %s\n", error.text);
                skip();
        }
        assert_true(got.has_sockets);
        assert_true(got.cost.n_sockets >= 5);
        assert_true(got.cost.wall_us > 0);
        const SnapshotListener *found = find_listener(&got, port);
        assert_int_equal(found->queue, 1);
        assert_int_equal(found->queue_limit, LOOPBACK_BACKLOG);
        assert_int_equal(found->uid, geteuid());
        assert_int_equal(found->use.n_other, 2);
        assert_int_equal(find_tuple(&got, port)->use.n_other, 2);

        /* again, over the same netlink socket */
        assert_int_equal(collect_sockets(&diag, arena, &got, &error), 0);
        assert_true(got.has_sockets);
}

/* Where the counts say that there is none, the kernel is not asked for a list. */
static void test_no_socket(void **state UNUSED) {
        static const struct {
                SnapshotSockstat sockstat;
                bool asks;
        } rows[] = {
                { { .known = true, .orphans = 3, .allocated = 9, .memory_pages = 1 }, false },
                { { .known = true, .time_wait = 1 }, true },
                { { .known = true, .in_use = { 1, 0 } }, true },
                { { .known = true, .in_use = { 0, 1 } }, true },
                { { .known = false }, true },
        };
        TEST_EACH(row, rows) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
                Snapshot got = { .sockstat = row->sockstat };
                Error error = { 0 };
                int r = collect_sockets(&diag, arena, &got, &error);
                if (row->asks && r < 0) {
                        print_message("no sock_diag here: %s\n", error.text);
                        skip();
                }
                assert_int_equal(r, 0);
                assert_true(got.has_sockets);
                assert_int_equal(diag.socket != NULL, row->asks);
                assert_true(row->asks || got.cost.n_sockets == 0);
        }
}

TEST_MAIN(cmocka_unit_test(test_no_socket), cmocka_unit_test(test_counts),
          cmocka_unit_test(test_sockets_of_this_machine))
