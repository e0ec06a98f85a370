/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/socket-tally.h"

#include <sys/socket.h>

#define FIRST_SLOTS     ((size_t) 1024) /* a power of two, as all sizes of the table */
#define MOST_SLOTS      ((size_t) 2 * TALLY_TUPLES)
#define FIRST_LISTENERS ((size_t) 32)
#define PORTS           ((size_t) UINT16_MAX + 1)
#define TIMER_BUCKET \
        3 /* net/ipv4/inet_diag.c, inet_twsk_diag_fill(): the kernel's small form of a socket */

/* Of eight ports, a bit each. */
typedef struct PortBits {
        uint8_t outgoing; /* of the pool, and nothing listens there */
        uint8_t taken;    /* by an outgoing socket */
} PortBits;

struct SocketTally {
        uint64_t seed;
        uint32_t time_wait_ms, reuse_delay_ms;
        SnapshotSockets counts; /* all but the lists */

        SnapshotTuple *slots; /* total 0: empty */
        size_t n_slots, n_tuples;

        SnapshotListener *listeners;
        size_t n_listeners, capacity;
        uint16_t *listener_of; /* by port: its index and 1 */

        SnapshotHolder holders[TALLY_HOLDERS];
        size_t n_holders;

        PortBits ports[PORTS / 8]; /* small enough to stay in the cache */
        bool failed;
};

/* `last` below `first`: no port. */
static void set_pool(SocketTally *tally, const PortPool *pool) {
        size_t from = pool->first / 8U, to = pool->last / 8U;
        if (pool->first > pool->last)
                return;
        for (size_t i = from; i <= to; i++)
                tally->ports[i].outgoing = (uint8_t) ~pool->reserved[i];
        tally->ports[from].outgoing &= (uint8_t) (0xffU << pool->first % 8U);
        tally->ports[to].outgoing &= (uint8_t) (0xffU >> (7U - pool->last % 8U));
}

