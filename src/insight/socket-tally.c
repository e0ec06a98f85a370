/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/socket-tally.h"

#include <sys/socket.h>

#define FIRST_SLOTS     ((size_t) 1024) /* a power of two, as all sizes of the table */
#define MOST_SLOTS      ((size_t) 2 * TALLY_TUPLES)
#define FIRST_LISTENERS ((size_t) 32)
#define PORTS           ((size_t) UINT16_MAX + 1)
#define TIMER_BUCKET \
        3 /* net/ipv4/inet_diag.c, inet_twsk_diag_fill(): the kernel's small form of a socket */

struct SocketTally {
        PortPool pool; /* size 0: not known */
        uint64_t seed;
        uint32_t time_wait_ms, reuse_delay_ms;
        SnapshotSockets counts; /* all but the lists */

        SnapshotTuple *slots; /* total 0: empty */
        size_t n_slots, n_tuples;
        SnapshotTuple *last; /* slots of one tuple come in a row */

        SnapshotListener *listeners;
        size_t n_listeners, capacity;
        uint16_t *listener_of; /* by port: its index and 1 */

        SnapshotHolder holders[TALLY_HOLDERS];
        size_t n_holders;

        uint8_t listening[PORTS / 8]; /* which ports: small enough to stay in the cache */
        uint8_t taken[PORTS / 8];     /* ports of outgoing sockets */
        bool failed;
};

SocketTally *socket_tally_new(const Snapshot *snapshot, uint64_t seed) {
        CLEANUP(socket_tally_freep) SocketTally *tally = calloc(1, sizeof(*tally));
        if (!tally)
                return NULL;
        if (snapshot->has_pool)
                tally->pool = snapshot->pool;
        else
                tally->pool.first = 1; /* and last 0: it has no port */
        tally->seed = seed;
        tally->time_wait_ms = snapshot_time_wait_ms(snapshot);
        tally->reuse_delay_ms = snapshot_reuse_delay_ms(snapshot);
        tally->n_slots = FIRST_SLOTS;
        tally->slots = calloc(tally->n_slots, sizeof(SnapshotTuple));
        tally->listener_of = calloc(PORTS, sizeof(uint16_t));
        tally->last = tally->slots;
        return tally->slots && tally->listener_of ? TAKE_PTR(tally) : NULL;
}

SocketTally *socket_tally_free(SocketTally *tally) {
        if (!tally)
                return NULL;
        free(tally->slots);
        free(tally->listeners);
        free(tally->listener_of);
        free(tally);
        return NULL;
}

/* --- one socket ----------------------------------------------------------------------------------------- */

static bool is_orphan(const TcpSocket *socket) {
        return socket->state == TCP_STATE_FIN_WAIT2 && socket->inode == 0;
}

/* What one socket adds to each group that it is in. */
static SnapshotUse use_of(const SocketTally *tally, const TcpSocket *socket) {
        if (socket->state != TCP_STATE_TIME_WAIT) {
                uint32_t orphan = is_orphan(socket) ? 1 : 0;
                return (SnapshotUse){ .n_fin_wait2 = orphan, .n_other = 1 - orphan };
        }
        uint32_t age_ms = socket->expires_ms < tally->time_wait_ms
                                          ? tally->time_wait_ms - socket->expires_ms
                                          : 0;
        return (SnapshotUse){
                .n_time_wait = 1,
                .n_recent = age_ms <= SNAPSHOT_RECENT_MS ? 1 : 0,
                .n_reusable = age_ms >= tally->reuse_delay_ms ? 1 : 0,
        };
}

static void use_add(SnapshotUse *use, const SnapshotUse *one) {
        use->n_time_wait += one->n_time_wait;
        use->n_fin_wait2 += one->n_fin_wait2;
        use->n_other += one->n_other;
        use->n_recent += one->n_recent;
        use->n_reusable += one->n_reusable;
}

/* What is left of a group with one socket less. */
static void use_take_one(SnapshotUse *use) {
        uint32_t *least = use->n_time_wait > 0 ? &use->n_time_wait
                          : use->n_other > 0   ? &use->n_other
                                               : &use->n_fin_wait2;
        --*least;
        if (use->n_recent > use->n_time_wait)
                use->n_recent = use->n_time_wait;
        if (use->n_reusable > use->n_time_wait)
                use->n_reusable = use->n_time_wait;
}

