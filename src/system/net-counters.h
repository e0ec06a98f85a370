/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the kernel counts of TCP, in the network namespace of this process: /proc/net/snmp (RFC 2012) and
 * /proc/net/netstat (Linux' own), as net/ipv4/proc.c prints them: two lines for each group, names and values.
 *
 * Names that nobody asks for are passed over, as newer kernels have more; those that a kernel lacks stay unknown.
 */

#include "base/error.h"
#include "model/gate.h"
#include "system/seam.h"

#define NET_COUNTERS_MAX_BYTES ((size_t) 64 * 1024)

/* Fills the counters of `ret` that have a group; its time and the levels are left alone. A file that is not there makes
 * its counters unknown. 0; <0, -EFBIG for more than NET_COUNTERS_MAX_BYTES. */
NODISCARD int net_counters_read(const Seam *seam, int root_fd, GateSample *ret, Error *reterr);

/* One file's text, with a NUL behind it. What is not of this form is passed over. */
void net_counters_parse(const char *text, GateSample *ret);

/* --- one by one ----------------------------------------------------------------------------------------- */

typedef struct NetCounter {
        const char *group; /* not ended by NUL, as the field */
        size_t group_length;
        const char *field;
        size_t field_length;
        uint64_t value;
} NetCounter;

typedef void (*NetCounterVisit)(void *userdata, const NetCounter *counter);

/* Every field of the text whose value is a number from 0. */
void net_counters_each(const char *text, NetCounterVisit visit, void *userdata);
bool net_counter_is(const NetCounter *counter, const char *group, const char *field);
