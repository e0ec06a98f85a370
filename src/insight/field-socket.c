/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "system/socket-diag.h"

void field_pair_close(FieldPair *pair) {
        pair->client = fd_close(pair->client);
        pair->server = fd_close(pair->server);
}

static struct sockaddr_in server_address(uint32_t i) {
        return (struct sockaddr_in){
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t) (FIELD_PORT + i)),
                .sin_addr.s_addr = htonl(LAB_SERVER_ADDRESS),
        };
}

int field_listen(uint32_t i, int backlog, Error *reterr) {
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const struct sockaddr_in address = server_address(i);
        const int on = 1;
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
            listen(fd, backlog) < 0)
                return error_set(reterr, -errno, "cannot listen on port %u", FIELD_PORT + i);
        return TAKE_FD(fd);
}

/* SO_REUSEADDR: the same port to another destination is another tuple. */
static int bind_client(int fd, uint16_t port) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(LAB_CLIENT_ADDRESS),
        };
        const int on = 1;
        if (port == 0)
                return 0;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
                return -1;
        return bind(fd, (const struct sockaddr *) &address, sizeof(address));
}

int field_pair_open(uint32_t i, int listener, uint16_t from, FieldPair *ret, Error *reterr) {
        const struct sockaddr_in address = server_address(i);
        cleanup_close int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client < 0 || bind_client(client, from) < 0 ||
            connect(client, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set(reterr, -errno, "cannot connect to port %u", FIELD_PORT + i);
        int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (server < 0)
                return error_set(reterr, -errno, "cannot accept on port %u", FIELD_PORT + i);
        *ret = (FieldPair){ TAKE_FD(client), server };
        return 0;
}

int field_deafen(int fd, Error *reterr) {
        struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0); /* keep 0 bytes of each packet */
        const struct sock_fprog program = { .len = 1, .filter = &drop };
        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
                return error_set(reterr, -errno, "cannot attach a socket filter");
        return 0;
}

int field_open_half(uint32_t i, Error *reterr) {
        const struct sockaddr_in address = server_address(i);
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return error_set(reterr, -errno, "cannot make a socket");
        int r = field_deafen(fd, reterr);
        if (r < 0)
                return r;
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 &&
            errno != EINPROGRESS)
                return error_set(reterr, -errno, "cannot connect to port %u", FIELD_PORT + i);
        return TAKE_FD(fd);
}

/* The FIN's acknowledgement would wait for up to 40 ms, for an answer to go with (tcp_fin() in net/ipv4/tcp_input.c enters
 * pingpong mode). */
int field_wait_for_end(int fd, Error *reterr) {
        char byte = 0;
        const int on = 1;
        ssize_t n = recv(fd, &byte, sizeof(byte), 0);
        if (n != 0)
                return error_set(reterr, n < 0 ? -errno : -EPROTO, "the other end did not close");
        if (setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)) < 0)
                return error_set(reterr, -errno, "cannot acknowledge at once");
        return 0;
}

static int count_some(void *userdata, const TcpSocket *sockets, size_t n) {
        uint32_t *counts = userdata;
        for (size_t i = 0; i < n; i++)
                if (sockets[i].state < TCP_STATES)
                        counts[sockets[i].state]++;
        return 0;
}

int field_count_states(const LabSide *side, uint32_t ret[TCP_STATES], Error *reterr) {
        int r = lab_net_enter(side, reterr);
        CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
        if (r == 0)
                r = socket_diag_open(&diag, reterr);
        if (r < 0)
                return r;
        const SocketDiagRequest request = { .states = SOCKET_DIAG_STATES };
        memset(ret, 0, TCP_STATES * sizeof(*ret));
        return socket_diag_dump(&diag, &request, count_some, ret, reterr);
}