/* --- tuples --------------------------------------------------------------------------------------------- */

static bool is_same(const SnapshotTuple *a, const SnapshotTuple *b) {
        return a->remote_port == b->remote_port &&
               memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0 &&
               memcmp(&a->local, &b->local, sizeof(a->local)) == 0;
}

/* The same for a socket, of which most are of the tuple of the one before. */
static bool is_of(const SnapshotTuple *tuple, const TcpSocket *socket) {
        return tuple->remote_port == socket->remote_port &&
               memcmp(&tuple->remote, &socket->remote, sizeof(tuple->remote)) == 0 &&
               memcmp(&tuple->local, &socket->local, sizeof(tuple->local)) == 0;
}

static bool is_empty(const SnapshotTuple *slot) {
        return snapshot_use_total(&slot->use) == 0;
}

/* The tuple's slot, or the empty one where it belongs. */
static SnapshotTuple *slot_find(
                const SocketTally *tally, SnapshotTuple *slots, size_t n_slots,
                const SnapshotTuple *tuple) {
        size_t at = tcp_tuple_hash(tally->seed, &tuple->local, &tuple->remote, tuple->remote_port) &
                    (n_slots - 1);
        while (!is_empty(&slots[at]) && !is_same(&slots[at], tuple))
                at = (at + 1) & (n_slots - 1);
        return &slots[at];
}

/* Into a table of n_slots, without those that are empty now. */
static void move_tuples(SocketTally *tally, size_t n_slots) {
        SnapshotTuple *slots = calloc(n_slots, sizeof(SnapshotTuple));
        if (!slots) {
                tally->failed = true;
                return;
        }
        size_t n = 0;
        for (size_t i = 0; i < tally->n_slots; i++)
                if (!is_empty(&tally->slots[i])) {
                        *slot_find(tally, slots, n_slots, &tally->slots[i]) = tally->slots[i];
                        n++;
                }
        free(tally->slots);
        tally->slots = tally->last = slots;
        tally->n_slots = n_slots;
        tally->n_tuples = n;
}

/* One less of each. Every sweep takes TALLY_TUPLES + 1 sockets out of the counts, so there are few. */
static void sweep(SocketTally *tally) {
        for (size_t i = 0; i < tally->n_slots; i++)
                if (!is_empty(&tally->slots[i]))
                        use_take_one(&tally->slots[i].use);
        move_tuples(tally, tally->n_slots);
        tally->counts.tuples_error++;
}

static void add_to_tuple(SocketTally *tally, const TcpSocket *socket, const SnapshotUse *one) {
        const SnapshotTuple tuple = {
                .local = socket->local,
                .remote = socket->remote,
                .remote_port = socket->remote_port,
        };
        SnapshotTuple *slot = slot_find(tally, tally->slots, tally->n_slots, &tuple);
        tally->last = slot;
        if (!is_empty(slot)) {
                use_add(&slot->use, one);
                return;
        }
        if (tally->n_tuples == TALLY_TUPLES) {
                sweep(tally);
                return;
        }
        *slot = tuple;
        slot->use = *one;
        tally->n_tuples++;
        if (tally->counts.n_all_tuples < tally->n_tuples)
                tally->counts.n_all_tuples = (uint32_t) tally->n_tuples;
        if (tally->n_tuples > tally->n_slots / 2 && tally->n_slots < MOST_SLOTS)
                move_tuples(tally, tally->n_slots * 2);
}

static void add_outgoing(SocketTally *tally, const TcpSocket *socket, const SnapshotUse *one) {
        tally->taken[socket->local_port / 8] |= (uint8_t) (1U << socket->local_port % 8);
        if (!is_empty(tally->last) && is_of(tally->last, socket))
                use_add(&tally->last->use, one);
        else
                add_to_tuple(tally, socket, one);
}

/* --- listening ports ------------------------------------------------------------------------------------ */

