/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Counts a list of sockets: by state, by tuple, by listening port, by who leaves them in CLOSE_WAIT (insight/snapshot.h).
 *
 *         SocketTally *tally = socket_tally_new(&snapshot, seed);
 *         for some at a time:  socket_tally_add(tally, sockets, n);
 *         r = socket_tally_finish(tally, arena, &snapshot.sockets);
 *
 * Listening sockets come first, as the kernel lists them (net/ipv4/inet_diag.c, inet_diag_dump_icsk()): they tell which
 * of the others are incoming.
 *
 * Pure. Every socket is counted; the memory depends on how many tuples there are, not on how many sockets. States, sides
 * and listening ports are exact. So are up to TALLY_TUPLES tuples and TALLY_HOLDERS holders; with more of them the counts
 * are those of Misra and Gries (Finding repeated elements, 1982): too low by at most `*_error`, which is at most the
 * number of sockets divided by TALLY_TUPLES + 1, never too high.
 */

#include "base/error.h"
#include "insight/snapshot.h"

#define TALLY_TUPLES  32768U
#define TALLY_HOLDERS 64U

typedef struct SocketTally SocketTally;

/* Takes the pool and the two delays from the snapshot, which it does not keep. The seed is a secret, so that nobody can
 * choose addresses that collide. NULL: out of memory. */
SocketTally *socket_tally_new(const Snapshot *snapshot, uint64_t seed);
SocketTally *socket_tally_free(SocketTally *tally);
DEFINE_CLEANUP_PTR(SocketTally, socket_tally_free)

void socket_tally_add(SocketTally *tally, const TcpSocket *sockets, size_t n);
/* The end: nothing can be added any more. 0 or -ENOMEM, also for what an add could not remember. */
NODISCARD int socket_tally_finish(SocketTally *tally, Arena *arena, SnapshotSockets *ret);
