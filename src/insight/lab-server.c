/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "insight/lab-net.h"

#define BACKLOG     65535
#define EVENTS      64
#define MAX_FDS     65536U
#define MAX_WAITING 65536U /* connections whose end is put off; a power of two */

typedef struct Waiting {
        int fd;
        uint64_t due_ns;
} Waiting;

typedef struct Server {
        const LabLoad *load;
        int epoll_fd;
        uint8_t *received; /* of the request under way, by descriptor */
        bool *is_late;     /* its end is put off, by descriptor */
        Waiting *waiting;  /* ring: they become due in the order in which they came */
        uint32_t head, tail;
} Server;

static void server_deinit(Server *server) {
        (void) fd_close(server->epoll_fd);
        free(server->received);
        free(server->is_late);
        free(server->waiting);
}

/* --- one connection ------------------------------------------------------------------------------------- */

/* Its FIN has come. */
static void finish(Server *server, int fd) {
        if (!server->is_late[fd] || server->tail - server->head == MAX_WAITING) {
                (void) fd_close(fd);
                return;
        }
        /* no more events: an end that was seen stays readable */
        (void) epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        server->waiting[server->tail++ % MAX_WAITING] = (Waiting){
                fd, lab_now_ns() + (uint64_t) server->load->linger_ms * 1000000
        };
}

/* Whether the connection is still open. */
static bool answer(Server *server, int fd, char order) {
        static const char bytes[LAB_ANSWER_BYTES] = "answer";
        if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) !=
                            (ssize_t) sizeof(bytes) ||
            order == LAB_ORDER_CLOSE) {
                (void) fd_close(fd);
                return false;
        }
        server->is_late[fd] = order == LAB_ORDER_LATE;
        return true;
}

/* Whether the connection is still open. */
static bool serve(Server *server, int fd) {
        char bytes[LAB_REQUEST_BYTES];
        for (;;) {
                size_t missing = LAB_REQUEST_BYTES - server->received[fd];
                ssize_t n = recv(fd, bytes, missing, MSG_DONTWAIT);
                if (n < 0 && errno == EAGAIN)
                        return true;
                if (n <= 0) {
                        if (n == 0)
                                finish(server, fd);
                        else
                                (void) fd_close(fd);
                        return false;
                }
                server->received[fd] = (uint8_t) (server->received[fd] + n);
                if ((size_t) n < missing)
                        continue;
                server->received[fd] = 0;
                if (!answer(server, fd, bytes[n - 1]))
                        return false;
                return true; /* a client sends the next request when it has the answer */
        }
}

static void accept_all(Server *server, int listener) {
        for (;;) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0)
                        return; /* none left, or it went away again */
                if ((unsigned) fd >= MAX_FDS) {
                        (void) fd_close(fd);
                        continue;
                }
                server->received[fd] = 0;
                server->is_late[fd] = false;
                struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.fd = fd };
                if (serve(server, fd) && epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
                        (void) fd_close(fd);
        }
}

/* Closes what is due; how long until the next, in milliseconds, -1 for no time. */
static int close_due(Server *server) {
        uint64_t now_ns = lab_now_ns();
        while (server->head != server->tail) {
                const Waiting *first = &server->waiting[server->head % MAX_WAITING];
                if (first->due_ns > now_ns)
                        return (int) ((first->due_ns - now_ns) / 1000000) + 1;
                (void) fd_close(first->fd);
                server->head++;
        }
        return -1;
}

/* --- all of them ---------------------------------------------------------------------------------------- */

static int listen_on(uint32_t port, Error *reterr) {
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return error_set(reterr, -errno, "cannot make a socket");
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t) port),
                .sin_addr.s_addr = htonl(LAB_SERVER_ADDRESS),
        };
        const int on = 1;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
            listen(fd, BACKLOG) < 0)
                return error_set(reterr, -errno, "cannot listen on port %u", (unsigned) port);
        return TAKE_FD(fd);
}

int lab_server_listen(const LabLoad *load, int *ret_fds, Error *reterr) {
        assert(load->destinations > 0 && load->destinations <= LAB_DESTINATIONS_MAX);
        for (uint32_t i = 0; i < load->destinations; i++) {
                int r = listen_on(LAB_SERVER_PORT + i, reterr);
                if (r < 0) {
                        while (i > 0) {
                                i--;
                                ret_fds[i] = fd_close(ret_fds[i]);
                        }
                        return r;
                }
                ret_fds[i] = r;
        }
        return 0;
}

static int server_init(Server *server, const LabLoad *load, const int *fds, Error *reterr) {
        *server = (Server){
                .load = load,
                .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                .received = calloc(MAX_FDS, sizeof(*server->received)),
                .is_late = calloc(MAX_FDS, sizeof(*server->is_late)),
                .waiting = calloc(MAX_WAITING, sizeof(*server->waiting)),
        };
        if (!server->received || !server->is_late || !server->waiting)
                return error_set(reterr, -ENOMEM, "cannot start the lab's server");
        if (server->epoll_fd < 0)
                return error_set(reterr, -errno, "cannot start the lab's server");
        for (uint32_t i = 0; i < load->destinations; i++) {
                struct epoll_event event = { .events = EPOLLIN, .data.fd = fds[i] };
                if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0)
                        return error_set(reterr, -errno, "cannot watch a listening socket");
        }
        return 0;
}

static bool is_listener(const LabLoad *load, const int *fds, int fd) {
        for (uint32_t i = 0; i < load->destinations; i++)
                if (fds[i] == fd)
                        return true;
        return false;
}

int lab_server_run(const LabLoad *load, const int *fds, Error *reterr) {
        CLEANUP(server_deinit) Server server;
        int r = server_init(&server, load, fds, reterr);
        if (r < 0)
                return r;
        for (;;) {
                struct epoll_event events[EVENTS];
                int n = epoll_wait(server.epoll_fd, events, EVENTS, close_due(&server));
                if (n < 0 && errno != EINTR)
                        return error_set(reterr, -errno, "cannot wait for connections");
                for (int i = 0; i < n; i++)
                        if (is_listener(load, fds, events[i].data.fd))
                                accept_all(&server, events[i].data.fd);
                        else
                                (void) serve(&server, events[i].data.fd);
        }
}