static SnapshotListener *listener_find(const SocketTally *tally, uint16_t port) {
        if ((tally->listening[port / 8] & 1U << port % 8) == 0)
                return NULL;
        return &tally->listeners[tally->listener_of[port] - 1];
}

static SnapshotListener *listener_add(SocketTally *tally, uint16_t port) {
        /* an index has to fit beside the 0 that means none: 65535 ports, for 0 is none */
        if (tally->n_listeners == tally->capacity) {
                size_t capacity = tally->capacity > 0 ? tally->capacity * 2 : FIRST_LISTENERS;
                SnapshotListener *grown = reallocarray(
                                tally->listeners, capacity, sizeof(SnapshotListener));
                if (!grown) {
                        tally->failed = true;
                        return NULL;
                }
                tally->listeners = grown;
                tally->capacity = capacity;
        }
        SnapshotListener *listener = &tally->listeners[tally->n_listeners++];
        *listener = (SnapshotListener){ .port = port };
        tally->listener_of[port] = (uint16_t) tally->n_listeners;
        tally->listening[port / 8] |= (uint8_t) (1U << port % 8);
        return listener;
}

/* Whether that accept queue is fuller than the one seen so far, as a share of its limit. */
static bool is_fuller(const SnapshotListener *listener, const TcpSocket *socket) {
        uint64_t limit = (uint64_t) listener->queue_limit + 1;
        uint64_t other = (uint64_t) socket->queue_limit + 1;
        return socket->queue * limit > listener->queue * other ||
               (socket->queue * limit == listener->queue * other && other < limit);
}

static void add_listening(SocketTally *tally, const TcpSocket *socket) {
        if (socket->local_port == 0)
                return; /* nobody can connect to it */
        SnapshotListener *listener = listener_find(tally, socket->local_port);
        if (!listener)
                listener = listener_add(tally, socket->local_port);
        if (!listener)
                return;
        if (listener->n_sockets++ == 0 || is_fuller(listener, socket)) {
                listener->queue = socket->queue;
                listener->queue_limit = socket->queue_limit;
                listener->uid = socket->uid;
        }
}

/* --- who does not close --------------------------------------------------------------------------------- */

static void add_close_wait(SocketTally *tally, const TcpSocket *socket, SnapshotSide side) {
        uint16_t port = side == SNAPSHOT_OUTGOING ? socket->remote_port : socket->local_port;
        SnapshotHolder *holders = tally->holders;
        for (size_t i = 0; i < tally->n_holders; i++)
                if (holders[i].uid == socket->uid && holders[i].side == side &&
                    holders[i].port == port) {
                        holders[i].n_close_wait++;
                        return;
                }
        if (tally->n_holders < TALLY_HOLDERS) {
                holders[tally->n_holders++] = (SnapshotHolder){
                        .uid = socket->uid,
                        .side = side,
                        .port = port,
                        .n_close_wait = 1,
                };
                return;
        }
        size_t n = 0;
        for (size_t i = 0; i < tally->n_holders; i++)
                if (--holders[i].n_close_wait > 0)
                        holders[n++] = holders[i];
        tally->n_holders = n;
        tally->counts.holders_error++;
}

/* -------------------------------------------------------------------------------------------------------- */

void socket_tally_add(SocketTally *tally, const TcpSocket *socket) {
        if (tally->failed || socket->state == 0 || socket->state >= TCP_STATES)
                return;
        SnapshotSockets *counts = &tally->counts;
        counts->states[socket->family == AF_INET6 ? SNAPSHOT_IPV6 : SNAPSHOT_IPV4][socket->state]++;
        if (socket->state == TCP_STATE_LISTEN) {
                add_listening(tally, socket);
                return;
        }
        if (socket->state == TCP_STATE_CLOSE)
                return;
        counts->n_buckets += socket->timer == TIMER_BUCKET ? 1 : 0;

        const SnapshotUse one = use_of(tally, socket);
        SnapshotListener *listener = listener_find(tally, socket->local_port);
        SnapshotSide side = SNAPSHOT_STRAY;
        if (listener) {
                side = SNAPSHOT_INCOMING;
                use_add(&listener->use, &one);
        } else if (port_pool_has(&tally->pool, socket->local_port)) {
                side = SNAPSHOT_OUTGOING;
                add_outgoing(tally, socket, &one);
        }
        use_add(&counts->sides[side], &one);
        if (socket->state == TCP_STATE_CLOSE_WAIT)
                add_close_wait(tally, socket, side);
}

