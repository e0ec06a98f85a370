/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-nat.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "insight/lab-net.h"

#define FIRST_PORT  20000U
#define PATIENCE_NS ((uint64_t) LAB_NAT_PATIENCE_MS * 1000000)

typedef struct Visit {
        int fd;
        bool sent;
        uint32_t received;
        uint64_t since_ns;
} Visit;

static int set_clock(char mode, Error *reterr) {
        const char text[2] = { mode, '\n' };
        cleanup_close int fd = open("/proc/sys/net/ipv4/tcp_timestamps", O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, text, sizeof(text)) != (ssize_t) sizeof(text))
                return error_set(reterr, -errno, "cannot set the client's tcp_timestamps");
        return 0;
}

/* From a port of our choice: SO_REUSEADDR lets it be the port of a connection that has just ended. */
static int open_from(uint32_t port) {
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        const int on = 1;
        const struct sockaddr_in here = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t) port),
                .sin_addr.s_addr = htonl(LAB_CLIENT_ADDRESS),
        };
        const struct sockaddr_in there = {
                .sin_family = AF_INET,
                .sin_port = htons(LAB_SERVER_PORT),
                .sin_addr.s_addr = htonl(LAB_SERVER_ADDRESS),
        };
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            bind(fd, (const struct sockaddr *) &here, sizeof(here)) < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &there, sizeof(there)) < 0 &&
            errno != EINPROGRESS)
                return -errno;
        return TAKE_FD(fd);
}

static void visit_end(Visit *visit, LabTally *tally, int error) {
        visit->fd = fd_close(visit->fd);
        if (error != 0)
                lab_tally_add_failure(tally, error);
        else
                atomic_fetch_add_explicit(&tally->connections, 1, memory_order_relaxed);
}

static void visit_advance(Visit *visit, LabTally *tally) {
        if (!visit->sent) {
                char request[LAB_REQUEST_BYTES] = "request";
                request[LAB_REQUEST_BYTES - 1] = LAB_ORDER_CLOSE;
                ssize_t n = send(visit->fd, request, sizeof(request), MSG_NOSIGNAL);
                if (n < 0 && errno != EAGAIN)
                        visit_end(visit, tally, errno);
                visit->sent = n == (ssize_t) sizeof(request);
                return;
        }
        char answer[LAB_ANSWER_BYTES];
        ssize_t n = recv(visit->fd, answer, sizeof(answer), 0);
        if (n > 0) {
                visit->received += (uint32_t) n;
                if (visit->received == LAB_ANSWER_BYTES) {
                        lab_histogram_add(&tally->exchange, lab_now_ns() - visit->since_ns);
                        atomic_fetch_add_explicit(&tally->requests, 1, memory_order_relaxed);
                }
        } else if (n == 0) {
                visit_end(visit, tally, visit->received < LAB_ANSWER_BYTES ? ECONNRESET : 0);
        } else if (errno != EAGAIN) {
                visit_end(visit, tally, errno);
        }
}

static int wait_for(const Visit *visits, uint64_t end_ns) {
        struct pollfd wanted[LAB_NAT_CLIENTS];
        for (size_t i = 0; i < LAB_NAT_CLIENTS; i++)
                wanted[i] = (struct pollfd){ visits[i].fd, visits[i].sent ? POLLIN : POLLOUT, 0 };
        uint64_t now_ns = lab_now_ns();
        int left_ms = now_ns < end_ns ? (int) ((end_ns - now_ns) / 1000000) + 1 : 0;
        if (poll(wanted, LAB_NAT_CLIENTS, left_ms) < 0 && errno != EINTR)
                return -errno;
        return 0; /* what is ready is found by trying: they are few */
}

static bool any_open(const Visit *visits) {
        for (size_t i = 0; i < LAB_NAT_CLIENTS; i++)
                if (visits[i].fd >= 0)
                        return true;
        return false;
}

/* One machine's connections, from `port` on. */
static int visit_all(uint32_t port, LabTally *tally, Error *reterr) {
        Visit visits[LAB_NAT_CLIENTS];
        for (uint32_t i = 0; i < LAB_NAT_CLIENTS; i++) {
                tally->opened++;
                visits[i] = (Visit){ .since_ns = lab_now_ns() };
                visits[i].fd = open_from(port + i);
                if (visits[i].fd < 0)
                        lab_tally_add_failure(tally, -visits[i].fd);
        }
        uint64_t end_ns = lab_now_ns() + PATIENCE_NS;
        while (any_open(visits) && lab_now_ns() < end_ns) {
                int r = wait_for(visits, end_ns);
                if (r < 0)
                        return error_set(reterr, r, "cannot wait for answers");
                for (size_t i = 0; i < LAB_NAT_CLIENTS; i++)
                        if (visits[i].fd >= 0)
                                visit_advance(&visits[i], tally);
        }
        for (size_t i = 0; i < LAB_NAT_CLIENTS; i++)
                if (visits[i].fd >= 0)
                        visit_end(&visits[i], tally, ETIMEDOUT);
        return 0;
}

static int run_order(char first, char second, uint32_t port, LabTally *tally, Error *reterr) {
        cleanup_free LabTally *before = calloc(1, sizeof(*before));
        if (!before)
                return error_set(reterr, -ENOMEM, "cannot count the first visits");
        int r = set_clock(first, reterr);
        if (r == 0)
                r = visit_all(port, before, reterr);
        if (r < 0)
                return r;
        if (before->connections != LAB_NAT_CLIENTS)
                return error_set(
                                reterr, -EPROTO, "only %u of %u first visits were served",
                                (unsigned) before->connections, LAB_NAT_CLIENTS);
        r = set_clock(second, reterr);
        return r < 0 ? r : visit_all(port, tally, reterr);
}

int lab_nat_run(LabTally *tally, Error *reterr) {
        tally->started_ns = lab_now_ns();
        int r = run_order('1', '2', FIRST_PORT, tally, reterr);
        if (r == 0)
                r = run_order('2', '1', FIRST_PORT + LAB_NAT_CLIENTS, tally, reterr);
        tally->ended_ns = lab_now_ns();
        return r;
}
