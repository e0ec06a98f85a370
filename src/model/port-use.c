/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/port-use.h"

/* Twice as many as there are tuples: half of the slots stay empty, so a probe is short. */
#define SLOTS ((size_t) 2 * PORT_USE_TUPLES)

/* tcp_twsk_unique() wants a second between the last timestamp and the new connection. */
#define REUSE_AFTER_MS 1000U
/* include/net/tcp.h: TCP_TIMEWAIT_LEN */
#define TIME_WAIT_MS 60000U

struct PortUse {
        const PortPool *pool;
        uint64_t seed;
        uint32_t error;
        size_t n_tuples;
        PortTuple slots[SLOTS];          /* n_taken 0: empty */
        PortTuple kept[PORT_USE_TUPLES]; /* for sweeping */
};

bool tcp_address_is_loopback(const TcpAddress *address) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        static const uint8_t one[16] = { [15] = 1 };
        return memcmp(address->bytes, one, sizeof(one)) == 0 ||
               (memcmp(address->bytes, mapped, sizeof(mapped)) == 0 && address->bytes[12] == 127);
}

/* --- the pool ------------------------------------------------------------------------------------------- */

int port_pool_set(PortPool *pool, const SysctlValue *range, const SysctlValue *reserved) {
        if (range->n_ints != 2 || range->ints[0] < 0 || range->ints[0] > range->ints[1] ||
            range->ints[1] > UINT16_MAX)
                return -EINVAL;

        pool->first = (uint16_t) range->ints[0];
        pool->last = (uint16_t) range->ints[1];
        memset(pool->reserved, 0, sizeof(pool->reserved));
        for (size_t i = 0; reserved && i < reserved->n_ports; i++)
                for (unsigned port = reserved->ports[i].first; port <= reserved->ports[i].last;
                     port++)
                        pool->reserved[port / 8] |= (uint8_t) (1U << port % 8);

        const bool has_reserved = reserved && reserved->n_ports > 0;
        pool->size = (uint32_t) pool->last - pool->first + 1;
        for (unsigned port = pool->first; has_reserved && port <= pool->last; port++)
                pool->size -= port_pool_reserves(pool, port) ? 1 : 0;
        return 0;
}

/* --- tuples --------------------------------------------------------------------------------------------- */

PortUse *port_use_new(const PortPool *pool, uint64_t seed) {
        PortUse *use = calloc(1, sizeof(*use));
        if (use) {
                use->pool = pool;
                use->seed = seed;
        }
        return use;
}

PortUse *port_use_free(PortUse *use) {
        free(use);
        return NULL;
}

void port_use_reset(PortUse *use) {
        memset(use->slots, 0, sizeof(use->slots));
        use->n_tuples = 0;
        use->error = 0;
}

static bool is_same(const PortTuple *a, const PortTuple *b) {
        return a->remote_port == b->remote_port &&
               memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0 &&
               memcmp(&a->local, &b->local, sizeof(a->local)) == 0;
}

/* The tuple's slot, or the empty one where it belongs. */
static PortTuple *slot_find(PortUse *use, const PortTuple *tuple) {
        size_t at = tcp_tuple_hash(use->seed, &tuple->local, &tuple->remote, tuple->remote_port) %
                    SLOTS;
        while (use->slots[at].n_taken > 0 && !is_same(&use->slots[at], tuple))
                at = (at + 1) % SLOTS;
        return &use->slots[at];
}

/* One less of each. Every sweep takes PORT_USE_TUPLES + 1 sockets out of the counts, so there are few. */
static void sweep(PortUse *use) {
        size_t n = 0;
        for (size_t i = 0; i < SLOTS; i++)
                if (use->slots[i].n_taken > 1)
                        use->kept[n++] = use->slots[i];
        memset(use->slots, 0, sizeof(use->slots));
        for (size_t i = 0; i < n; i++) {
                use->kept[i].n_taken--;
                *slot_find(use, &use->kept[i]) = use->kept[i];
        }
        use->n_tuples = n;
        use->error++;
}

/* Whether connect() may have the port all the same. */
static bool is_reusable(const PortPool *pool, const TcpSocket *socket) {
        bool here = tcp_address_is_loopback(&socket->local) ||
                    tcp_address_is_loopback(&socket->remote);
        return socket->state == TCP_STATE_TIME_WAIT &&
               socket->expires_ms < TIME_WAIT_MS - REUSE_AFTER_MS &&
               (pool->reuse == PORT_REUSE_ALL || (pool->reuse == PORT_REUSE_LOOPBACK && here));
}

void port_use_add(PortUse *use, const TcpSocket *socket) {
        if (socket->state == TCP_STATE_LISTEN || socket->state == TCP_STATE_CLOSE ||
            socket->remote_port == 0 || !port_pool_has(use->pool, socket->local_port) ||
            is_reusable(use->pool, socket))
                return;

        PortTuple tuple = {
                .local = socket->local,
                .remote = socket->remote,
                .remote_port = socket->remote_port,
        };
        PortTuple *slot = slot_find(use, &tuple);
        if (slot->n_taken > 0) {
                slot->n_taken++;
                return;
        }
        if (use->n_tuples == PORT_USE_TUPLES) {
                sweep(use);
                return;
        }
        *slot = tuple;
        slot->n_taken = 1;
        use->n_tuples++;
}

bool port_use_busiest(const PortUse *use, PortTuple *ret) {
        const PortTuple *busiest = &use->slots[0];
        for (size_t i = 1; i < SLOTS; i++)
                if (use->slots[i].n_taken > busiest->n_taken)
                        busiest = &use->slots[i];
        if (busiest->n_taken == 0)
                return false;
        *ret = *busiest;
        return true;
}

uint32_t port_use_level(const PortUse *use) {
        PortTuple busiest;
        if (use->pool->size == 0 || !port_use_busiest(use, &busiest))
                return 0;
        return (uint32_t) ((uint64_t) busiest.n_taken * 1000 / use->pool->size);
}

uint32_t port_use_error(const PortUse *use) {
        return use->error;
}
