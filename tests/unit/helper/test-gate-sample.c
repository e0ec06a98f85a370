/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/gate-sample.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "gate-world.h"

static void test_take_counters(void **state UNUSED) {
        GateWorld world;
        gate_world_open(&world);
        gate_world_count(&world, 12, 34);
        CLEANUP(gate_sampler_close)
        GateSampler sampler = { .seam = seam_real(), .root_fd = world.root_fd };
        GateSample sample;
        int64_t before = gate_now_ms();
        assert_int_equal(gate_sampler_take(&sampler, &sample, NULL), 0);
        assert_true(sample.time_ms >= before && sample.time_ms <= gate_now_ms());
        assert_true(sample.known[GATE_LISTEN_OVERFLOWS] && sample.known[GATE_RETRANSMITS]);
        assert_int_equal(sample.value[GATE_LISTEN_OVERFLOWS], 12);
        assert_int_equal(sample.whole[GATE_RETRANSMITS], 34);
        assert_false(sample.known[GATE_PAWS_ESTAB]);

        /* a counter that is there and cannot be read is no sample */
        assert_int_equal(unlinkat(world.root_fd, "proc/self/net/snmp", 0), 0);
        assert_int_equal(mkdirat(world.root_fd, "proc/self/net/snmp", 0755), 0);
        Error error = { 0 };
        assert_true(gate_sampler_take(&sampler, &sample, &error) < 0);
        assert_non_null(strstr(error.text, "/proc/self/net/snmp"));
        assert_int_equal(unlinkat(world.root_fd, "proc/self/net/snmp", AT_REMOVEDIR), 0);
        gate_world_close(&world);
}

/* A pool that cannot be known makes the ports unknown, and nothing else. */
static void test_take_without_ports(void **state UNUSED) {
        static const struct {
                const char *file, *text;
        } rows[] = {
                { "proc/sys/net/ipv4/ip_local_port_range", "nonsense\n" },
                { "proc/sys/net/ipv4/ip_local_port_range", "60999 32768\n" },
                { "proc/sys/net/ipv4/ip_local_port_range", NULL },
                { "proc/sys/net/ipv4/ip_local_reserved_ports", NULL },
        };
        TEST_EACH(row, rows) {
                GateWorld world;
                gate_world_open(&world);
                if (row->text)
                        gate_world_write(&world, row->file, row->text);
                else
                        assert_int_equal(unlinkat(world.root_fd, row->file, 0), 0);
                GateSampler sampler = { .seam = seam_real(), .root_fd = world.root_fd };
                GateSample sample;
                assert_int_equal(gate_sampler_take(&sampler, &sample, NULL), 0);
                assert_false(sample.known[GATE_PORTS]);
                assert_true(sample.known[GATE_LISTEN_OVERFLOWS]);
                assert_true(error_is_set(&sampler.ports_error));
                gate_sampler_close(&sampler);
                gate_world_close(&world);
        }
}

/* --- with the kernel's sockets -------------------------------------------------------------------------- */

typedef struct Pair {
        int listening, connecting;
        uint16_t port; /* of the side that connected */
} Pair;

static void pair_close(Pair *pair) {
        pair->listening = fd_close(pair->listening);
        pair->connecting = fd_close(pair->connecting);
}

static bool pair_open(Pair *pair) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr = { htonl(INADDR_LOOPBACK) } };
        socklen_t size = sizeof(address);
        pair->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pair->connecting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(pair->listening, (const struct sockaddr *) &address, size) < 0 ||
            listen(pair->listening, 4) < 0 ||
            getsockname(pair->listening, (struct sockaddr *) &address, &size) < 0 ||
            connect(pair->connecting, (const struct sockaddr *) &address, size) < 0 ||
            getsockname(pair->connecting, (struct sockaddr *) &address, &size) < 0)
                return false;
        pair->port = ntohs(address.sin_port);
        return true;
}

static void test_take_ports(void **state UNUSED) {
        CLEANUP(pair_close) Pair pair = { FD_EMPTY, FD_EMPTY, 0 };
        if (!pair_open(&pair)) {
                print_message("cannot connect on the loopback: %s\n", strerror(errno));
                skip();
        }
        GateWorld world;
        gate_world_open(&world);
        /* two ports, of which this is one */
        char range[32];
        (void) snprintf(range, sizeof(range), "%u\t%u\n", pair.port, pair.port + 1U);
        gate_world_write(&world, "proc/sys/net/ipv4/ip_local_port_range", range);
        CLEANUP(gate_sampler_close)
        GateSampler sampler = { .seam = seam_real(), .root_fd = world.root_fd };
        GateSample sample;
        assert_int_equal(gate_sampler_take(&sampler, &sample, NULL), 0);
        if (!sample.known[GATE_PORTS]) {
                print_message("no ports: %s\n", sampler.ports_error.text);
                gate_world_close(&world);
                skip();
        }
        assert_int_equal(sample.value[GATE_PORTS], 500);

        /* the settings count that are there now */
        (void) snprintf(range, sizeof(range), "%u\n", pair.port + 1U);
        gate_world_write(&world, "proc/sys/net/ipv4/ip_local_reserved_ports", range);
        sampler.next_ports_ms = 0;
        assert_int_equal(gate_sampler_take(&sampler, &sample, NULL), 0);
        assert_true(sample.known[GATE_PORTS]);
        assert_int_equal(sample.value[GATE_PORTS], 1000);

        /* a count that took long is not repeated at once */
        sampler.next_ports_ms = gate_now_ms() + 60000;
        assert_int_equal(gate_sampler_take(&sampler, &sample, NULL), 0);
        assert_false(sample.known[GATE_PORTS]);
        assert_true(sample.known[GATE_LISTEN_OVERFLOWS]);
        gate_world_close(&world);
}

TEST_MAIN(cmocka_unit_test(test_take_counters), cmocka_unit_test(test_take_without_ports),
          cmocka_unit_test(test_take_ports))
