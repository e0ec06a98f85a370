/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/socket-tally.h"

#include <sys/socket.h>

#include "test.h"

#define SEED UINT64_C(42)

/* 40000 to 40999, without 40100 to 40109. */
static Snapshot make_snapshot(void) {
        Snapshot snapshot = { .has_pool = true };
        const SysctlValue range = { .n_ints = 2, .ints = { 40000, 40999 } };
        static const PortRange reserved[] = { { 40100, 40109 } };
        assert_int_equal(
                        port_pool_set(&snapshot.pool, &range,
                                      &(SysctlValue){ .ports = reserved, .n_ports = 1 }),
                        0);
        return snapshot;
}

static TcpAddress address(uint32_t number) {
        TcpAddress a = { .bytes = { [10] = 0xff, [11] = 0xff, [12] = 10 } };
        a.bytes[13] = (uint8_t) (number >> 16);
        a.bytes[14] = (uint8_t) (number >> 8);
        a.bytes[15] = (uint8_t) number;
        return a;
}

static TcpSocket make_socket(TcpState state, uint16_t local_port, uint32_t remote, uint16_t port) {
        return (TcpSocket){
                .family = AF_INET,
                .state = (uint8_t) state,
                .timer = state == TCP_STATE_TIME_WAIT ? 3 : 0,
                .local_port = local_port,
                .remote_port = port,
                .local = address(1),
                .remote = address(remote),
                .expires_ms = state == TCP_STATE_TIME_WAIT ? 40000 : 0,
                .uid = 1000,
                .inode = state == TCP_STATE_TIME_WAIT ? 0 : 77,
        };
}

static void add(SocketTally *tally, TcpState state, uint16_t local_port, uint32_t remote,
                uint16_t port) {
        const TcpSocket socket = make_socket(state, local_port, remote, port);
        socket_tally_add(tally, &socket, 1);
}

static void test_nothing(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.n_tuples, 0);
        assert_int_equal(got.n_listeners, 0);
        assert_int_equal(got.n_buckets, 0);
}

static void test_sides(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        add(tally, TCP_STATE_LISTEN, 443, 0, 0);
        add(tally, TCP_STATE_LISTEN, 40500, 0, 0);
        add(tally, TCP_STATE_ESTABLISHED, 443, 9, 5555);
        add(tally, TCP_STATE_TIME_WAIT, 443, 9, 5556);
        /* a service inside the range */
        add(tally, TCP_STATE_TIME_WAIT, 40500, 9, 5557);
        /* from the pool, to two destinations, one port for both */
        add(tally, TCP_STATE_TIME_WAIT, 40000, 8, 80);
        add(tally, TCP_STATE_ESTABLISHED, 40001, 8, 80);
        add(tally, TCP_STATE_TIME_WAIT, 40000, 7, 80);
        /* reserved, and below the range */
        add(tally, TCP_STATE_TIME_WAIT, 40100, 8, 80);
        add(tally, TCP_STATE_CLOSE_WAIT, 2049, 8, 80);
        /* in no state that takes anything */
        add(tally, TCP_STATE_CLOSE, 40003, 8, 80);

        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT], 5);
        assert_int_equal(got.states[SNAPSHOT_IPV4][TCP_STATE_LISTEN], 2);
        assert_int_equal(got.states[SNAPSHOT_IPV4][TCP_STATE_CLOSE], 1);
        assert_int_equal(got.states[SNAPSHOT_IPV6][TCP_STATE_TIME_WAIT], 0);
        assert_int_equal(got.n_buckets, 5);
        assert_int_equal(got.sides[SNAPSHOT_INCOMING].n_time_wait, 2);
        assert_int_equal(got.sides[SNAPSHOT_INCOMING].n_other, 1);
        assert_int_equal(got.sides[SNAPSHOT_OUTGOING].n_time_wait, 2);
        assert_int_equal(got.sides[SNAPSHOT_OUTGOING].n_other, 1);
        assert_int_equal(got.sides[SNAPSHOT_STRAY].n_time_wait, 1);
        assert_int_equal(got.sides[SNAPSHOT_STRAY].n_other, 1);
        assert_int_equal(got.n_pool_ports_taken, 2);

        assert_int_equal(got.n_tuples, 2);
        assert_int_equal(got.n_all_tuples, 2);
        assert_int_equal(got.tuples_error, 0);
        assert_int_equal(snapshot_use_total(&got.tuples[0].use), 2);
        assert_memory_equal(&got.tuples[0].remote, &(TcpAddress[]){ address(8) }, 16);
        assert_int_equal(got.tuples[0].remote_port, 80);
        assert_int_equal(snapshot_use_total(&got.tuples[1].use), 1);

        assert_int_equal(got.n_listeners, 2);
        assert_int_equal(got.listeners[0].port, 443);
        assert_int_equal(got.listeners[0].use.n_time_wait, 1);
        assert_int_equal(got.listeners[0].use.n_other, 1);
        assert_int_equal(got.listeners[1].port, 40500);
        assert_int_equal(got.listeners[1].use.n_time_wait, 1);

        assert_int_equal(got.n_holders, 1);
        assert_int_equal(got.holders[0].side, SNAPSHOT_STRAY);
        assert_int_equal(got.holders[0].port, 2049);
        assert_int_equal(got.holders[0].uid, 1000);
}

