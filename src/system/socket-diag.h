/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The TCP sockets of a network namespace, as the kernel lists them: sock_diag(7), INET_DIAG. Needs no privilege and no
 * capability. Unlike with /proc/net/tcp the kernel leaves out what is not asked for.
 *
 *         CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
 *         r = socket_diag_open(&diag, &error);
 *         const SocketDiagRequest request = { .states = TCP_STATE_BIT(TCP_STATE_TIME_WAIT) };
 *         r = socket_diag_dump(&diag, &request, visit, userdata, &error);
 *
 * Not through the seam: a transaction neither depends on it nor is changed by it, so there is no call to fail or to kill.
 *
 * Sockets are handed on as they come, none is kept: the memory is one buffer, however many there are. The list is no
 * snapshot: a socket that comes or goes meanwhile may be in it or not.
 */

#include "base/error.h"
#include "model/port-use.h"

#define SOCKET_DIAG_WAIT_MS 2000 /* for one answer of the kernel, which makes it at once */

typedef struct SocketDiag {
        struct mnl_socket *socket; /* of the namespace in which it was opened */
        uint32_t sequence;
} SocketDiag;

#define SOCKET_DIAG_EMPTY ((SocketDiag){ NULL, 0 })

/* 0 or <0: -EAFNOSUPPORT where the sandbox allows no netlink, -ENOENT without libmnl. */
NODISCARD int socket_diag_open(SocketDiag *ret, Error *reterr);
void socket_diag_close(SocketDiag *diag);

/* All that a socket can be in. A request in SYN_RECV that has no socket yet counts as SYN_RECV. */
#define SOCKET_DIAG_STATES UINT32_C(0xfff)

typedef struct SocketDiagRequest {
        uint32_t states; /* of TCP_STATE_BIT(); others than SOCKET_DIAG_STATES are left out */
        /* Only sockets whose local port is one of these; the kernel leaves the others out. 0 and 0: all. */
        uint16_t port_first, port_last;
} SocketDiagRequest;

/* The next of the list, at most SOCKET_DIAG_BATCH of them: a call for each would cost more than what is done with it. <0
 * ends the list with this result. */
#define SOCKET_DIAG_BATCH ((size_t) 32)
typedef int (*SocketDiagVisit)(void *userdata, const TcpSocket *sockets, size_t n);

/* Of IPv4 and IPv6, listening ones first. 0 or <0: what the visit gave; -ENOENT where the kernel has no inet_diag; -EAGAIN when it did not
 * answer in time. After a failure of its own it is closed, for an answer may still come, and has to be opened again. */
NODISCARD int socket_diag_dump(
                SocketDiag *diag, const SocketDiagRequest *request, SocketDiagVisit visit,
                void *userdata, Error *reterr);

/* One struct inet_diag_msg of `n` bytes, aligned as one, perhaps with attributes behind it. 0 or -EBADMSG. */
NODISCARD int socket_diag_decode(const void *message, size_t n, TcpSocket *ret);
