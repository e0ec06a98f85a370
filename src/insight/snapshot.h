/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The TCP sockets of one network namespace at one moment, with what the kernel counts and what limits them: what `observe`
 * shows, and what advice is judged by. Plain data: insight/collect.h fills it from the kernel, insight/snapshot-format.h
 * reads a recorded one, tests make it up. Two of them give rates (insight/rates.h).
 *
 * All arrays and texts live in the arena that the filling call was given.
 *
 * A socket is
 *   incoming  when something listens on its local port;
 *   outgoing  when its local port is one of the pool (net.ipv4.ip_local_port_range without the reserved ones) and nothing
 *             listens there;
 *   stray     otherwise: bound to a port outside of the pool, or left over from a service that is gone.
 *
 * Outgoing sockets are counted by tuple: local address, remote address, remote port. The pool is that of one tuple, so
 * (T + F + A) / P is how much of it is taken, where
 *
 *   P  pool.size             T  n_time_wait
 *   F  n_fin_wait2: orphans  A  n_other: all other states
 *
 * What is not known is not 0: has_sockets, known[] and LiveState tell.
 */

#include "model/live.h"
#include "model/port-use.h"

#define SNAPSHOT_TUPLES       256U   /* the largest are kept */
#define SNAPSHOT_LISTENERS    256U   /* those with most sockets */
#define SNAPSHOT_HOLDERS      32U    /* those with most CLOSE_WAITs */
#define SNAPSHOT_RECENT_MS    10000U /* a TIME_WAIT younger than this is recent */
#define SNAPSHOT_TIME_WAIT_MS 60000U /* include/net/tcp.h: TCP_TIMEWAIT_LEN */
/* Memory of a TIME_WAIT, measured on Linux 4.15 to 7.2: the bucket's slab slot, and up to two bind buckets of its own. */
#define SNAPSHOT_BUCKET_MIN_BYTES UINT64_C(256)
#define SNAPSHOT_BUCKET_MAX_BYTES UINT64_C(512)

/* --- sockets -------------------------------------------------------------------------------------------- */

typedef enum SnapshotFamily {
        SNAPSHOT_IPV4,
        SNAPSHOT_IPV6, /* of the socket: its addresses may be mapped ones */
        SNAPSHOT_FAMILIES,
} SnapshotFamily;

typedef enum SnapshotSide {
        SNAPSHOT_OUTGOING,
        SNAPSHOT_INCOMING,
        SNAPSHOT_STRAY,
        SNAPSHOT_SIDES,
} SnapshotSide;

/* What is counted of a group of sockets. LISTEN and CLOSE belong to none. */
typedef struct SnapshotUse {
        uint32_t n_time_wait; /* T */
        uint32_t n_fin_wait2; /* F: FIN_WAIT2 that no process holds any more */
        uint32_t n_other;     /* A */
        uint32_t n_recent;    /* of T: at most SNAPSHOT_RECENT_MS old */
        uint32_t n_reusable;  /* of T: old enough for tcp_tw_reuse (tcp_tw_reuse_delay) */
} SnapshotUse;

typedef struct SnapshotTuple {
        TcpAddress local, remote;
        uint16_t remote_port;
        SnapshotUse use;
} SnapshotTuple;

/* All listening sockets of one port, and what was accepted there. */
typedef struct SnapshotListener {
        uint16_t port;
        uint32_t n_sockets;
        uint32_t queue, queue_limit; /* of the accept queue that is fullest: waiting, and how many may */
        uint32_t uid;                /* whose that one is */
        SnapshotUse use;
} SnapshotListener;

/* Who does not close what the peer has closed. */
typedef struct SnapshotHolder {
        uint32_t uid;
        SnapshotSide side;
        uint16_t port; /* the local one of incoming and stray sockets, the remote one of outgoing */
        uint32_t n_close_wait;
} SnapshotHolder;