static void test_ages_and_orphans(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        static const uint32_t left_ms[] = { 60000, 59001, 59000, 50000, 49999, 0, 61000 };
        TcpSocket socket = make_socket(TCP_STATE_TIME_WAIT, 40000, 2, 80);
        for (size_t i = 0; i < ELEMENTSOF(left_ms); i++) {
                socket.expires_ms = left_ms[i];
                socket_tally_add(tally, &socket, 1);
        }
        /* an orphan in the small form, one in the large form, and one that a process holds */
        socket = make_socket(TCP_STATE_FIN_WAIT2, 40001, 2, 80);
        socket.inode = 0;
        socket.timer = 3;
        socket_tally_add(tally, &socket, 1);
        socket.timer = 2;
        socket_tally_add(tally, &socket, 1);
        socket.inode = 5;
        socket_tally_add(tally, &socket, 1);

        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        const SnapshotUse *use = &got.tuples[0].use;
        assert_int_equal(use->n_time_wait, 7);
        assert_int_equal(use->n_recent, 5);
        assert_int_equal(use->n_reusable, 4);
        assert_int_equal(use->n_fin_wait2, 2);
        assert_int_equal(use->n_other, 1);
        assert_int_equal(got.n_buckets, 8);
        assert_int_equal(got.states[SNAPSHOT_IPV4][TCP_STATE_FIN_WAIT2], 3);
}

static void test_ipv6_and_mapped(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TcpSocket socket = make_socket(TCP_STATE_TIME_WAIT, 40000, 2, 80);
        socket_tally_add(tally, &socket, 1);
        socket.family = AF_INET6; /* the same destination from an IPv6 socket takes ports of the same pool */
        socket.local_port = 40001;
        socket_tally_add(tally, &socket, 1);
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT], 1);
        assert_int_equal(got.states[SNAPSHOT_IPV6][TCP_STATE_TIME_WAIT], 1);
        assert_int_equal(got.n_tuples, 1);
        assert_int_equal(got.tuples[0].use.n_time_wait, 2);
}

static void test_queues(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        static const struct {
                uint16_t port;
                uint32_t uid, queue, limit;
        } rows[] = {
                { 80, 1, 100, 4096 }, { 80, 2, 100, 128 }, { 80, 3, 50, 128 },
                { 81, 4, 0, 4096 },   { 81, 5, 0, 5 },     { 0, 6, 1, 1 },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                TcpSocket socket = make_socket(TCP_STATE_LISTEN, rows[i].port, 0, 0);
                socket.uid = rows[i].uid;
                socket.queue = rows[i].queue;
                socket.queue_limit = rows[i].limit;
                socket_tally_add(tally, &socket, 1);
        }
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.n_listeners, 2);
        assert_int_equal(got.listeners[0].port, 80);
        assert_int_equal(got.listeners[0].n_sockets, 3);
        assert_int_equal(got.listeners[0].uid, 2);
        assert_int_equal(got.listeners[0].queue, 100);
        assert_int_equal(got.listeners[0].queue_limit, 128);
        /* empty ones: the shorter */
        assert_int_equal(got.listeners[1].uid, 5);
}

static void test_many_tuples(void **state UNUSED) {
        /* all fit: exact, sorted, the largest kept */
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        enum { N = 5000 };
        for (uint32_t i = 1; i <= N; i++)
                for (uint32_t k = 0; k < (i % 100 == 0 ? i / 100 : 1); k++)
                        add(tally, TCP_STATE_TIME_WAIT, (uint16_t) (40000 + k), i, 80);
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.n_all_tuples, N);
        assert_int_equal(got.n_tuples, SNAPSHOT_TUPLES);
        assert_int_equal(got.tuples_error, 0);
        for (uint32_t i = 0; i < 49; i++) {
                assert_int_equal(got.tuples[i].use.n_time_wait, 50 - i);
                assert_memory_equal(
                                &got.tuples[i].remote, &(TcpAddress[]){ address(5000 - 100 * i) },
                                16);
        }
        assert_int_equal(got.tuples[SNAPSHOT_TUPLES - 1].use.n_time_wait, 1);
        assert_int_equal(got.n_pool_ports_taken, 50);
}

