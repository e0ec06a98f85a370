/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two files of /proc/net that have one line of hexadecimal columns for each processor. Pure.
 *
 *   softnet_stat       of the whole host; columns 2 and 3 (net/core/net-procfs.c, softnet_seq_show())
 *   stat/nf_conntrack  of the namespace; a line of names, then the columns, which differ between versions
 *                      (net/netfilter/nf_conntrack_standalone.c, ct_cpu_seq_show())
 *
 * The texts have a NUL behind them. Counters are summed over the processors. When one line is not of this form the sum
 * would be too low, so nothing of that file is known then.
 */

#include "insight/snapshot.h"

#define PROC_STAT_MAX_BYTES ((size_t) 1024 * 1024) /* 160 bytes for each processor */

void softnet_stat_parse(const char *text, Snapshot *snapshot);
void conntrack_stat_parse(const char *text, Snapshot *snapshot);
