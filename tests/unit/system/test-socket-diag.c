/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/socket-diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"
#include "test.h"

static void test_decode(void **state UNUSED) {
        struct inet_diag_msg message = {
                .idiag_family = AF_INET,
                .idiag_state = TCP_STATE_TIME_WAIT,
                .idiag_timer = 3,
                .id = { .idiag_sport = htons(40000),
                        .idiag_dport = htons(443),
                        .idiag_src = { htonl(0x0a000001) },
                        .idiag_dst = { htonl(0x0a000002), 7 } },
                .idiag_expires = 59000,
                .idiag_uid = 5,
                .idiag_inode = 6,
        };
        TcpSocket socket;
        assert_int_equal(socket_diag_decode(&message, sizeof(message), &socket), 0);
        static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 10, 0, 0, 2 };
        assert_memory_equal(socket.remote.bytes, mapped, sizeof(mapped));
        assert_int_equal(socket.local_port, 40000);
        assert_int_equal(socket.remote_port, 443);
        assert_int_equal(socket.expires_ms, 59000);
        assert_int_equal(socket.state, TCP_STATE_TIME_WAIT);

        message.idiag_family = AF_INET6;
        assert_int_equal(socket_diag_decode(&message, sizeof(message), &socket), 0);
        assert_memory_equal(socket.remote.bytes, message.id.idiag_dst, 16);

        assert_int_equal(socket_diag_decode(&message, sizeof(message) - 1, &socket), -EBADMSG);
        assert_int_equal(socket_diag_decode(&message, 0, &socket), -EBADMSG);
        message.idiag_state = 32;
        assert_int_equal(socket_diag_decode(&message, sizeof(message), &socket), -EBADMSG);
        message.idiag_state = 1;
        message.idiag_family = AF_UNIX;
        assert_int_equal(socket_diag_decode(&message, sizeof(message), &socket), -EBADMSG);
}

/* --- the kernel's answers ------------------------------------------------------------------------------- */

typedef struct Seen {
        uint16_t port;
        int n_listening, n_others, n_all;
        int fail;
} Seen;

static int count(void *userdata, const TcpSocket *sockets, size_t n) {
        Seen *seen = userdata;
        if (seen->fail < 0)
                return seen->fail;
        assert_in_range(n, 1, SOCKET_DIAG_BATCH);
        for (size_t i = 0; i < n; i++) {
                seen->n_all++;
                if (sockets[i].local_port == seen->port) {
                        seen->n_listening += sockets[i].state == TCP_STATE_LISTEN;
                        seen->n_others += sockets[i].state != TCP_STATE_LISTEN;
                }
        }
        return 0;
}

static bool is_possible(SocketDiag *diag) {
        Error error = { 0 };
        if (socket_diag_open(diag, &error) < 0) {
                print_message("no sock_diag here: %s\n", error.text);
                return false;
        }
        Seen seen = { 0 };
        const SocketDiagRequest request = { .states = TCP_STATE_BIT(TCP_STATE_LISTEN) };
        if (socket_diag_dump(diag, &request, count, &seen, &error) < 0) {
                print_message("no sock_diag here: %s\n", error.text);
                return false;
        }
        return true;
}

static void test_dump_finds_sockets(void **state UNUSED) {
        CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
        if (!is_possible(&diag))
                skip();
        static const int families[] = { AF_INET, AF_INET6 };
        TEST_EACH(family, families) {
                Seen seen = { 0 };
                cleanup_close int fd = loopback_listen(*family, &seen.port);
                if (fd < 0) {
                        print_message("family %d: %s\n", *family, strerror(-fd));
                        continue;
                }
                SocketDiagRequest request = { .states = TCP_STATE_BIT(TCP_STATE_LISTEN) };
                assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, NULL), 0);
                assert_int_equal(seen.n_listening, 1);

                /* by the kernel's filter: the port itself, then the ports around it */
                request.port_first = request.port_last = seen.port;
                seen = (Seen){ .port = seen.port };
                assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, NULL), 0);
                assert_int_equal(seen.n_listening, 1);
                assert_int_equal(seen.n_all, 1);
                request.port_first = (uint16_t) (seen.port + 1);
                request.port_last = UINT16_MAX;
                seen = (Seen){ .port = seen.port };
                assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, NULL), 0);
                assert_int_equal(seen.n_listening, 0);
                request.port_first = 1;
                request.port_last = (uint16_t) (seen.port - 1);
                assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, NULL), 0);
                assert_int_equal(seen.n_listening, 0);

                /* another state */
                request = (SocketDiagRequest){ .states = TCP_STATE_BIT(TCP_STATE_TIME_WAIT) };
                assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, NULL), 0);
                assert_int_equal(seen.n_listening, 0);
        }
}

static void test_dump_needs_an_open_one(void **state UNUSED) {
        SocketDiag diag = SOCKET_DIAG_EMPTY;
        Seen seen = { 0 };
        const SocketDiagRequest request = { .states = UINT32_MAX };
        Error error = { 0 };
        assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, &error), -EBADF);
        assert_true(error_is_set(&error));
        socket_diag_close(&diag);
}

static void test_dump_ends_with_the_visit(void **state UNUSED) {
        CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
        if (!is_possible(&diag))
                skip();
        Seen seen = { .fail = -ECANCELED };
        cleanup_close int fd = loopback_listen(AF_INET, &seen.port);
        if (fd < 0)
                skip();
        const SocketDiagRequest request = { .states = TCP_STATE_BIT(TCP_STATE_LISTEN) };
        Error error = { 0 };
        assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, &error), -ECANCELED);
        assert_true(error_is_set(&error));
        /* what is left of that answer is not taken for the next one */
        seen.fail = 0;
        assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, NULL), 0);
        assert_int_equal(seen.n_listening, 1);
}

/* More than are handed on at once. */
static void test_dump_hands_on_all(void **state UNUSED) {
        enum { N = 2 * SOCKET_DIAG_BATCH + 5 };
        CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
        if (!is_possible(&diag))
                skip();
        int fds[N];
        uint16_t ports[N];
        for (size_t i = 0; i < N; i++)
                fds[i] = loopback_listen(AF_INET, &ports[i]);
        const SocketDiagRequest request = { .states = TCP_STATE_BIT(TCP_STATE_LISTEN) };
        for (size_t i = 0; i < N; i++) {
                Seen seen = { .port = ports[i] };
                assert_int_equal(socket_diag_dump(&diag, &request, count, &seen, NULL), 0);
                assert_int_equal(seen.n_listening, fds[i] >= 0 ? 1 : 0);
                assert_true(fds[i] < 0 || seen.n_all >= N);
        }
        for (size_t i = 0; i < N; i++)
                if (fds[i] >= 0)
                        (void) close(fds[i]);
}

TEST_MAIN(cmocka_unit_test(test_decode), cmocka_unit_test(test_dump_finds_sockets),
          cmocka_unit_test(test_dump_needs_an_open_one),
          cmocka_unit_test(test_dump_ends_with_the_visit), cmocka_unit_test(test_dump_hands_on_all))