/* --- the end -------------------------------------------------------------------------------------------- */

static int compare_totals(const SnapshotUse *a, const SnapshotUse *b) {
        uint32_t x = snapshot_use_total(a), y = snapshot_use_total(b);
        return (x < y) - (x > y);
}

/* Equal ones by their bytes, so that the same sockets give the same list. */
static int compare_tuples(const void *a, const void *b) {
        const SnapshotTuple *x = a, *y = b;
        int r = compare_totals(&x->use, &y->use);
        if (r == 0)
                r = memcmp(&x->remote, &y->remote, sizeof(x->remote));
        if (r == 0)
                r = (x->remote_port > y->remote_port) - (x->remote_port < y->remote_port);
        return r != 0 ? r : memcmp(&x->local, &y->local, sizeof(x->local));
}

static int compare_listeners(const void *a, const void *b) {
        const SnapshotListener *x = a, *y = b;
        int r = compare_totals(&x->use, &y->use);
        return r != 0 ? r : (x->port > y->port) - (x->port < y->port);
}

static int compare_holders(const void *a, const void *b) {
        const SnapshotHolder *x = a, *y = b;
        if (x->n_close_wait != y->n_close_wait)
                return (x->n_close_wait < y->n_close_wait) - (x->n_close_wait > y->n_close_wait);
        if (x->port != y->port)
                return (x->port > y->port) - (x->port < y->port);
        return (x->uid > y->uid) - (x->uid < y->uid);
}

/* The first of a sorted list, in the arena. */
static void *keep(Arena *arena, const void *rows, size_t n, size_t size) {
        void *kept = arena_alloc_array(arena, n > 0 ? n : 1, size);
        if (kept && n > 0)
                memcpy(kept, rows, n * size);
        return kept;
}

static size_t gather_tuples(SocketTally *tally) {
        size_t n = 0;
        for (size_t i = 0; i < tally->n_slots; i++)
                if (!is_empty(&tally->slots[i]))
                        tally->slots[n++] = tally->slots[i];
        if (n > 1)
                qsort(tally->slots, n, sizeof(SnapshotTuple), compare_tuples);
        return n < SNAPSHOT_TUPLES ? n : SNAPSHOT_TUPLES;
}

int socket_tally_finish(SocketTally *tally, Arena *arena, SnapshotSockets *ret) {
        if (tally->failed)
                return -ENOMEM;
        SnapshotSockets sockets = tally->counts;
        for (size_t i = 0; i < sizeof(tally->taken); i++)
                sockets.n_pool_ports_taken += (uint32_t) __builtin_popcount(tally->taken[i]);

        sockets.n_tuples = gather_tuples(tally);
        sockets.tuples = keep(arena, tally->slots, sockets.n_tuples, sizeof(SnapshotTuple));

        sockets.n_all_listeners = (uint32_t) tally->n_listeners;
        if (tally->n_listeners > 1)
                qsort(tally->listeners, tally->n_listeners, sizeof(SnapshotListener),
                      compare_listeners);
        sockets.n_listeners = tally->n_listeners < SNAPSHOT_LISTENERS ? tally->n_listeners
                                                                      : SNAPSHOT_LISTENERS;
        sockets.listeners = keep(
                        arena, tally->listeners, sockets.n_listeners, sizeof(SnapshotListener));

        qsort(tally->holders, tally->n_holders, sizeof(SnapshotHolder), compare_holders);
        sockets.n_holders = tally->n_holders < SNAPSHOT_HOLDERS ? tally->n_holders
                                                                : SNAPSHOT_HOLDERS;
        sockets.holders = keep(arena, tally->holders, sockets.n_holders, sizeof(SnapshotHolder));
        if (!sockets.tuples || !sockets.listeners || !sockets.holders)
                return -ENOMEM;
        *ret = sockets;
        return 0;
}
