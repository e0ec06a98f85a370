/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/snapshot.h"

/* --- tables --------------------------------------------------------------------------------------------- */

/* The kernel's names are those of net/ipv4/proc.c (snmp4_tcp_list, snmp4_net_list); softnet_stat has none, its fields are
 * named after struct softnet_data. */
static const SnapshotCounter counters[SNAPSHOT_COUNTERS] = {
        [COUNTER_ACTIVE_OPENS] = { "Tcp.ActiveOpens", false, "connections opened from here" },
        [COUNTER_PASSIVE_OPENS] = { "Tcp.PassiveOpens", false, "connections accepted" },
        [COUNTER_ATTEMPT_FAILS] = { "Tcp.AttemptFails", true,
                                    "connections that were never established" },
        [COUNTER_ESTAB_RESETS] = { "Tcp.EstabResets", true, "open connections reset" },
        [COUNTER_IN_SEGMENTS] = { "Tcp.InSegs", false, "segments received" },
        [COUNTER_OUT_SEGMENTS] = { "Tcp.OutSegs", false, "segments sent" },
        [COUNTER_RETRANSMITS] = { "Tcp.RetransSegs", true, "segments sent again" },
        [COUNTER_RESETS_SENT] = { "Tcp.OutRsts", true, "resets sent" },
        [COUNTER_TIME_WAIT] = { "TcpExt.TW", false, "TIME_WAITs made" },
        [COUNTER_TIME_WAIT_KILLED] = { "TcpExt.TWKilled", false,
                                       "orphans of FIN_WAIT2 with a short timer made" },
        [COUNTER_TIME_WAIT_RECYCLED] = { "TcpExt.TWRecycled", false,
                                         "TIME_WAITs taken over by connect()" },
        [COUNTER_TIME_WAIT_OVERFLOW] = { "TcpExt.TCPTimeWaitOverflow", true,
                                         "closes without a TIME_WAIT, at tcp_max_tw_buckets" },
        [COUNTER_PAWS_ACTIVE] = { "TcpExt.PAWSActive", true,
                                  "answers to our SYNs dropped for their timestamps" },
        [COUNTER_PAWS_PASSIVE] = { "TcpExt.PAWSPassive", true, "SYNs dropped by tcp_tw_recycle" },
        [COUNTER_PAWS_ESTAB] = { "TcpExt.PAWSEstab", true,
                                 "segments of open connections dropped for their timestamps" },
        [COUNTER_PAWS_TIME_WAIT] = { "TcpExt.PAWSTimewait", true,
                                     "segments to TIME_WAITs dropped for their timestamps" },
        [COUNTER_SKIPPED_TIME_WAIT] = { "TcpExt.TCPACKSkippedTimeWait", true,
                                        "answers from TIME_WAIT held back" },
        [COUNTER_SKIPPED_FIN_WAIT2] = { "TcpExt.TCPACKSkippedFinWait2", true,
                                        "answers from FIN_WAIT2 held back" },
        [COUNTER_LISTEN_OVERFLOWS] = { "TcpExt.ListenOverflows", true,
                                       "connections refused because an accept queue was full" },
        [COUNTER_LISTEN_DROPS] = { "TcpExt.ListenDrops", true,
                                   "SYNs dropped by listening sockets" },
        [COUNTER_REQUESTS_COOKIES] = { "TcpExt.TCPReqQFullDoCookies", true,
                                       "SYNs answered by cookie because the queue was full" },
        [COUNTER_REQUESTS_DROPPED] = { "TcpExt.TCPReqQFullDrop", true,
                                       "SYNs dropped because the request queue was full" },
        [COUNTER_COOKIES_SENT] = { "TcpExt.SyncookiesSent", true, "SYN cookies sent" },
        [COUNTER_COOKIES_RECEIVED] = { "TcpExt.SyncookiesRecv", false,
                                       "SYN cookies that came back" },
        [COUNTER_COOKIES_FAILED] = { "TcpExt.SyncookiesFailed", true,
                                     "SYN cookies that were not ours" },
        [COUNTER_ABORT_ON_DATA] = { "TcpExt.TCPAbortOnData", true,
                                    "connections reset by us with data unread, or by SO_LINGER 0" },
        [COUNTER_ABORT_ON_LINGER] = { "TcpExt.TCPAbortOnLinger", true,
                                      "connections reset by TCP_LINGER2" },
        [COUNTER_ABORT_ON_MEMORY] = { "TcpExt.TCPAbortOnMemory", true,
                                      "connections reset for lack of memory or orphan slots" },
        [COUNTER_BACKLOG_DROPPED] = { "softnet_stat.dropped", true,
                                      "packets dropped at netdev_max_backlog (whole host)" },
        [COUNTER_BUDGET_SPENT] = { "softnet_stat.time_squeeze", true,
                                   "times that netdev_budget ended with packets left (whole host)" },
        [COUNTER_TRACKING_INSERT_FAILED] = { "nf_conntrack.insert_failed", true,
                                             "connections that could not be tracked" },
        [COUNTER_TRACKING_DROPPED] = { "nf_conntrack.drop", true,
                                       "packets dropped because tracking had no room" },
        [COUNTER_TRACKING_EARLY_DROPPED] = { "nf_conntrack.early_drop", true,
                                             "tracked connections forgotten to make room" },
};

