/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-conntrack.h"

#include "insight/advice-facts.h"
#include "insight/surroundings.h"

/* [J] Thousandths of nf_conntrack_max. */
#define FULL_LEVEL        950U
#define NEARLY_FULL_LEVEL 800U
/* [J] Thousandths of the tracked TCP connections. */
#define TIME_WAIT_SHARE 500U
/* [S] As long as the sockets: include/net/tcp.h, TCP_TIMEWAIT_LEN. */
#define TIME_WAIT_SECONDS 60
/* [D] The default; twice as long as the sockets. */
#define TIME_WAIT_LONG 120

#define CT             "net.netfilter.nf_conntrack_"

static const char max_key[] = CT "max";
static const char time_wait_key[] = CT "tcp_timeout_time_wait";
static const char established_key[] = CT "tcp_timeout_established";
static const char reuse_mode_key[] = "net.ipv4.vs.conn_reuse_mode";

/* --- CT-1 to CT-3: how full the table is ----------------------------------------------------------------- */

typedef struct Table {
        int64_t count, max;              /* max 0: no limit (Linux up to 6.12) */
        uint64_t level;                  /* thousandths */
        uint64_t drops, failures, early; /* thousandths per second */
} Table;

static bool read_table(const AdviceRun *run, Table *ret) {
        Table table = {
                .drops = advice_rate_or_0(run, COUNTER_TRACKING_DROPPED),
                .failures = advice_rate_or_0(run, COUNTER_TRACKING_INSERT_FAILED),
                .early = advice_rate_or_0(run, COUNTER_TRACKING_EARLY_DROPPED),
        };
        if (!advice_setting(run, CT "count", &table.count) ||
            !advice_setting(run, max_key, &table.max) || table.count < 0 || table.max < 0)
                return false;
        table.level = advice_share((uint64_t) table.count, (uint64_t) table.max);
        *ret = table;
        return true;
}

static bool loses(const Table *table) {
        return table->drops > 0 || table->failures > 0 || table->early > 0;
}

static void tell_table(AdviceRun *run, const Table *table, AdviceFinding *f) {
        if (table->max > 0)
                advice_formula(run, f, "nf_conntrack_count / nf_conntrack_max = %s / %s = %s",
                               advice_count(run, (uint64_t) table->count),
                               advice_count(run, (uint64_t) table->max),
                               advice_percent(run, (uint64_t) table->count, (uint64_t) table->max));
        advice_number(f, "nf_conntrack_count", (double) table->count, "connections");
        advice_number(f, "nf_conntrack_max", (double) table->max, "connections");
}

static void tell_room(AdviceRun *run, const Table *table, AdviceFinding *f) {
        advice_remedy(run, f, ADVICE_REMEDY_CONNTRACK_LESS, NULL);
        if (table->level >= NEARLY_FULL_LEVEL)
                advice_remedy(run, f, ADVICE_REMEDY_CONNTRACK_MAX, "to %s or more",
                              advice_count(run, (uint64_t) table->count * 2));
        advice_next(run, f, "conntrack -S");
}

static void judge_full(AdviceRun *run) {
        Table table;
        if (!read_table(run, &table))
                return;
        if (table.level < FULL_LEVEL && !loses(&table)) {
                uint64_t rate; /* a table that is not full has lost nothing only if that can be known */
                (void) advice_rate(run, COUNTER_TRACKING_DROPPED, &rate);
                return;
        }
        AdviceFinding *f = advice_find_plain(run, max_key);
        advice_evidence(run, f, "%s connections are tracked, and %s may be.",
                        advice_count(run, (uint64_t) table.count),
                        table.max > 0 ? advice_count(run, (uint64_t) table.max) : "any number");
        if (loses(&table)) {
                advice_evidence(run, f,
                                "Per second %s packets are dropped, %s connections cannot be "
                                "entered, %s are forgotten early.",
                                advice_decimal(run, table.drops),
                                advice_decimal(run, table.failures),
                                advice_decimal(run, table.early));
                advice_formula(run, f,
                               "drop + insert_failed + early_drop = %s + %s + %s per second",
                               advice_decimal(run, table.drops),
                               advice_decimal(run, table.failures),
                               advice_decimal(run, table.early));
                advice_number(f, "drop", (double) table.drops / 1000, "1/s");
                advice_number(f, "insert_failed", (double) table.failures / 1000, "1/s");
                advice_number(f, "early_drop", (double) table.early / 1000, "1/s");
        }
        if (table.level < NEARLY_FULL_LEVEL)
                advice_evidence(run, f,
                                "The table is not full now: two packets of one connection "
                                "came at once, or it was full before.");
        tell_table(run, &table, f);
        tell_room(run, &table, f);
}

