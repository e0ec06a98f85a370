/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/port-use.h"

#include <sys/socket.h>

#include "test.h"

static TcpAddress v4(uint32_t host) {
        TcpAddress a = { .bytes = { [10] = 0xff, [11] = 0xff } };
        for (size_t i = 0; i < 4; i++)
                a.bytes[12 + i] = (uint8_t) (host >> (24 - 8 * i));
        return a;
}

static PortPool pool_of(int64_t first, int64_t last) {
        SysctlValue range = { .n_ints = 2, .ints = { first, last } };
        PortPool pool = { 0 };
        assert_int_equal(port_pool_set(&pool, &range, NULL), 0);
        return pool;
}

static TcpSocket socket_of(uint16_t local_port, uint32_t remote, uint16_t remote_port) {
        return (TcpSocket){
                .family = AF_INET,
                .state = TCP_STATE_ESTABLISHED,
                .local = v4(0x0a000001),
                .remote = v4(remote),
                .local_port = local_port,
                .remote_port = remote_port,
        };
}

static void test_pool(void **state UNUSED) {
        static const PortRange ports[] = { { 100, 32769 }, { 33000, 33000 }, { 60999, 61003 } };
        SysctlValue range = { .n_ints = 2, .ints = { 32768, 60999 } };
        SysctlValue reserved = { .ports = ports, .n_ports = 3 };
        PortPool pool = { 0 };
        assert_int_equal(port_pool_set(&pool, &range, &reserved), 0);
        assert_int_equal(pool.size, 28232 - 4);
        assert_false(port_pool_has(&pool, 32769));
        assert_true(port_pool_has(&pool, 32770));
        assert_false(port_pool_has(&pool, 33000));
        assert_false(port_pool_has(&pool, 60999));
        assert_false(port_pool_has(&pool, 61000));

        range.ints[0] = 0;
        range.ints[1] = 65535;
        assert_int_equal(port_pool_set(&pool, &range, NULL), 0);
        assert_int_equal(pool.size, 65536);
        assert_true(port_pool_has(&pool, 65535));
        static const SysctlValue bad[] = {
                { .n_ints = 1, .ints = { 1 } },
                { .n_ints = 2, .ints = { 2, 1 } },
                { .n_ints = 2, .ints = { -1, 1 } },
                { .n_ints = 2, .ints = { 1, 65536 } },
        };
        TEST_EACH(row, bad)
                assert_int_equal(port_pool_set(&pool, row, NULL), -EINVAL);
        assert_int_equal(pool.size, 65536);
}

static void test_use_counts_the_busiest_tuple(void **state UNUSED) {
        PortPool pool = pool_of(10000, 10999);
        CLEANUP(port_use_freep) PortUse *use = port_use_new(&pool, 1);
        PortTuple busiest;
        assert_false(port_use_busiest(use, &busiest));
        assert_int_equal(port_use_level(use), 0);
        for (uint16_t i = 0; i < 1000; i++) {
                TcpSocket socket = socket_of((uint16_t) (10000 + i), 0x0a000002, 80);
                if (i % 10 == 0)
                        socket.remote_port =
                                        443; /* another destination: has all ports of its own */
                if (i % 10 == 1)
                        socket.local = v4(0x0a000009);
                port_use_add(use, &socket);
        }
        assert_int_equal(port_use_level(use), 800);
        assert_int_equal(port_use_error(use), 0);
        assert_true(port_use_busiest(use, &busiest));
        assert_int_equal(busiest.n_taken, 800);
        assert_int_equal(busiest.remote_port, 80);
        TcpAddress want = v4(0x0a000002);
        assert_memory_equal(&busiest.remote, &want, sizeof(want));

        port_use_reset(use);
        assert_int_equal(port_use_level(use), 0);
}