/* Sorted, as sysctl_live_read() wants them. */
static const struct {
        const char *key;
        bool for_counting;
} settings[] = {
        { "net.core.netdev_budget", false },
        { "net.core.netdev_budget_usecs", false },
        { "net.core.netdev_max_backlog", false },
        { "net.core.somaxconn", false },
        { "net.ipv4.ip_local_port_range", true },
        { "net.ipv4.ip_local_reserved_ports", true },
        { "net.ipv4.ip_unprivileged_port_start", false },
        { "net.ipv4.tcp_abort_on_overflow", false },
        { "net.ipv4.tcp_child_ehash_entries", false },
        { "net.ipv4.tcp_ehash_entries", false },
        { "net.ipv4.tcp_fin_timeout", false },
        { "net.ipv4.tcp_keepalive_intvl", false },
        { "net.ipv4.tcp_keepalive_probes", false },
        { "net.ipv4.tcp_keepalive_time", false },
        { "net.ipv4.tcp_max_orphans", false },
        { "net.ipv4.tcp_max_syn_backlog", false },
        { "net.ipv4.tcp_max_tw_buckets", true },
        { "net.ipv4.tcp_mem", false },
        { "net.ipv4.tcp_orphan_retries", false },
        { "net.ipv4.tcp_rfc1337", false },
        { "net.ipv4.tcp_syncookies", false },
        { "net.ipv4.tcp_timestamps", true },
        { "net.ipv4.tcp_tw_recycle", false },
        { "net.ipv4.tcp_tw_reuse", true },
        { "net.ipv4.tcp_tw_reuse_delay", true },
        { "net.ipv4.tcp_tw_timeout", true },
        { "net.ipv4.vs.conn_reuse_mode", false },
        { "net.ipv4.vs.conntrack", false },
        { "net.ipv4.vs.expire_nodest_conn", false },
        { "net.netfilter.nf_conntrack_buckets", false },
        { "net.netfilter.nf_conntrack_count", false },
        { "net.netfilter.nf_conntrack_max", false },
        { "net.netfilter.nf_conntrack_tcp_timeout_established", false },
        { "net.netfilter.nf_conntrack_tcp_timeout_time_wait", false },
};

static const char *const state_names[TCP_STATES] = {
        [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
        [TCP_STATE_SYN_SENT] = "SYN_SENT",
        [TCP_STATE_SYN_RECV] = "SYN_RECV",
        [TCP_STATE_FIN_WAIT1] = "FIN_WAIT1",
        [TCP_STATE_FIN_WAIT2] = "FIN_WAIT2",
        [TCP_STATE_TIME_WAIT] = "TIME_WAIT",
        [TCP_STATE_CLOSE] = "CLOSE",
        [TCP_STATE_CLOSE_WAIT] = "CLOSE_WAIT",
        [TCP_STATE_LAST_ACK] = "LAST_ACK",
        [TCP_STATE_LISTEN] = "LISTEN",
        [TCP_STATE_CLOSING] = "CLOSING",
        [TCP_STATE_NEW_SYN_RECV] = "NEW_SYN_RECV",
};

const SnapshotCounter *snapshot_counter(SnapshotCounterId id) {
        assert((size_t) id < SNAPSHOT_COUNTERS);
        return &counters[id];
}

SnapshotCounterId snapshot_counter_find(const char *name) {
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++)
                if (streq(counters[id].name, name))
                        return id;
        return SNAPSHOT_COUNTERS;
}

size_t snapshot_setting_count(void) {
        return ELEMENTSOF(settings);
}

const SysctlSpec *snapshot_setting(size_t i) {
        assert(i < ELEMENTSOF(settings));
        const SysctlSpec *spec = catalogue_find(settings[i].key);
        assert(spec); /* a test looks at all of them */
        return spec;
}

bool snapshot_setting_is_for_counting(size_t i) {
        assert(i < ELEMENTSOF(settings));
        return settings[i].for_counting;
}

const char *tcp_state_name(TcpState state) {
        return (size_t) state < TCP_STATES && state_names[state] ? state_names[state] : "?";
}

TcpState tcp_state_find(const char *name) {
        for (TcpState state = TCP_STATE_ESTABLISHED; state < TCP_STATES; state++)
                if (streq(state_names[state], name))
                        return state;
        return TCP_STATES;
}

/* --- settings ------------------------------------------------------------------------------------------- */

const SysctlValue *snapshot_value(const Snapshot *snapshot, const char *key) {
        const SysctlSpec *spec = catalogue_find(key);
        const LiveKey *live = spec ? live_find(&snapshot->settings, spec) : NULL;
        return live && live->state == LIVE_PRESENT ? &live->value : NULL;
}

