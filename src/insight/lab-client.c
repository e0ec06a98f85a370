/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "insight/lab-net.h"

#define EVENTS   64
#define NS_PER_S UINT64_C(1000000000)
#define RETRY_NS UINT64_C(1000000)
/* For connections under way when the time is over: an exchange takes far less on a veth pair. */
#define DRAIN_NS UINT64_C(250000000)

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

typedef enum Phase {
        PHASE_FREE,
        PHASE_SEND, /* the request waits for the connection */
        PHASE_ANSWER,
        PHASE_END, /* the server's FIN is awaited */
} Phase;

typedef struct Slot {
        Phase phase;
        int fd;
        uint32_t requests_left;
        uint32_t received; /* of the answer */
        uint64_t since_ns; /* of the exchange */
} Slot;

typedef struct Client {
        const LabLoad *load;
        LabTally *tally;
        int epoll_fd;
        uint32_t n_busy;
        uint32_t next_destination;
        uint64_t end_ns;
        uint64_t pause_until_ns;
        Slot slots[LAB_CONCURRENCY_MAX];
} Client;

/* --- one connection ------------------------------------------------------------------------------------- */

static void slot_release(Client *client, Slot *slot) {
        slot->fd = fd_close(slot->fd);
        slot->phase = PHASE_FREE;
        client->n_busy--;
}

static void slot_fail(Client *client, Slot *slot, int error) {
        lab_tally_add_failure(client->tally, error);
        slot_release(client, slot);
}

static void slot_complete(Client *client, Slot *slot) {
        slot_release(client, slot);
        atomic_fetch_add_explicit(&client->tally->connections, 1, memory_order_relaxed);
}

static void send_request(Client *client, Slot *slot) {
        char request[LAB_REQUEST_BYTES] = "request";
        LabOrder order = slot->requests_left == 1 ? client->load->order : LAB_ORDER_KEEP;
        request[LAB_REQUEST_BYTES - 1] = (char) order;
        ssize_t n = send(slot->fd, request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n == (ssize_t) sizeof(request)) {
                slot->phase = PHASE_ANSWER;
                slot->received = 0;
        } else if (n >= 0) {
                slot_fail(client, slot, EMSGSIZE); /* an empty send buffer that takes no 64 bytes */
        } else if (errno != EAGAIN) {
                slot_fail(client, slot, errno);
        }
}

static void take_answer(Client *client, Slot *slot) {
        lab_histogram_add(&client->tally->exchange, lab_now_ns() - slot->since_ns);
        atomic_fetch_add_explicit(&client->tally->requests, 1, memory_order_relaxed);
        slot->requests_left--;
        if (slot->requests_left > 0) {
                slot->since_ns = lab_now_ns();
                slot->phase = PHASE_SEND;
        } else if (client->load->order == LAB_ORDER_CLOSE) {
                slot->phase = PHASE_END;
        } else {
                slot_complete(client, slot);
        }
}

/* Whether there may be more to read. */
static bool receive(Client *client, Slot *slot) {
        char bytes[LAB_ANSWER_BYTES];
        ssize_t n = recv(slot->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0) {
                if (errno != EAGAIN)
                        slot_fail(client, slot, errno);
                return false;
        }
        if (n == 0) {
                if (slot->phase == PHASE_END)
                        slot_complete(client, slot);
                else
                        slot_fail(client, slot, ECONNRESET); /* closed before the answer */
                return false;
        }
        slot->received += (uint32_t) n;
        if (slot->phase != PHASE_ANSWER || slot->received < LAB_ANSWER_BYTES)
                return true;
        take_answer(client, slot);
        return slot->phase == PHASE_END;
}

/* As far as it goes now. The socket is watched edge by edge: it has to be read until there is nothing, but what is sent
 * is answered later, with an edge of its own. */
static void advance(Client *client, Slot *slot) {
        while (slot->phase == PHASE_ANSWER || slot->phase == PHASE_END)
                if (!receive(client, slot))
                        break;
        if (slot->phase == PHASE_SEND)
                send_request(client, slot);
}

/* --- opening -------------------------------------------------------------------------------------------- */

static int bind_address(int fd, LabBind how) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(LAB_CLIENT_ADDRESS),
        };
        const int on = 1;
        if (how == LAB_BIND_NO_PORT &&
            setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
                return -errno;
        return bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
}

/* The socket, or the negative errno of the step that failed. */
static int open_to(LabBind how, uint32_t destination) {
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        int r = how == LAB_BIND_NONE ? 0 : bind_address(fd, how);
        if (r < 0)
                return r;
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t) (LAB_SERVER_PORT + destination)),
                .sin_addr.s_addr = htonl(LAB_SERVER_ADDRESS),
        };
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 &&
            errno != EINPROGRESS)
                return -errno;
        return TAKE_FD(fd);
}

static void count_refusal(Client *client, int error, uint64_t now_ns) {
        LabTally *tally = client->tally;
        if (tally->refused++ == 0) {
                tally->refusal_ns = now_ns;
                tally->opened_before_refusal = tally->opened;
        }
        lab_tally_add_failure(tally, error);
        client->pause_until_ns = now_ns + RETRY_NS;
}

