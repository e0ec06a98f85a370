/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Everything that advice can recommend: one table, in the one order in which remedies are ever printed. What the programs do
 * comes before what the kernel is set to, so that a sysctl is never the first advice where a program can be changed; and among
 * the remedies against a lack of ports the order is
 *
 *         1 reuse connections   2 no bind() before connect()   3 more tuples   4 a wider port range
 *         5 tcp_tw_reuse        6 tcp_tw_reuse_delay
 *
 * What is never right has no row: tcp_tw_recycle, fewer buckets, timestamps off, tcp_fin_timeout against TIME_WAIT.
 */

#include "base/macro.h"

typedef enum AdviceRemedyId {
        /* what programs do */
        ADVICE_REMEDY_REUSE_CONNECTIONS,
        ADVICE_REMEDY_BIND_LATE,
        ADVICE_REMEDY_CLOSE_LEAK,
        ADVICE_REMEDY_CLOSE_SOCKETS,
        ADVICE_REMEDY_PEER_CLOSES,
        ADVICE_REMEDY_LINGER2,
        ADVICE_REMEDY_CLIENT_CLOSES_FIRST,
        ADVICE_REMEDY_NO_ABORT,
        ADVICE_REMEDY_ACCEPT_FASTER,
        ADVICE_REMEDY_BACKLOG,
        ADVICE_REMEDY_LISTEN_AGAIN,
        ADVICE_REMEDY_UNIX_SOCKET,
        ADVICE_REMEDY_LOOPBACK_ADDRESS,
        ADVICE_REMEDY_MORE_TUPLES,
        ADVICE_REMEDY_RIGHT_NAMESPACE,
        ADVICE_REMEDY_SPLIT_PROFILE,
        /* what lies between */
        ADVICE_REMEDY_PEER_TIMESTAMPS,
        ADVICE_REMEDY_MIDDLEBOX,
        ADVICE_REMEDY_FILTER_UPSTREAM,
        ADVICE_REMEDY_NEWER_KERNEL,
        /* what the kernel is set to */
        ADVICE_REMEDY_PORT_RANGE,
        ADVICE_REMEDY_RESERVE_SERVICES,
        ADVICE_REMEDY_RESERVE_LESS,
        ADVICE_REMEDY_RANGE_PARITY,
        ADVICE_REMEDY_RANGE_START,
        ADVICE_REMEDY_TIMESTAMPS_ON,
        ADVICE_REMEDY_RECYCLE_OFF,
        ADVICE_REMEDY_TW_REUSE,
        ADVICE_REMEDY_TW_REUSE_LOOPBACK,
        ADVICE_REMEDY_TW_REUSE_DEFAULT,
        ADVICE_REMEDY_TW_REUSE_DELAY,
        ADVICE_REMEDY_TW_TIMEOUT_60,
        ADVICE_REMEDY_MORE_BUCKETS,
        ADVICE_REMEDY_FIN_TIMEOUT,
        ADVICE_REMEDY_ORPHAN_RETRIES,
        ADVICE_REMEDY_MAX_ORPHANS,
        ADVICE_REMEDY_SOMAXCONN,
        ADVICE_REMEDY_SYNCOOKIES_ON,
        ADVICE_REMEDY_SYN_BACKLOG_DROP,
        ADVICE_REMEDY_ABORT_OFF,
        ADVICE_REMEDY_RFC1337_OFF,
        ADVICE_REMEDY_NETDEV_BACKLOG,
        ADVICE_REMEDY_NETDEV_BUDGET,
        ADVICE_REMEDY_CONNTRACK_LESS,
        ADVICE_REMEDY_CONNTRACK_MAX,
        ADVICE_REMEDY_CONNTRACK_TIME_WAIT,
        ADVICE_REMEDY_CONNTRACK_ESTABLISHED,
        ADVICE_REMEDY_IPVS_CONN_REUSE,
        ADVICE_REMEDY_CHILD_EHASH,
        ADVICE_REMEDY_NOTHING,
        ADVICE_REMEDIES,
} AdviceRemedyId;

typedef enum AdviceChange {
        ADVICE_CHANGE_NONE, /* no setting of the kernel */
        ADVICE_CHANGE_SET,  /* to `value` */
        ADVICE_CHANGE_RAISE,
        ADVICE_CHANGE_LOWER,
        ADVICE_CHANGE_EDIT, /* a range or a list */
        ADVICE_CHANGE_DROP, /* out of the profile: back to the default */
} AdviceChange;

typedef struct AdviceRemedy {
        const char *name; /* "reuse-connections", for programs */
        AdviceChange change;
        const char *key;   /* of the setting, or NULL */
        const char *value; /* of ADVICE_CHANGE_SET, or NULL: it depends */
        const char *text;  /* a sentence without its full stop */
} AdviceRemedy;

const AdviceRemedy *advice_remedy_get(AdviceRemedyId id);