SocketTally *socket_tally_new(const Snapshot *snapshot, uint64_t seed) {
        CLEANUP(socket_tally_freep) SocketTally *tally = calloc(1, sizeof(*tally));
        if (!tally)
                return NULL;
        if (snapshot->has_pool)
                set_pool(tally, &snapshot->pool);
        tally->seed = seed;
        tally->time_wait_ms = snapshot_time_wait_ms(snapshot);
        tally->reuse_delay_ms = snapshot_reuse_delay_ms(snapshot);
        tally->n_slots = FIRST_SLOTS;
        tally->slots = calloc(tally->n_slots, sizeof(SnapshotTuple));
        tally->listener_of = calloc(PORTS, sizeof(uint16_t));
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

static SnapshotFamily family_of(const TcpSocket *socket) {
        return socket->family == AF_INET6 ? SNAPSHOT_IPV6 : SNAPSHOT_IPV4;
}

static bool is_orphan(const TcpSocket *socket) {
        return socket->state == TCP_STATE_FIN_WAIT2 && socket->inode == 0;
}

/* What one socket adds to each group that it is in. */
static const SnapshotUse use_orphan = { .n_fin_wait2 = 1 };
static const SnapshotUse use_other = { .n_other = 1 };

static inline const SnapshotUse *use_of_time_wait(
                const SocketTally *tally, const TcpSocket *socket) {
        enum { RECENT = 1, REUSABLE = 2 };
        static const SnapshotUse uses[] = {
                { .n_time_wait = 1 },
                [RECENT] = { .n_time_wait = 1, .n_recent = 1 },
                [REUSABLE] = { .n_time_wait = 1, .n_reusable = 1 },
                [RECENT | REUSABLE] = { .n_time_wait = 1, .n_recent = 1, .n_reusable = 1 },
        };
        uint32_t age_ms = socket->expires_ms < tally->time_wait_ms
                                          ? tally->time_wait_ms - socket->expires_ms
                                          : 0;
        return &uses[(age_ms <= SNAPSHOT_RECENT_MS ? RECENT : 0) |
                     (age_ms >= tally->reuse_delay_ms ? REUSABLE : 0)];
}

static inline void use_add(SnapshotUse *restrict use, const SnapshotUse *restrict one) {
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

static bool is_same(const TcpAddress *a, const TcpAddress *b) {
        return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool is_empty(const SnapshotTuple *slot) {
        return snapshot_use_total(&slot->use) == 0;
}

/* The tuple's slot, or the empty one where it belongs; what is empty is zero. */
static inline SnapshotTuple *slot_find(
                uint64_t seed, SnapshotTuple *slots, size_t n_slots, const TcpAddress *local,
                const TcpAddress *remote, uint16_t remote_port) {
        size_t at = tcp_tuple_hash(seed, local, remote, remote_port) & (n_slots - 1);
        while (slots[at].remote_port != remote_port || !is_same(&slots[at].remote, remote) ||
               !is_same(&slots[at].local, local)) {
                if (is_empty(&slots[at]))
                        break;
                at = (at + 1) & (n_slots - 1);
        }
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
                        const SnapshotTuple *old = &tally->slots[i];
                        *slot_find(tally->seed, slots, n_slots, &old->local, &old->remote,
                                   old->remote_port) = *old;
                        n++;
                }
        free(tally->slots);
        tally->slots = slots;
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

static void add_tuple(SocketTally *tally, SnapshotTuple *slot, const SnapshotTuple *tuple) {
        if (tally->n_tuples == TALLY_TUPLES) {
                sweep(tally);
                return;
        }
        *slot = *tuple;
        tally->n_tuples++;
        if (tally->counts.n_all_tuples < tally->n_tuples)
                tally->counts.n_all_tuples = (uint32_t) tally->n_tuples;
        if (tally->n_tuples > tally->n_slots / 2 && tally->n_slots < MOST_SLOTS)
                move_tuples(tally, tally->n_slots * 2);
}

static __attribute__((noinline)) void add_first(
                SocketTally *tally, SnapshotTuple *slot, const TcpSocket *socket,
                const SnapshotUse *one) {
        const SnapshotTuple tuple = {
                .local = socket->local,
                .remote = socket->remote,
                .remote_port = socket->remote_port,
                .use = *one,
        };
        add_tuple(tally, slot, &tuple);
}

static inline void add_outgoing(
                SocketTally *tally, const TcpSocket *socket, const SnapshotUse *one) {
        SnapshotTuple *slot = slot_find(
                        tally->seed, tally->slots, tally->n_slots, &socket->local, &socket->remote,
                        socket->remote_port);
        if (is_empty(slot))
                add_first(tally, slot, socket, one);
        else
                use_add(&slot->use, one);
}

/* --- listening ports ------------------------------------------------------------------------------------ */

static SnapshotListener *listener_find(const SocketTally *tally, uint16_t port) {
        size_t n = tally->listener_of[port];
        return n > 0 ? &tally->listeners[n - 1] : NULL;
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
        tally->ports[port / 8].outgoing &= (uint8_t) ~(1U << port % 8);
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

/* To the side that it is on, which is returned, and to its group there. */
static inline SnapshotSide add_to_side(
                SocketTally *tally, const TcpSocket *socket, const SnapshotUse *one) {
        SnapshotSide side = SNAPSHOT_OUTGOING;
        PortBits *bits = &tally->ports[socket->local_port / 8];
        const uint8_t bit = (uint8_t) (1U << socket->local_port % 8);
        if ((bits->outgoing & bit) != 0) {
                bits->taken |= bit;
                add_outgoing(tally, socket, one);
        } else {
                SnapshotListener *listener = listener_find(tally, socket->local_port);
                side = listener ? SNAPSHOT_INCOMING : SNAPSHOT_STRAY;
                if (listener)
                        use_add(&listener->use, one);
        }
        use_add(&tally->counts.sides[side], one);
        return side;
}

static __attribute__((noinline)) void add_other(SocketTally *tally, const TcpSocket *socket) {
        if (socket->state == 0 || socket->state >= TCP_STATES)
                return;
        tally->counts.states[family_of(socket)][socket->state]++;
        if (socket->state == TCP_STATE_LISTEN)
                add_listening(tally, socket);
        if (socket->state == TCP_STATE_LISTEN || socket->state == TCP_STATE_CLOSE)
                return;
        tally->counts.n_buckets += socket->timer == TIMER_BUCKET ? 1 : 0;
        SnapshotSide side = add_to_side(
                        tally, socket, is_orphan(socket) ? &use_orphan : &use_other);
        if (socket->state == TCP_STATE_CLOSE_WAIT)
                add_close_wait(tally, socket, side);
}

static inline void add_time_wait(SocketTally *tally, const TcpSocket *socket) {
        tally->counts.states[family_of(socket)][TCP_STATE_TIME_WAIT]++;
        tally->counts.n_buckets += socket->timer == TIMER_BUCKET ? 1 : 0;
        (void) add_to_side(tally, socket, use_of_time_wait(tally, socket));
}

void socket_tally_add(SocketTally *tally, const TcpSocket *sockets, size_t n) {
        for (size_t i = 0; i < n && !tally->failed; i++)
                if (sockets[i].state == TCP_STATE_TIME_WAIT)
                        add_time_wait(tally, &sockets[i]);
                else
                        add_other(tally, &sockets[i]);
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
        for (size_t i = 0; i < ELEMENTSOF(tally->ports); i++)
                if (tally->ports[i].taken != 0)
                        sockets.n_pool_ports_taken += (uint32_t) __builtin_popcount(
                                        tally->ports[i].taken);

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