typedef struct SnapshotSockets {
        uint32_t states[SNAPSHOT_FAMILIES][TCP_STATES];
        uint32_t n_buckets; /* TIME_WAIT and the orphans of FIN_WAIT2 in the kernel's small form: what sockstat counts */
        SnapshotUse sides[SNAPSHOT_SIDES];

        uint32_t n_pool_ports_taken; /* D: ports of the pool that outgoing sockets of any tuple have */

        const SnapshotTuple *tuples; /* largest T + F + A first */
        size_t n_tuples;
        uint32_t n_all_tuples; /* at least so many there are */
        uint32_t tuples_error; /* each T + F + A of a tuple may be too low by so much, never too high */

        const SnapshotListener *listeners; /* largest T + F + A first, then by port */
        size_t n_listeners;
        uint32_t n_all_listeners;

        const SnapshotHolder *holders; /* most first */
        size_t n_holders;
        uint32_t holders_error;
} SnapshotSockets;

/* --- counts --------------------------------------------------------------------------------------------- */

/* /proc/net/sockstat and sockstat6. Of the namespace: in_use, time_wait. Of the whole host: the others. */
typedef struct SnapshotSockstat {
        bool known;
        uint64_t in_use[SNAPSHOT_FAMILIES]; /* without TIME_WAIT */
        uint64_t time_wait;                 /* buckets */
        uint64_t orphans, allocated;
        uint64_t memory_pages;
} SnapshotSockstat;

/* Of /proc/net/netstat, /proc/net/snmp, /proc/net/stat/nf_conntrack; of the whole host: /proc/net/softnet_stat. */
typedef enum SnapshotCounterId {
        COUNTER_ACTIVE_OPENS,
        COUNTER_PASSIVE_OPENS,
        COUNTER_ATTEMPT_FAILS,
        COUNTER_ESTAB_RESETS,
        COUNTER_IN_SEGMENTS,
        COUNTER_OUT_SEGMENTS,
        COUNTER_RETRANSMITS,
        COUNTER_RESETS_SENT,
        COUNTER_TIME_WAIT,
        COUNTER_TIME_WAIT_KILLED,
        COUNTER_TIME_WAIT_RECYCLED,
        COUNTER_TIME_WAIT_OVERFLOW,
        COUNTER_PAWS_ACTIVE,
        COUNTER_PAWS_PASSIVE,
        COUNTER_PAWS_ESTAB,
        COUNTER_PAWS_TIME_WAIT,
        COUNTER_SKIPPED_TIME_WAIT,
        COUNTER_SKIPPED_FIN_WAIT2,
        COUNTER_LISTEN_OVERFLOWS,
        COUNTER_LISTEN_DROPS,
        COUNTER_REQUESTS_COOKIES,
        COUNTER_REQUESTS_DROPPED,
        COUNTER_COOKIES_SENT,
        COUNTER_COOKIES_RECEIVED,
        COUNTER_COOKIES_FAILED,
        COUNTER_ABORT_ON_DATA,
        COUNTER_ABORT_ON_LINGER,
        COUNTER_ABORT_ON_MEMORY,
        COUNTER_BACKLOG_DROPPED,
        COUNTER_BUDGET_SPENT,
        COUNTER_TRACKING_INSERT_FAILED,
        COUNTER_TRACKING_DROPPED,
        COUNTER_TRACKING_EARLY_DROPPED,
        SNAPSHOT_COUNTERS,
} SnapshotCounterId;

typedef struct SnapshotCounter {
        const char *name; /* "TcpExt.TWRecycled": the kernel's group, or the file, and the field */
        bool is_trouble;  /* nothing of it is good */
        const char *means;
} SnapshotCounter;

const SnapshotCounter *snapshot_counter(SnapshotCounterId id);
/* SNAPSHOT_COUNTERS when there is no such name. */
SnapshotCounterId snapshot_counter_find(const char *name);

/* --- the whole ------------------------------------------------------------------------------------------ */

/* A key of the kernel that the catalogue does not have. */
typedef struct SnapshotStrange {
        const char *name; /* "tcp_tw_count" */
        const char *text; /* as read; NULL: it cannot be read */
} SnapshotStrange;

/* A key of the profiles that are enabled, as the public view tells it. */
typedef struct SnapshotEnabledKey {
        const SysctlSpec *spec;
        const char *profile;
        const char *value;  /* in the kernel's spelling; NULL: left out there, by its `when` */
        const char *origin; /* what stood there before; NULL: not known */
} SnapshotEnabledKey;

