/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Fills a snapshot of the network namespace of this process (insight/snapshot.h). Needs no privilege.
 *
 *         Snapshot snapshot = {};
 *         r = collect_counts(seam, root_fd, arena, &snapshot, &error);       some twenty small files, however many sockets
 *         r = collect_settings(seam, root_fd, arena, &snapshot, &error);     some thirty more, which advice asks for
 *         r = collect_sockets(&diag, arena, &snapshot, &error);              every socket, by sock_diag(7)
 *
 * The counts come first: the list is judged by the port range among them. What the kernel does not have stays unknown.
 */

#include "base/fd.h"
#include "insight/snapshot.h"
#include "system/seam.h"
#include "system/socket-diag.h"

/* Counters, /proc/net/sockstat, and the settings that counting needs. 0 or <0. */
NODISCARD int collect_counts(
                const Seam *seam, int root_fd, Arena *arena, Snapshot *ret, Error *reterr);

/* All settings, after collect_counts(). 0 or <0. Adds to what it cost. */
NODISCARD int collect_settings(
                const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot, Error *reterr);

/* The list, after collect_counts(): where that says that there is no socket, none is asked for. `diag` is opened when it is
 * needed and not open, and stays open for the next time. 0 or <0: see socket_diag_open() and
 * socket_diag_dump(); has_sockets is false then. Adds to what it cost. */
NODISCARD int collect_sockets(SocketDiag *diag, Arena *arena, Snapshot *snapshot, Error *reterr);