static void test_more_tuples_than_fit(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        /* one large destination among three times as many small ones as fit */
        enum { LARGE = 5000, SMALL = 3 * TALLY_TUPLES };
        for (uint32_t i = 0; i < SMALL; i++) {
                add(tally, TCP_STATE_TIME_WAIT, 40000, 100 + i, 80);
                if (i % (SMALL / LARGE) == 0 && i / (SMALL / LARGE) < LARGE)
                        add(tally, TCP_STATE_ESTABLISHED, 40000, 1, 443);
        }
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT], SMALL);
        assert_int_equal(got.states[SNAPSHOT_IPV4][TCP_STATE_ESTABLISHED], LARGE);
        assert_int_equal(got.sides[SNAPSHOT_OUTGOING].n_other, LARGE);
        assert_true(got.tuples_error > 0);
        assert_true(got.tuples_error <= (SMALL + LARGE) / (TALLY_TUPLES + 1));
        assert_true(got.n_all_tuples >= TALLY_TUPLES);
        assert_int_equal(got.tuples[0].remote_port, 443);
        assert_in_range(got.tuples[0].use.n_other, LARGE - got.tuples_error, LARGE);
        assert_int_equal(got.tuples[0].use.n_time_wait, 0);
}

static void test_many_holders(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        for (uint16_t i = 0; i < 1000; i++) {
                add(tally, TCP_STATE_CLOSE_WAIT, (uint16_t) (40200 + i % 700), 3, 8080);
                add(tally, TCP_STATE_CLOSE_WAIT, (uint16_t) (1000 + i % 200), 3, 9);
        }
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.n_holders, SNAPSHOT_HOLDERS);
        assert_int_equal(got.holders[0].side, SNAPSHOT_OUTGOING);
        assert_int_equal(got.holders[0].port, 8080);
        assert_true(got.holders_error > 0);
        assert_in_range(got.holders[0].n_close_wait, 1000 - got.holders_error, 1000);
}

static void test_without_a_pool(void **state UNUSED) {
        const Snapshot snapshot = { 0 };
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        add(tally, TCP_STATE_TIME_WAIT, 40000, 2, 80);
        add(tally, TCP_STATE_TIME_WAIT, 0, 2, 80);
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.n_tuples, 0);
        assert_int_equal(got.sides[SNAPSHOT_STRAY].n_time_wait, 2);
}

/* Every port once, given several at a time. */
static void test_the_pools_edges(void **state UNUSED) {
        static const int64_t ranges[][2] = { { 40003, 40003 }, { 40007, 40008 }, { 1, 65535 } };
        static const PortRange reserved[] = { { 40007, 40007 }, { 65535, 65535 } };
        static TcpSocket sockets[UINT16_MAX];
        for (size_t i = 0; i < ELEMENTSOF(sockets); i++)
                sockets[i] = make_socket(TCP_STATE_TIME_WAIT, (uint16_t) (i + 1), 2, 80);
        TEST_EACH(range, ranges) {
                Snapshot snapshot = { .has_pool = true };
                const SysctlValue ports = { .n_ints = 2, .ints = { (*range)[0], (*range)[1] } };
                const SysctlValue left_out = { .ports = reserved, .n_ports = ELEMENTSOF(reserved) };
                assert_int_equal(port_pool_set(&snapshot.pool, &ports, &left_out), 0);
                CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
                CLEANUP(arena_freep) Arena *arena = arena_new();
                socket_tally_add(tally, sockets, ELEMENTSOF(sockets));
                SnapshotSockets got;
                assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
                assert_int_equal(got.n_pool_ports_taken, snapshot.pool.size);
                assert_int_equal(got.sides[SNAPSHOT_OUTGOING].n_time_wait, snapshot.pool.size);
                assert_int_equal(
                                got.sides[SNAPSHOT_STRAY].n_time_wait,
                                UINT16_MAX - snapshot.pool.size);
        }
}

static void test_unknown_states_are_left_out(void **state UNUSED) {
        const Snapshot snapshot = make_snapshot();
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(&snapshot, SEED);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TcpSocket socket = make_socket(TCP_STATES, 40000, 2, 80);
        socket_tally_add(tally, &socket, 1);
        socket.state = 255;
        socket_tally_add(tally, &socket, 1);
        socket.state = 0;
        socket_tally_add(tally, &socket, 1);
        SnapshotSockets got;
        assert_int_equal(socket_tally_finish(tally, arena, &got), 0);
        assert_int_equal(got.n_tuples, 0);
}

TEST_MAIN(cmocka_unit_test(test_nothing), cmocka_unit_test(test_the_pools_edges),
          cmocka_unit_test(test_sides), cmocka_unit_test(test_ages_and_orphans),
          cmocka_unit_test(test_ipv6_and_mapped), cmocka_unit_test(test_queues),
          cmocka_unit_test(test_many_tuples), cmocka_unit_test(test_more_tuples_than_fit),
          cmocka_unit_test(test_many_holders), cmocka_unit_test(test_without_a_pool),
          cmocka_unit_test(test_unknown_states_are_left_out))
