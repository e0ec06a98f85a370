/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/gate-watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "gate-world.h"

#define TX1 "0b0e4c9e-0000-4000-8000-000000000001"
#define TX2 "0b0e4c9e-0000-4000-8000-000000000002"

static const char quiet[] =
                "{\"counters\":{\"TcpExt.ListenOverflows\":{\"mean\":0,\"peak\":0}},\"intervals\":10,"
                "\"span_ms\":5000,\"v\":1}";
/* more than this test can count */
static const char noisy[] =
                "{\"counters\":{\"TcpExt.ListenOverflows\":{\"mean\":0,\"peak\":4000000000000000000}},"
                "\"intervals\":10,\"span_ms\":5000,\"v\":1}";

static unsigned n_logged;
static char last_log[256];

static void keep_log(const char *line) {
        n_logged++;
        (void) snprintf(last_log, sizeof(last_log), "%s", line);
}

static GateWatcher watcher_of(const GateWorld *world) {
        n_logged = 0;
        return (GateWatcher){
                .sampler = { .seam = seam_real(), .root_fd = world->root_fd },
                .log = keep_log,
        };
}

static void wait_ms(int ms) {
        (void) usleep((useconds_t) ms * 1000);
}

/* Asks four times while the overflows go on; how often it said yes. */
static unsigned ask_in_a_storm(
                GateWatcher *watcher, const GateWorld *world, const char *tx, const char *baseline,
                StrBuf *evidence) {
        unsigned n = 0;
        for (unsigned i = 0; i < 4; i++) {
                gate_world_count(world, i * 1000, 0);
                n += gate_watcher_ask(watcher, tx, baseline, evidence);
                wait_ms(3);
        }
        return n;
}

static void test_ask_sees_a_storm(void **state UNUSED) {
        GateWorld world;
        gate_world_open(&world);
        CLEANUP(gate_watcher_close) GateWatcher watcher = watcher_of(&world);
        CLEANUP(strbuf_deinit) StrBuf evidence = { 0 };
        assert_int_equal(ask_in_a_storm(&watcher, &world, TX1, quiet, &evidence), 2);
        assert_non_null(strstr(strbuf_text(&evidence), "TcpExt.ListenOverflows"));
        assert_non_null(strstr(strbuf_text(&evidence), "before the change 0.0/s"));

        /* the next change is judged by its own baseline, and from its own beginning */
        strbuf_reset(&evidence);
        assert_int_equal(ask_in_a_storm(&watcher, &world, TX2, noisy, &evidence), 0);
        assert_int_equal(evidence.length, 0);
        assert_int_equal(n_logged, 0);
        gate_world_close(&world);
}

static void test_ask_cannot_judge(void **state UNUSED) {
        GateWorld world;
        gate_world_open(&world);
        CLEANUP(gate_watcher_close) GateWatcher watcher = watcher_of(&world);
        CLEANUP(strbuf_deinit) StrBuf evidence = { 0 };
        assert_int_equal(ask_in_a_storm(&watcher, &world, TX1, "{}", &evidence), 0);
        assert_int_equal(n_logged, 1);
        assert_non_null(strstr(last_log, "cannot judge"));

        assert_int_equal(unlinkat(world.root_fd, "proc/self/net/snmp", 0), 0);
        assert_int_equal(mkdirat(world.root_fd, "proc/self/net/snmp", 0755), 0);
        for (int i = 0; i < 3; i++)
                assert_false(gate_watcher_ask(&watcher, TX2, quiet, &evidence));
        assert_int_equal(n_logged, 2);
        assert_non_null(strstr(last_log, "/proc/self/net/snmp"));
        assert_int_equal(evidence.length, 0);
        assert_int_equal(unlinkat(world.root_fd, "proc/self/net/snmp", AT_REMOVEDIR), 0);
        gate_world_close(&world);
}

/* A pool of one port, which a connection of ours takes. */
static void test_ask_names_the_destination(void **state UNUSED) {
        cleanup_close int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        cleanup_close int connecting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in server = { .sin_family = AF_INET,
                                      .sin_addr = { htonl(INADDR_LOOPBACK) } };
        struct sockaddr_in client = server;
        socklen_t size = sizeof(server);
        if (bind(listening, (const struct sockaddr *) &server, size) < 0 ||
            listen(listening, 4) < 0 ||
            getsockname(listening, (struct sockaddr *) &server, &size) < 0 ||
            connect(connecting, (const struct sockaddr *) &server, size) < 0 ||
            getsockname(connecting, (struct sockaddr *) &client, &size) < 0) {
                print_message("cannot connect on the loopback: %s\n", strerror(errno));
                skip();
        }
        GateWorld world;
        gate_world_open(&world);
        char text[64];
        (void) snprintf(text, sizeof(text), "%u %u\n", ntohs(client.sin_port),
                        ntohs(client.sin_port));
        gate_world_write(&world, "proc/sys/net/ipv4/ip_local_port_range", text);
        static const char baseline[] =
                        "{\"counters\":{\"ports.busiest\":{\"mean\":0,\"peak\":0}},\"intervals\":10,"
                        "\"span_ms\":5000,\"v\":1}";
        CLEANUP(gate_watcher_close) GateWatcher watcher = watcher_of(&world);
        CLEANUP(strbuf_deinit) StrBuf evidence = { 0 };
        bool worse = false;
        for (int i = 0; i < 3; i++) {
                watcher.sampler.next_ports_ms = 0;
                worse = gate_watcher_ask(&watcher, TX1, baseline, &evidence) || worse;
                wait_ms(3);
        }
        if (error_is_set(&watcher.sampler.ports_error)) {
                print_message("no ports: %s\n", watcher.sampler.ports_error.text);
                gate_world_close(&world);
                skip();
        }
        assert_true(worse);
        assert_non_null(strstr(strbuf_text(&evidence), "at 100.0 %"));
        (void) snprintf(text, sizeof(text), "; 1 of 1 ports, from 127.0.0.1 to 127.0.0.1:%u",
                        ntohs(server.sin_port));
        assert_non_null(strstr(strbuf_text(&evidence), text));
        gate_world_close(&world);
}

TEST_MAIN(cmocka_unit_test(test_ask_sees_a_storm), cmocka_unit_test(test_ask_cannot_judge),
          cmocka_unit_test(test_ask_names_the_destination))
