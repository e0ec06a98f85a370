/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /proc/net/sockstat and /proc/net/sockstat6: what the kernel counts of sockets, whatever their number is
 * (net/ipv4/proc.c, sockstat_seq_show()). Pure.
 */

#include "insight/snapshot.h"

/* One file's text, with a NUL behind it: fills what it has, and sets `known` when it has the line of TCP. What is not of
 * this form is passed over. */
void sockstat_parse(const char *text, SnapshotSockstat *ret);