/* What twprofile made live in this boot, and where. */
typedef struct SnapshotEnabled {
        bool known; /* false: nothing of ours was made live in this boot, or the view could not be read */
        uint64_t netns;                 /* inode */
        const SnapshotEnabledKey *keys; /* sorted */
        size_t n_keys;
} SnapshotEnabled;

/* What looking cost. */
typedef struct SnapshotCost {
        uint64_t n_sockets;
        uint64_t wall_us, cpu_us;
} SnapshotCost;

typedef struct Snapshot {
        int64_t time_us;      /* CLOCK_REALTIME */
        int64_t monotonic_us; /* CLOCK_MONOTONIC: for the time between two of one boot */
        uint64_t netns;       /* inode */
        LiveSnapshot settings; /* of snapshot_setting(): those for counting, or all; kernel and initial_netns too */
        uint64_t page_size; /* bytes */
        uint64_t memory;    /* of the host, bytes; 0: unknown */

        bool has_pool;
        PortPool pool;

        SnapshotSockstat sockstat;
        bool known[SNAPSHOT_COUNTERS];
        uint64_t counters[SNAPSHOT_COUNTERS];

        /* Filled by collect_surroundings(). */
        bool knows_strange;
        const SnapshotStrange
                        *strange; /* net.ipv4.tcp_tw_* that the catalogue does not have, sorted */
        size_t n_strange;
        SnapshotEnabled enabled;
        bool knows_tracked;
        uint64_t n_tracked_tcp, n_tracked_time_wait; /* entries of connection tracking */

        bool has_sockets;
        SnapshotSockets sockets;
        SnapshotCost cost;
} Snapshot;

/* The keys that are read, sorted. */
size_t snapshot_setting_count(void);
const SysctlSpec *snapshot_setting(size_t i);
/* Whether counting sockets needs it, or who looks at counts alone; the others are what advice asks for. */
bool snapshot_setting_is_for_counting(size_t i);

/* The value of a key, or NULL when it is not there or not understood. */
const SysctlValue *snapshot_value(const Snapshot *snapshot, const char *key);
/* The same for keys of one integer; `otherwise` when it is not known. */
int64_t snapshot_number(const Snapshot *snapshot, const char *key, int64_t otherwise);

/* Sets `pool` from the settings; has_pool stays false when the kernel's range is not understood. */
void snapshot_set_pool(Snapshot *snapshot);

/* Seconds that a TIME_WAIT lasts: the vendor's key where it is there, else the kernel's constant. */
uint32_t snapshot_time_wait_ms(const Snapshot *snapshot);
/* Milliseconds after which tcp_tw_reuse takes a TIME_WAIT: the key where it is there, else 1000. */
uint32_t snapshot_reuse_delay_ms(const Snapshot *snapshot);

static inline uint32_t snapshot_use_total(const SnapshotUse *use) {
        return use->n_time_wait + use->n_fin_wait2 + use->n_other;
}

/* tcp_max_tw_buckets as the kernel computes it: half the slots of the table of connections (net/ipv4/tcp_ipv4.c,
 * tcp_set_hashinfo()), also in a namespace that shares the first one's, where tcp_ehash_entries is negative. false: the
 * key is not there (before Linux 6.1). */
bool snapshot_default_buckets(const Snapshot *snapshot, uint64_t *ret);
/* The same for tcp_max_syn_backlog: a slot of 128, at least 128. */
bool snapshot_default_syn_backlog(const Snapshot *snapshot, uint64_t *ret);
/* NULL when no enabled profile sets the key in this namespace. */
const SnapshotEnabledKey *snapshot_enabled(const Snapshot *snapshot, const char *key);

/* U in thousandths; 0 when the pool has no ports. */
uint32_t snapshot_use_level(const Snapshot *snapshot, const SnapshotUse *use);

uint32_t snapshot_state_total(const SnapshotSockets *sockets, TcpState state);

typedef struct SnapshotStateCount {
        TcpState state;
        uint32_t n; /* of both families */
} SnapshotStateCount;

/* The states that some socket is in, those of most sockets first; how many. */
size_t snapshot_states_by_count(
                const SnapshotSockets *sockets, SnapshotStateCount ret[static TCP_STATES]);

/* As netstat(8) writes them: "TIME_WAIT". */
const char *tcp_state_name(TcpState state);
/* TCP_STATES when there is no such name. */
TcpState tcp_state_find(const char *name);
