/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The wire between the lab's two network namespaces: a veth pair, addresses, links up, asked of the kernel by
 * rtnetlink(7). Small messages of our own: libmnl stands behind system/socket-diag.c alone.
 *
 * Everything acts on the network namespace of the calling process, in which CAP_NET_ADMIN is needed. The kernel removes
 * both ends when one of the namespaces goes.
 *
 * Returns are 0 or the negative errno that the kernel answered.
 */

#include "base/macro.h"

/* A pair of which `name` is here and `peer` in the namespace of `peer_netns_fd`. -EOPNOTSUPP: this kernel has no veth. */
NODISCARD int lab_link_make_pair(const char *name, const char *peer, int peer_netns_fd);
/* `address` in network byte order, with a prefix of 24 bits. */
NODISCARD int lab_link_add_address(const char *name, uint32_t address);
NODISCARD int lab_link_raise(const char *name);
