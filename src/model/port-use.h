/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How full the pool of local ports is. A connect() that names no local port takes one of ip_local_port_range that no
 * other connection from the same local address to the same remote address and port has, so what runs out is the pool of
 * one such tuple, and no counter of the kernel moves when it does (net/ipv4/inet_hashtables.c,
 * __inet_hash_connect()).
 *
 *         port_pool_set(&pool, &range, &reserved);
 *         PortUse *use = port_use_new(&pool, seed);
 *         for each socket:  port_use_add(use, &socket);
 *         port_use_level(use)
 *
 * Pure, and of fixed size however many sockets there are: the counts of up to PORT_USE_TUPLES tuples are exact. With more
 * tuples than that they are those of Misra and Gries (Finding repeated elements, 1982): too low by at most the number of
 * sockets divided by PORT_USE_TUPLES + 1, never too high.
 *
 * A TIME_WAIT socket is no obstacle where tcp_tw_reuse lets connect() take its port again: it is not counted then.
 */

#include "model/sysctl-value.h"

#define PORT_USE_TUPLES 4096U

/* --- sockets -------------------------------------------------------------------------------------------- */

/* include/net/tcp_states.h; a part of the kernel's interface through sock_diag(7). */
typedef enum TcpState {
        TCP_STATE_ESTABLISHED = 1,
        TCP_STATE_SYN_SENT,
        TCP_STATE_SYN_RECV,
        TCP_STATE_FIN_WAIT1,
        TCP_STATE_FIN_WAIT2,
        TCP_STATE_TIME_WAIT,
        TCP_STATE_CLOSE,
        TCP_STATE_CLOSE_WAIT,
        TCP_STATE_LAST_ACK,
        TCP_STATE_LISTEN,
        TCP_STATE_CLOSING,
        TCP_STATE_NEW_SYN_RECV,
        TCP_STATES,
} TcpState;

/* For TcpState in sets. */
#define TCP_STATE_BIT(state) (UINT32_C(1) << (state))

typedef struct TcpAddress {
        uint8_t bytes[16]; /* as sent; IPv4 is mapped (::ffff:a.b.c.d), for both share their ports */
} TcpAddress;

typedef struct TcpSocket {
        uint8_t family; /* of the socket: AF_INET, or AF_INET6, whose addresses may be mapped ones */
        uint8_t state;  /* of TcpState */
        uint8_t timer;
        uint16_t local_port, remote_port; /* host order */
        TcpAddress local, remote;
        uint32_t interface;  /* that it is bound to, 0 none */
        uint32_t expires_ms; /* of the timer; TIME_WAIT: until it is gone */
        uint32_t uid, inode; /* 0 for TIME_WAIT; inode 0: no process holds it any more */
        /* LISTEN: connections that wait to be accepted, and how many may; else bytes received, bytes sent */
        uint32_t queue, queue_limit;
} TcpSocket;

bool tcp_address_is_loopback(const TcpAddress *address);

/* Both halves of a product, folded: what wyhash and foldhash are made of. */
static inline uint64_t tcp_hash_fold(uint64_t a, uint64_t b) {
        __extension__ typedef unsigned __int128 Product;
        Product product = (Product) a * b;
        return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/* Where a tuple of addresses lies in a table. The seed is a secret, so that nobody can choose addresses that collide; it
 * is in both factors, because with one that is 0 the other says nothing. The constants are digits of pi. Two of the three
 * products do not wait for each other, and no call is made: lists of sockets are long. */
static inline uint64_t tcp_tuple_hash(
                uint64_t seed, const TcpAddress *local, const TcpAddress *remote,
                uint16_t remote_port) {
        const uint64_t other = seed << 29 | seed >> 35;
        uint64_t here[2], there[2];
        memcpy(here, local->bytes, sizeof(here));
        memcpy(there, remote->bytes, sizeof(there));
        uint64_t a = tcp_hash_fold(here[0] ^ seed, here[1] ^ other ^ UINT64_C(0x243f6a8885a308d3));
        uint64_t b = tcp_hash_fold(
                        there[0] ^ seed ^ UINT64_C(0x13198a2e03707344),
                        there[1] ^ other ^ UINT64_C(0xa4093822299f31d0));
        return tcp_hash_fold(a ^ seed ^ remote_port, b ^ other ^ UINT64_C(0x082efa98ec4e6c89));
}

/* --- the pool ------------------------------------------------------------------------------------------- */

/* net.ipv4.tcp_tw_reuse, as far as net.ipv4.tcp_timestamps lets it work. */
typedef enum PortReuse {
        PORT_REUSE_NONE,
        PORT_REUSE_ALL,
        PORT_REUSE_LOOPBACK,
} PortReuse;

typedef struct PortPool {
        uint16_t first, last;
        PortReuse reuse;
        uint32_t size; /* without the reserved ones */
        uint8_t reserved[(UINT16_MAX + 1) / 8];
} PortPool;

/* Two integers, and a port set or NULL. -EINVAL when the values are not of these types. */
NODISCARD int port_pool_set(PortPool *pool, const SysctlValue *range, const SysctlValue *reserved);

static inline bool port_pool_reserves(const PortPool *pool, unsigned port) {
        return (pool->reserved[port / 8] & 1U << port % 8) != 0;
}

static inline bool port_pool_has(const PortPool *pool, uint16_t port) {
        return port >= pool->first && port <= pool->last && !port_pool_reserves(pool, port);
}

/* --- use ------------------------------------------------------------------------------------------------ */

typedef struct PortUse PortUse;

typedef struct PortTuple {
        TcpAddress local, remote;
        uint16_t remote_port;
        uint32_t n_taken;
} PortTuple;

/* Borrows the pool. The seed is a secret, so that nobody can choose addresses that collide. NULL: out of memory. */
PortUse *port_use_new(const PortPool *pool, uint64_t seed);
PortUse *port_use_free(PortUse *use);
DEFINE_CLEANUP_PTR(PortUse, port_use_free)

/* Begins anew; the pool may have changed. */
void port_use_reset(PortUse *use);
void port_use_add(PortUse *use, const TcpSocket *socket);
/* false: no port is taken. */
bool port_use_busiest(const PortUse *use, PortTuple *ret);
/* Of the busiest tuple, in thousandths of the pool; 0 for a pool without ports. */
uint32_t port_use_level(const PortUse *use);
/* How much too low a count may be. */
uint32_t port_use_error(const PortUse *use);