static void judge_nearly_full(AdviceRun *run) {
        Table table;
        if (!read_table(run, &table) || table.level < NEARLY_FULL_LEVEL)
                return;
        AdviceFinding *f = advice_find_plain(run, max_key);
        advice_evidence(run, f,
                        "%s connections are tracked, and %s may be; at the limit the first "
                        "packet of every new one is dropped.",
                        advice_count(run, (uint64_t) table.count),
                        advice_count(run, (uint64_t) table.max));
        tell_table(run, &table, f);
        tell_room(run, &table, f);
}

/* A table that is half empty loses connections for other reasons; then nobody looked who is in it. */
static void judge_churn(AdviceRun *run) {
        const Snapshot *now = run->now;
        Table table;
        int64_t seconds = 0;
        if (!read_table(run, &table))
                return;
        uint64_t least = loses(&table) ? SURROUNDINGS_TRACKED_SHARE * 10 : NEARLY_FULL_LEVEL;
        if (table.level < least)
                return;
        if (!now->knows_tracked) {
                advice_skip(run,
                            "which connections are tracked is not to be read here: only root may, "
                            "where the kernel has CONFIG_NF_CONNTRACK_PROCFS");
                return;
        }
        if (advice_share(now->n_tracked_time_wait, now->n_tracked_tcp) <= TIME_WAIT_SHARE)
                return;
        bool is_known = advice_setting(run, time_wait_key, &seconds);
        AdviceFinding *f = advice_find_plain(run, time_wait_key);
        advice_evidence(run, f,
                        "%s of the %s tracked TCP connections are in TIME_WAIT: ended ones "
                        "fill the table.",
                        advice_count(run, now->n_tracked_time_wait),
                        advice_count(run, now->n_tracked_tcp));
        advice_formula(run, f, "TIME_WAIT / TCP = %s / %s = %s",
                       advice_count(run, now->n_tracked_time_wait),
                       advice_count(run, now->n_tracked_tcp),
                       advice_percent(run, now->n_tracked_time_wait, now->n_tracked_tcp));
        advice_number(f, "TIME_WAIT", (double) now->n_tracked_time_wait, "connections");
        advice_number(f, "TCP", (double) now->n_tracked_tcp, "connections");
        advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS, NULL);
        if (is_known && seconds >= TIME_WAIT_LONG) {
                advice_number(f, "tcp_timeout_time_wait", (double) seconds, "s");
                advice_remedy(run, f, ADVICE_REMEDY_CONNTRACK_TIME_WAIT, "it is %lld now",
                              (long long) seconds);
        }
        advice_next(run, f, "conntrack -L -p tcp --state TIME_WAIT");
}

/* --- CT-4, CT-5: its timeouts --------------------------------------------------------------------------- */

static void judge_short_memory(AdviceRun *run) {
        int64_t seconds = 0;
        if (!advice_setting(run, time_wait_key, &seconds) || seconds >= TIME_WAIT_SECONDS)
                return;
        AdviceFinding *f = advice_find_plain(run, time_wait_key);
        advice_evidence(run, f,
                        "Tracking forgets TIME_WAIT after %lld s and the sockets after 60: "
                        "what comes late belongs to no connection and is INVALID.",
                        (long long) seconds);
        advice_formula(run, f, "%lld s < %d s", (long long) seconds, TIME_WAIT_SECONDS);
        advice_number(f, "tcp_timeout_time_wait", (double) seconds, "s");
        advice_remedy(run, f, ADVICE_REMEDY_CONNTRACK_TIME_WAIT, NULL);
        advice_next(run, f, "twprofile explain %s", time_wait_key);
}

