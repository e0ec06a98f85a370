/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the kernel counted in one side of the lab: lines of /proc/net/snmp and /proc/net/netstat, and how many TIME_WAIT
 * buckets /proc/net/sockstat shows. A namespace of the lab begins with all of them at 0, so a value is what a run did.
 *
 * system/net-counters.h reads the counters that the health gate judges; these are the ones that explain a run.
 */

#include "insight/lab-net.h"

#define LAB_COUNTERS_MAX_BYTES ((size_t) 32 * 1024)

typedef enum LabCounterId {
        LAB_ACTIVE_OPENS,
        LAB_PASSIVE_OPENS,
        LAB_OUT_RSTS,
        LAB_RETRANS_SEGS,
        LAB_TW,
        LAB_TW_RECYCLED,
        LAB_TW_OVERFLOW,
        LAB_PAWS_TIME_WAIT,
        LAB_ACK_SKIPPED_TIME_WAIT,
        LAB_LISTEN_OVERFLOWS,
        LAB_LISTEN_DROPS,
        LAB_SYN_COOKIES,
        LAB_ABORT_ON_DATA,
        LAB_COUNTER_COUNT,
} LabCounterId;

typedef struct LabCounters {
        bool known[LAB_COUNTER_COUNT]; /* older kernels lack some */
        uint64_t value[LAB_COUNTER_COUNT];
} LabCounters;

/* "TcpExt.TWRecycled" */
const char *lab_counter_name(LabCounterId id);

/* 0 or <0. */
NODISCARD int lab_counters_read(const LabSide *side, LabCounters *ret, Error *reterr);
/* One file's text, with a NUL behind it: pairs of lines, names and values. What is not of this form is passed over. */
void lab_counters_parse(const char *text, LabCounters *ret);

/* TIME_WAIT and orphaned FIN_WAIT2 buckets now. 0 or <0. */
NODISCARD int lab_time_wait_read(const LabSide *side, uint32_t *ret);
/* -EBADMSG without a line "TCP: … tw N". */
NODISCARD int lab_time_wait_parse(const char *text, uint32_t *ret);
