/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two network namespaces, a client's and a server's, joined by a veth pair: nothing of the host is in them, and nothing
 * done in them reaches the host.
 *
 *         CLEANUP(lab_net_close) LabNet net = LAB_NET_EMPTY;
 *         r = lab_net_build(&net, &error);
 *         r = lab_net_enter(&net.client, &error);
 *
 * Call it in a process made for it, with one thread: it moves the caller out of its own namespaces, for good. Who is not
 * root becomes root of a user namespace. The namespaces have no name and no file: they end, with all their sockets, when
 * the last process in them and the last descriptor of them is gone, however that came about.
 */

#include "base/error.h"
#include "base/fd.h"

/* RFC 2544's range for tests between devices: never a real destination. Host byte order. */
#define LAB_CLIENT_ADDRESS UINT32_C(0xc6120001) /* 198.18.0.1 */
#define LAB_SERVER_ADDRESS UINT32_C(0xc6120002) /* 198.18.0.2 */

typedef struct LabSide {
        int netns_fd;
        int sockstat_fd, snmp_fd, netstat_fd; /* of /proc/net, readable from anywhere at offset 0 */
} LabSide;

typedef struct LabNet {
        LabSide client, server;
        bool user_namespace;
} LabNet;

#define LAB_SIDE_EMPTY ((LabSide){ FD_EMPTY, FD_EMPTY, FD_EMPTY, FD_EMPTY })
#define LAB_NET_EMPTY  ((LabNet){ LAB_SIDE_EMPTY, LAB_SIDE_EMPTY, false })

/* 0 or <0: -EPERM where this host allows no private namespaces; -EROFS where /proc/sys/net cannot be made writable. */
NODISCARD int lab_net_build(LabNet *ret, Error *reterr);
void lab_net_close(LabNet *net);

/* Moves this process: what it opens from then on, sockets and files of /proc/sys/net, is of that side. */
NODISCARD int lab_net_enter(const LabSide *side, Error *reterr);