static void judge_idle_connections(AdviceRun *run) {
        int64_t seconds = 0, idle = 0, interval = 0, probes = 0;
        if (!advice_setting(run, established_key, &seconds) ||
            !advice_setting(run, "net.ipv4.tcp_keepalive_time", &idle) ||
            !advice_setting(run, "net.ipv4.tcp_keepalive_intvl", &interval) ||
            !advice_setting(run, "net.ipv4.tcp_keepalive_probes", &probes) ||
            interval > INT32_MAX || probes > INT32_MAX || idle > INT32_MAX || interval < 0 ||
            probes < 0 || idle < 0)
                return;
        int64_t silent = idle + interval * probes;
        if (seconds >= silent)
                return;
        AdviceFinding *f = advice_find_plain(run, established_key);
        advice_evidence(run, f,
                        "Tracking forgets an idle connection after %lld s; TCP keep-alive "
                        "would notice a dead peer after %lld s. Until then such a "
                        "connection hangs.",
                        (long long) seconds, (long long) silent);
        advice_formula(run, f, "tcp_keepalive_time + intvl x probes = %lld + %lld x %lld = %lld s",
                       (long long) idle, (long long) interval, (long long) probes,
                       (long long) silent);
        advice_number(f, "tcp_timeout_established", (double) seconds, "s");
        advice_number(f, "keep-alive", (double) silent, "s");
        advice_remedy(run, f, ADVICE_REMEDY_CONNTRACK_ESTABLISHED,
                      "to %lld or more; or a tcp_keepalive_time below it", (long long) silent);
        advice_next(run, f, "twprofile explain %s", established_key);
}

/* --- IPVS ----------------------------------------------------------------------------------------------- */

/* Commit f0a5e4d7a594. */
static bool drops_first_syn(const Snapshot *now) {
        static const KernelVersion mended = { 5, 9, 0 };
        return kernel_version_compare(&now->settings.kernel, &mended) < 0;
}

static void judge_delayed(AdviceRun *run) {
        int64_t mode = 0, tracks = 0;
        if (!advice_setting(run, reuse_mode_key, &mode) || mode != 1 ||
            !advice_setting(run, "net.ipv4.vs.conntrack", &tracks) || tracks == 0 ||
            !drops_first_syn(run->now))
                return;
        const KernelVersion *kernel = &run->now->settings.kernel;
        AdviceFinding *f = advice_find_plain(run, reuse_mode_key);
        advice_evidence(run, f,
                        "Before Linux 5.9 IPVS drops the first SYN of a client that uses a "
                        "port again: 1 s of delay. This is %u.%u.",
                        kernel->major, kernel->minor);
        advice_formula(run, f, "conn_reuse_mode = 1, conntrack = %lld", (long long) tracks);
        advice_number(f, "conn_reuse_mode", (double) mode, "");
        advice_remedy(run, f, ADVICE_REMEDY_NEWER_KERNEL, "5.9 or later");
        advice_remedy(run, f, ADVICE_REMEDY_IPVS_CONN_REUSE,
                      "0 sends such a client to the old server, even if that was removed");
        advice_next(run, f, "twprofile explain %s", reuse_mode_key);
}

/* That a real server was removed cannot be seen afterwards; what would happen then is certain. Before 5.9 the value 0 with
 * expire_nodest_conn=1 is the lesser evil (kube-proxy sets both). */
static void judge_removed_servers(AdviceRun *run) {
        int64_t mode = 0, expires = 0;
        if (!advice_setting(run, reuse_mode_key, &mode) || mode != 0)
                return;
        bool is_known = advice_setting(run, "net.ipv4.vs.expire_nodest_conn", &expires);
        if (drops_first_syn(run->now) && is_known && expires != 0)
                return;
        AdviceFinding *f = advice_find_plain(run, reuse_mode_key);
        advice_evidence(run, f,
                        "conn_reuse_mode is 0: while clients use their ports again, a real "
                        "server that was taken out keeps getting their connections.");
        advice_formula(run, f, "conn_reuse_mode = 0, expire_nodest_conn = %lld",
                       (long long) expires);
        advice_number(f, "conn_reuse_mode", 0, "");
        advice_number(f, "expire_nodest_conn", (double) expires, "");
        if (drops_first_syn(run->now))
                advice_remedy(run, f, ADVICE_REMEDY_NEWER_KERNEL, "5.9 or later");
        advice_remedy(run, f, ADVICE_REMEDY_IPVS_CONN_REUSE,
                      "1 from Linux 5.9 on, with "
                      "expire_nodest_conn=1");
        advice_next(run, f, "twprofile explain %s", reuse_mode_key);
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "CT-1", DIAG_CT_1, 0, false, judge_full, { "CT-2" } },
        { "CT-2", DIAG_CT_2, 0, false, judge_nearly_full, {} },
        { "CT-3", DIAG_CT_3, 0, false, judge_churn, {} },
        { "CT-4", DIAG_CT_4, 0, false, judge_short_memory, {} },
        { "CT-5", DIAG_CT_5, 0, false, judge_idle_connections, {} },
        { "IPVS-1", DIAG_IPVS_1, 0, false, judge_delayed, {} },
        { "IPVS-2", DIAG_IPVS_2, 0, false, judge_removed_servers, {} },
};

const AdviceRules advice_conntrack_rules = { rows, ELEMENTSOF(rows) };