int64_t snapshot_number(const Snapshot *snapshot, const char *key, int64_t otherwise) {
        const SysctlValue *value = snapshot_value(snapshot, key);
        return value && value->n_ints > 0 ? value->ints[0] : otherwise;
}

/* Without timestamps nothing is used again (net/ipv4/tcp_ipv4.c, tcp_twsk_unique()). Before Linux 4.18 every value but 0
 * meant all (commit 79e9fed46038). */
static PortReuse reuse_of(const Snapshot *snapshot) {
        static const KernelVersion loopback_since = { 4, 18, 0 };
        int64_t reuse = snapshot_number(snapshot, "net.ipv4.tcp_tw_reuse", 0);
        if (reuse == 0 || snapshot_number(snapshot, "net.ipv4.tcp_timestamps", 0) == 0)
                return PORT_REUSE_NONE;
        bool knows_loopback = kernel_version_compare(&snapshot->settings.kernel, &loopback_since) >=
                              0;
        return reuse == 2 && knows_loopback ? PORT_REUSE_LOOPBACK : PORT_REUSE_ALL;
}

void snapshot_set_pool(Snapshot *snapshot) {
        const SysctlValue *range = snapshot_value(snapshot, "net.ipv4.ip_local_port_range");
        const SysctlValue *reserved = snapshot_value(snapshot, "net.ipv4.ip_local_reserved_ports");
        /* a list of reserved ports that cannot be read whole would make the pool look larger */
        snapshot->has_pool = range && reserved &&
                             port_pool_set(&snapshot->pool, range, reserved) >= 0;
        if (snapshot->has_pool)
                snapshot->pool.reuse = reuse_of(snapshot);
}

uint32_t snapshot_time_wait_ms(const Snapshot *snapshot) {
        int64_t seconds = snapshot_number(snapshot, "net.ipv4.tcp_tw_timeout", 0);
        return seconds > 0 && seconds < UINT32_MAX / 1000 ? (uint32_t) seconds * 1000
                                                          : SNAPSHOT_TIME_WAIT_MS;
}

uint32_t snapshot_reuse_delay_ms(const Snapshot *snapshot) {
        int64_t delay = snapshot_number(snapshot, "net.ipv4.tcp_tw_reuse_delay", 1000);
        return delay >= 0 && delay < UINT32_MAX ? (uint32_t) delay : 1000;
}

static bool table_slots(const Snapshot *snapshot, uint64_t *ret) {
        int64_t slots = snapshot_number(snapshot, "net.ipv4.tcp_ehash_entries", 0);
        if (slots == 0 || slots < INT32_MIN || slots > INT32_MAX)
                return false;
        *ret = (uint64_t) (slots < 0 ? -slots : slots);
        return true;
}

bool snapshot_default_buckets(const Snapshot *snapshot, uint64_t *ret) {
        uint64_t slots;
        if (!table_slots(snapshot, &slots))
                return false;
        *ret = slots / 2;
        return true;
}

bool snapshot_default_syn_backlog(const Snapshot *snapshot, uint64_t *ret) {
        uint64_t slots;
        if (!table_slots(snapshot, &slots))
                return false;
        *ret = slots / 128 < 128 ? 128 : slots / 128;
        return true;
}

const SnapshotEnabledKey *snapshot_enabled(const Snapshot *snapshot, const char *key) {
        const SnapshotEnabled *enabled = &snapshot->enabled;
        if (!enabled->known || enabled->netns != snapshot->netns)
                return NULL;
        for (size_t i = 0; i < enabled->n_keys; i++)
                if (enabled->keys[i].value && streq(enabled->keys[i].spec->key, key))
                        return &enabled->keys[i];
        return NULL;
}

/* --- figures -------------------------------------------------------------------------------------------- */

uint32_t snapshot_use_level(const Snapshot *snapshot, const SnapshotUse *use) {
        if (!snapshot->has_pool || snapshot->pool.size == 0)
                return 0;
        return (uint32_t) ((uint64_t) snapshot_use_total(use) * 1000 / snapshot->pool.size);
}

uint32_t snapshot_state_total(const SnapshotSockets *sockets, TcpState state) {
        assert((size_t) state < TCP_STATES);
        return sockets->states[SNAPSHOT_IPV4][state] + sockets->states[SNAPSHOT_IPV6][state];
}

static int compare_states(const void *a, const void *b) {
        const SnapshotStateCount *x = a, *y = b;
        if (x->n != y->n)
                return (x->n < y->n) - (x->n > y->n);
        return (x->state > y->state) - (x->state < y->state);
}

size_t snapshot_states_by_count(
                const SnapshotSockets *sockets, SnapshotStateCount ret[static TCP_STATES]) {
        size_t n = 0;
        for (TcpState s = TCP_STATE_ESTABLISHED; s < TCP_STATES; s++) {
                uint32_t total = snapshot_state_total(sockets, s);
                if (total > 0)
                        ret[n++] = (SnapshotStateCount){ s, total };
        }
        qsort(ret, n, sizeof(*ret), compare_states);
        return n;
}