static void test_use_leaves_out(void **state UNUSED) {
        PortPool pool = pool_of(10000, 10999);
        CLEANUP(port_use_freep) PortUse *use = port_use_new(&pool, 1);
        static const struct {
                uint8_t state;
                uint16_t local_port, remote_port;
                uint32_t level;
        } rows[] = {
                { TCP_STATE_ESTABLISHED, 10000, 80, 1 }, { TCP_STATE_TIME_WAIT, 10000, 80, 1 },
                { TCP_STATE_SYN_SENT, 10999, 80, 1 },    { TCP_STATE_FIN_WAIT2, 10999, 80, 1 },
                { TCP_STATE_LISTEN, 10000, 0, 0 },       { TCP_STATE_LISTEN, 10000, 80, 0 },
                { TCP_STATE_CLOSE, 10000, 80, 0 },       { TCP_STATE_ESTABLISHED, 9999, 80, 0 },
                { TCP_STATE_ESTABLISHED, 11000, 80, 0 }, { TCP_STATE_ESTABLISHED, 10000, 0, 0 },
        };
        TEST_EACH(row, rows) {
                TcpSocket socket = socket_of(row->local_port, 0x0a000002, row->remote_port);
                socket.state = row->state;
                socket.expires_ms = 100;
                port_use_reset(use);
                port_use_add(use, &socket);
                assert_int_equal(port_use_level(use), row->level);
        }
        /* no ports at all: nothing can be taken of them */
        pool.size = 0;
        assert_int_equal(port_use_level(use), 0);
}

static void test_use_leaves_out_what_is_used_again(void **state UNUSED) {
        PortPool pool = pool_of(10000, 10999);
        CLEANUP(port_use_freep) PortUse *use = port_use_new(&pool, 1);
        static const struct {
                PortReuse reuse;
                uint8_t state;
                uint32_t remote, expires_ms, level;
        } rows[] = {
                { PORT_REUSE_NONE, TCP_STATE_TIME_WAIT, 0x0a000002, 30000, 1 },
                { PORT_REUSE_ALL, TCP_STATE_TIME_WAIT, 0x0a000002, 30000, 0 },
                { PORT_REUSE_ALL, TCP_STATE_TIME_WAIT, 0x0a000002, 59500, 1 },
                { PORT_REUSE_ALL, TCP_STATE_FIN_WAIT2, 0x0a000002, 30000, 1 },
                { PORT_REUSE_ALL, TCP_STATE_ESTABLISHED, 0x0a000002, 0, 1 },
                { PORT_REUSE_LOOPBACK, TCP_STATE_TIME_WAIT, 0x0a000002, 30000, 1 },
                { PORT_REUSE_LOOPBACK, TCP_STATE_TIME_WAIT, 0x7f000002, 30000, 0 },
        };
        TEST_EACH(row, rows) {
                TcpSocket socket = socket_of(10000, row->remote, 80);
                socket.state = row->state;
                socket.expires_ms = row->expires_ms;
                pool.reuse = row->reuse;
                port_use_reset(use);
                port_use_add(use, &socket);
                assert_int_equal(port_use_level(use), row->level);
        }
        TcpAddress one = { .bytes = { [15] = 1 } };
        assert_true(tcp_address_is_loopback(&one));
        one.bytes[0] = 1;
        assert_false(tcp_address_is_loopback(&one));
}

/* A crawler: far more destinations than there is room for, and one that is nearly full. */
static void test_use_is_bounded(void **state UNUSED) {
        PortPool pool = pool_of(1024, 65535);
        CLEANUP(port_use_freep) PortUse *use = port_use_new(&pool, 99);
        uint32_t n = 0, n_busy = 0;
        for (uint32_t i = 0; i < 300000; i++, n++) {
                TcpSocket other = socket_of((uint16_t) (1024 + i % 64000), 0x0b000000 + i, 443);
                port_use_add(use, &other);
                if (i % 6 != 0)
                        continue;
                TcpSocket busy = socket_of((uint16_t) (1024 + n_busy), 0x0a000002, 80);
                port_use_add(use, &busy);
                n_busy++;
                n++;
        }
        PortTuple busiest;
        assert_true(port_use_busiest(use, &busiest));
        assert_int_equal(busiest.remote_port, 80);
        assert_true(port_use_error(use) > 0);
        assert_true(port_use_error(use) <= n / (PORT_USE_TUPLES + 1));
        assert_true(busiest.n_taken <= n_busy);
        assert_true(busiest.n_taken + port_use_error(use) >= n_busy);
}

TEST_MAIN(cmocka_unit_test(test_pool), cmocka_unit_test(test_use_counts_the_busiest_tuple),
          cmocka_unit_test(test_use_leaves_out),
          cmocka_unit_test(test_use_leaves_out_what_is_used_again),
          cmocka_unit_test(test_use_is_bounded))