static void count_opened(Client *client, uint64_t began_ns, uint64_t now_ns) {
        LabTally *tally = client->tally;
        uint64_t range = (uint64_t) tally->ports * client->load->destinations;
        uint64_t bin = range > 0 ? tally->opened * LAB_COST_BINS / range : LAB_COST_BINS;
        if (bin < LAB_COST_BINS && tally->refused == 0)
                lab_histogram_add(&tally->cost[bin], now_ns - began_ns);
        tally->opened++;
        tally->last_opened_ns = now_ns;
}

static void slot_open(Client *client, Slot *slot) {
        uint64_t began_ns = lab_now_ns();
        int fd = open_to(client->load->bind, client->next_destination);
        uint64_t now_ns = lab_now_ns();
        lab_histogram_add(&client->tally->connect_call, now_ns - began_ns);
        client->next_destination = (client->next_destination + 1) % client->load->destinations;
        if (fd < 0) {
                count_refusal(client, -fd, now_ns);
                return;
        }
        count_opened(client, began_ns, now_ns);
        *slot = (Slot){ PHASE_SEND, fd, client->load->requests, 0, began_ns };
        client->n_busy++;
        send_request(client, slot); /* on a veth pair the connection mostly stands by now */
        if (slot->phase == PHASE_FREE)
                return;
        struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = slot };
        if (slot->phase == PHASE_SEND)
                event.events |= EPOLLOUT;
        if (epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
                slot_fail(client, slot, errno);
}

/* Tries that failed count: the pace is what the load asks for, not what it gets. */
static bool is_too_early(const Client *client, uint64_t now_ns) {
        const LabTally *tally = client->tally;
        uint64_t due = (now_ns - tally->started_ns) * client->load->per_second / NS_PER_S;
        return client->load->per_second > 0 && tally->opened + tally->refused > due;
}

static bool may_open(const Client *client, uint64_t now_ns) {
        uint64_t limit = client->load->max_connections;
        return now_ns < client->end_ns && now_ns >= client->pause_until_ns &&
               !is_too_early(client, now_ns) && (limit == 0 || client->tally->opened < limit);
}

static void open_more(Client *client) {
        for (uint32_t i = 0; i < client->load->concurrency; i++)
                if (client->slots[i].phase == PHASE_FREE && may_open(client, lab_now_ns()))
                        slot_open(client, &client->slots[i]);
}

/* --- the run -------------------------------------------------------------------------------------------- */

static bool is_over(const Client *client, uint64_t now_ns) {
        uint64_t limit = client->load->max_connections;
        bool opens_no_more = now_ns >= client->end_ns ||
                             (limit > 0 && client->tally->opened >= limit);
        return (opens_no_more && client->n_busy == 0) || now_ns >= client->end_ns + DRAIN_NS;
}

/* Until the next retry, or a moment that keeps the end in sight. */
static int wait_ms(const Client *client, uint64_t now_ns) {
        if (client->load->per_second > 0 ||
            (client->n_busy < client->load->concurrency && client->pause_until_ns > now_ns))
                return 1;
        return client->n_busy < client->load->concurrency && may_open(client, now_ns) ? 0 : 50;
}

static void give_up_rest(Client *client) {
        for (uint32_t i = 0; i < client->load->concurrency; i++)
                if (client->slots[i].phase != PHASE_FREE)
                        slot_fail(client, &client->slots[i], ETIMEDOUT);
}

static int client_loop(Client *client, Error *reterr) {
        for (uint64_t now_ns = lab_now_ns(); !is_over(client, now_ns); now_ns = lab_now_ns()) {
                open_more(client);
                struct epoll_event events[EVENTS];
                int n = epoll_wait(client->epoll_fd, events, EVENTS, wait_ms(client, lab_now_ns()));
                if (n < 0 && errno != EINTR)
                        return error_set(reterr, -errno, "cannot wait for answers");
                for (int i = 0; i < n; i++)
                        advance(client, events[i].data.ptr);
        }
        return 0;
}

int lab_client_run(const LabLoad *load, LabTally *tally, Error *reterr) {
        assert(load->concurrency > 0 && load->concurrency <= LAB_CONCURRENCY_MAX);
        assert(load->requests > 0 && load->destinations > 0);
        cleanup_close int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        cleanup_free Client *client = calloc(1, sizeof(*client));
        if (epoll_fd < 0)
                return error_set(reterr, -errno, "cannot start the lab's client");
        if (!client)
                return error_set(reterr, -ENOMEM, "cannot start the lab's client");
        tally->started_ns = lab_now_ns();
        *client = (Client){
                .load = load,
                .tally = tally,
                .epoll_fd = epoll_fd,
                .end_ns = tally->started_ns + (uint64_t) load->duration_ms * 1000000,
        };
        int r = client_loop(client, reterr);
        give_up_rest(client);
        tally->ended_ns = lab_now_ns();
        return r;
}
