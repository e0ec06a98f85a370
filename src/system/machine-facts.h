/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the safety rules ask of the machine beside its sysctls (model/machine.h), read below a root directory fd.
 *
 * Listeners: where the root is this process's own, the kernel is asked for them alone (system/socket-diag.h). Else, and
 * where that is not allowed, /proc/self/net/tcp and tcp6, which show the network namespace of the reader to everybody.
 * There the listening sockets come first (net/ipv4/tcp_ipv4.c tcp_get_idx()), so reading ends at the first socket in
 * another state; but on a host that has none the kernel looks for it in its whole table of connections, at each read:
 * with 262,144 slots 1.3 ms, measured on 6.18, against 0.4 ms for the listeners alone. Memory: MemTotal of /proc/meminfo. Slots of the table of established
 * connections: net.ipv4.tcp_ehash_entries (6.1 and later; negative where a child namespace shares the host's table).
 * Size of a page: sysconf(3).
 *
 * No privilege is needed, and the helper's sandbox shows all three (ProtectProc= hides other processes only). What
 * cannot be read or understood is unknown; that is no error. Not for an image below --root: its /proc is the builder's.
 */

#include "base/arena.h"
#include "model/machine.h"
#include "system/seam-io.h"

/* Without `with_listeners` (rules_ask_listeners()) they are left unknown. 0 or -ENOMEM. The ports live in `arena`. */
NODISCARD int machine_facts_read(
                const SeamFd *root, bool with_listeners, Arena *arena, MachineFacts *ret);
