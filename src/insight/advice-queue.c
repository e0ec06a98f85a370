/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-queue.h"

#include "insight/advice-facts.h"

/* [J] Cookies per second, in thousandths, and the share of them that comes back: below it they were no clients. */
#define MANY_COOKIES  10000U
#define FEW_COME_BACK 100U
/* [J] Times per second, in thousandths, that a softirq ended with packets left: now and then it is nothing. */
#define MANY_SQUEEZES 10000U

static const char somaxconn_key[] = "net.core.somaxconn";
static const char syncookies_key[] = "net.ipv4.tcp_syncookies";
static const char syn_backlog_key[] = "net.ipv4.tcp_max_syn_backlog";

/* --- ACC-1, ACC-2: the accept queue --------------------------------------------------------------------- */

/* include/net/sock.h, sk_acceptq_is_full(): more than the limit, so a full queue has one more. */
static bool is_over(const SnapshotListener *listener) {
        return listener->queue > listener->queue_limit;
}

static bool is_fuller(const SnapshotListener *a, const SnapshotListener *b) {
        return (uint64_t) a->queue * b->queue_limit > (uint64_t) b->queue * a->queue_limit;
}

const SnapshotListener *advice_full_listener(const Snapshot *now, bool overflows) {
        const SnapshotListener *found = NULL;
        for (size_t i = 0; i < now->sockets.n_listeners; i++) {
                const SnapshotListener *listener = &now->sockets.listeners[i];
                if (is_over(listener))
                        return listener;
                if (overflows && (uint64_t) listener->queue * 2 >= listener->queue_limit &&
                    (!found || is_fuller(listener, found)))
                        found = listener;
        }
        return found;
}

/* Overflows between the samples; without them the queues of now have to do. */
static bool judge_overflow(AdviceRun *run, uint64_t *ret, const SnapshotListener **ret_listener) {
        *ret = advice_rate_or_0(run, COUNTER_LISTEN_OVERFLOWS);
        *ret_listener = run->now->has_sockets ? advice_full_listener(run->now, *ret > 0) : NULL;
        return *ret > 0 || *ret_listener;
}

static void tell_queue(AdviceRun *run, const SnapshotListener *listener, AdviceFinding *f) {
        advice_evidence(run, f, "Port %u: %u connections wait to be accepted, and %u may (uid %u).",
                        listener->port, listener->queue, listener->queue_limit, listener->uid);
        advice_formula(run, f, "Recv-Q / Send-Q = %u / %u", listener->queue, listener->queue_limit);
        advice_number(f, "Recv-Q", listener->queue, "connections");
        advice_number(f, "Send-Q", listener->queue_limit, "connections");
}

static const char *listener_subject(AdviceRun *run, const SnapshotListener *listener) {
        return listener ? advice_text(run, "local port %u", listener->port) : "listening ports";
}

static void tell_next(AdviceRun *run, const SnapshotListener *listener, AdviceFinding *f) {
        if (listener)
                advice_next(run, f, "ss -ltnp '( sport = :%u )'", listener->port);
        else
                advice_next(run, f, "ss -ltnp");
}

static void judge_accept_queue(AdviceRun *run) {
        uint64_t overflows;
        int64_t somaxconn = 0;
        const SnapshotListener *listener;
        if (!judge_overflow(run, &overflows, &listener)) {
                (void) advice_rate(
                                run, COUNTER_LISTEN_OVERFLOWS, &overflows); /* or it is skipped */
                return;
        }
        bool is_known = advice_setting(run, somaxconn_key, &somaxconn);
        AdviceFinding *f = advice_find_plain(run, listener_subject(run, listener));
        advice_evidence(run, f,
                        "An accept queue is full: the kernel drops SYNs, and clients try "
                        "again after 1 s, 3 s, 7 s.");
        if (listener)
                tell_queue(run, listener, f);
        if (overflows > 0) {
                advice_formula(run, f, "ListenOverflows = %s per second",
                               advice_decimal(run, overflows));
                advice_number(f, "ListenOverflows", (double) overflows / 1000, "1/s");
        }
        advice_remedy(run, f, ADVICE_REMEDY_ACCEPT_FASTER, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_BACKLOG, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_LISTEN_AGAIN, NULL);
        if (is_known && (!listener || listener->queue_limit >= (uint64_t) somaxconn)) {
                advice_number(f, "somaxconn", (double) somaxconn, "connections");
                advice_remedy(run, f, ADVICE_REMEDY_SOMAXCONN, "it is %lld now",
                              (long long) somaxconn);
                f->profile = "busy-web-server";
        }
        tell_next(run, listener, f);
}

/* listen() takes the lesser of its argument and somaxconn (net/socket.c, __sys_listen()). */
static void judge_short_backlog(AdviceRun *run) {
        uint64_t overflows;
        int64_t somaxconn = 0;
        const SnapshotListener *listener;
        if (!judge_overflow(run, &overflows, &listener) || !listener ||
            !advice_setting(run, somaxconn_key, &somaxconn) || somaxconn < 0 ||
            listener->queue_limit >= (uint64_t) somaxconn)
                return;
        AdviceFinding *f = advice_find_plain(run, listener_subject(run, listener));
        advice_evidence(run, f,
                        "The program asked for a backlog of %u, and somaxconn is %lld: a "
                        "larger somaxconn changes nothing here.",
                        listener->queue_limit, (long long) somaxconn);
        advice_formula(run, f, "Send-Q = min(backlog, somaxconn) = %u < %lld",
                       listener->queue_limit, (long long) somaxconn);
        advice_number(f, "Send-Q", listener->queue_limit, "connections");
        advice_number(f, "somaxconn", (double) somaxconn, "connections");
        advice_remedy(run, f, ADVICE_REMEDY_BACKLOG, NULL);
        tell_next(run, listener, f);
}

/* --- SYN-1, SYN-2: cookies ------------------------------------------------------------------------------ */

typedef struct Cookies {
        uint64_t asked, sent, received, failed; /* thousandths per second */
} Cookies;

static bool read_cookies(AdviceRun *run, Cookies *ret) {
        return advice_rate(run, COUNTER_COOKIES_SENT, &ret->sent) &&
               advice_rate(run, COUNTER_COOKIES_RECEIVED, &ret->received) &&
               advice_rate(run, COUNTER_COOKIES_FAILED, &ret->failed) &&
               advice_rate(run, COUNTER_REQUESTS_COOKIES, &ret->asked);
}

static bool is_flood(const Cookies *cookies) {
        return cookies->sent >= MANY_COOKIES &&
               cookies->received * 1000 < cookies->sent * FEW_COME_BACK;
}

static void tell_cookies(AdviceRun *run, const Cookies *cookies, AdviceFinding *f) {
        const char *sent = advice_decimal(run, cookies->sent);
        const char *received = advice_decimal(run, cookies->received);
        advice_evidence(run, f, "%s cookies per second were sent, %s came back, %s were not ours.",
                        sent, received, advice_decimal(run, cookies->failed));
        advice_formula(run, f, "SyncookiesRecv / SyncookiesSent = %s / %s per second", received,
                       sent);
        advice_number(f, "SyncookiesSent", (double) cookies->sent / 1000, "1/s");
        advice_number(f, "SyncookiesRecv", (double) cookies->received / 1000, "1/s");
        advice_number(f, "SyncookiesFailed", (double) cookies->failed / 1000, "1/s");
}

static void judge_syn_queue(AdviceRun *run) {
        Cookies cookies;
        int64_t mode = 0;
        if (!read_cookies(run, &cookies) || (cookies.asked == 0 && cookies.sent == 0))
                return;
        if (advice_setting(run, syncookies_key, &mode) && mode == 2) {
                advice_skip(run, "tcp_syncookies=2 sends cookies whether a queue is full or not");
                return;
        }
        if (is_flood(&cookies) || cookies.failed > cookies.received)
                return;
        const SnapshotListener *listener = run->now->has_sockets
                                                           ? advice_full_listener(run->now, true)
                                                           : NULL;
        AdviceFinding *f = advice_find_plain(run, listener_subject(run, listener));
        advice_evidence(run, f,
                        "A queue of half-open connections is full, and real clients are in "
                        "it.");
        tell_cookies(run, &cookies, f);
        if (listener)
                tell_queue(run, listener, f);
        advice_remedy(run, f, ADVICE_REMEDY_BACKLOG,
                      "the queue of SYNs has the same limit, not tcp_max_syn_backlog");
        advice_remedy(run, f, ADVICE_REMEDY_LISTEN_AGAIN, NULL);
        int64_t somaxconn = 0;
        if (advice_setting(run, somaxconn_key, &somaxconn) &&
            (!listener || listener->queue_limit >= (uint64_t) somaxconn)) {
                advice_remedy(run, f, ADVICE_REMEDY_SOMAXCONN, "it is %lld now",
                              (long long) somaxconn);
                f->profile = "busy-web-server";
        }
        tell_next(run, listener, f);
}

static void judge_flood(AdviceRun *run) {
        Cookies cookies;
        if (!read_cookies(run, &cookies) || !is_flood(&cookies))
                return;
        AdviceFinding *f = advice_find_plain(run, "SYN cookies");
        advice_evidence(run, f,
                        "Nearly nobody who sends a SYN finishes the handshake: this is a "
                        "flood, and cookies keep it from doing harm.");
        tell_cookies(run, &cookies, f);
        advice_remedy(run, f, ADVICE_REMEDY_FILTER_UPSTREAM, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_SYNCOOKIES_ON, "leave it so");
        advice_next(run, f, "ss -tn state syn-recv");
}

/* --- SYN-3 to SYN-5: settings --------------------------------------------------------------------------- */

/* Somebody changed it: a profile of ours here, or the value is not what the kernel computes. */
static void judge_idle_syn_backlog(AdviceRun *run) {
        int64_t cookies = 0, backlog = 0;
        uint64_t computed = 0;
        if (!advice_setting(run, syncookies_key, &cookies) || cookies == 0 ||
            !advice_setting(run, syn_backlog_key, &backlog))
                return;
        bool is_known = snapshot_default_syn_backlog(run->now, &computed);
        const SnapshotEnabledKey *enabled = snapshot_enabled(run->now, syn_backlog_key);
        if (!enabled && !is_known) {
                advice_skip(run, "what the kernel computed is not known without tcp_ehash_entries");
                return;
        }
        if (!enabled && backlog == (int64_t) computed)
                return;
        AdviceFinding *f = advice_find_plain(run, syn_backlog_key);
        advice_evidence(run, f,
                        "tcp_max_syn_backlog was set to %lld, and is not looked at while "
                        "tcp_syncookies is %lld.",
                        (long long) backlog, (long long) cookies);
        if (enabled)
                advice_evidence(run, f, "The profile %s sets it.", enabled->profile);
        if (is_known) {
                advice_formula(run, f, "max(128, tcp_ehash_entries / 128) = %s",
                               advice_count(run, computed));
                advice_number(f, "computed", (double) computed, "requests");
        }
        advice_formula(run, f, "limit of half-open connections = min(backlog, somaxconn)");
        advice_number(f, "tcp_max_syn_backlog", (double) backlog, "requests");
        advice_remedy(run, f, ADVICE_REMEDY_SYN_BACKLOG_DROP, NULL);
        advice_next(run, f, "twprofile explain %s", syn_backlog_key);
}

static void judge_no_cookies(AdviceRun *run) {
        int64_t mode = 0;
        if (!advice_setting(run, syncookies_key, &mode) || mode != 0)
                return;
        uint64_t drops = advice_rate_or_0(run, COUNTER_REQUESTS_DROPPED);
        AdviceFinding *f = advice_find_plain(run, syncookies_key);
        advice_evidence(run, f,
                        "tcp_syncookies is 0: a full queue of half-open connections drops "
                        "SYNs, and a flood shuts the port.");
        if (drops > 0) {
                advice_evidence(run, f, "%s SYNs per second are dropped.",
                                advice_decimal(run, drops));
                advice_number(f, "TCPReqQFullDrop", (double) drops / 1000, "1/s");
        }
        advice_formula(run, f, "tcp_syncookies = 0");
        advice_number(f, "tcp_syncookies", 0, "");
        advice_remedy(run, f, ADVICE_REMEDY_SYNCOOKIES_ON, NULL);
        advice_next(run, f, "twprofile plan hygiene");
        f->profile = "hygiene";
}

static void judge_abort_on_overflow(AdviceRun *run) {
        static const char key[] = "net.ipv4.tcp_abort_on_overflow";
        int64_t mode = 0;
        if (!advice_setting(run, key, &mode) || mode == 0)
                return;
        AdviceFinding *f = advice_find_plain(run, key);
        advice_evidence(run, f,
                        "tcp_abort_on_overflow is %lld: when an accept queue is full the "
                        "client gets a RST, where it would have come in a moment later.",
                        (long long) mode);
        advice_formula(run, f, "tcp_abort_on_overflow = %lld", (long long) mode);
        advice_number(f, "tcp_abort_on_overflow", (double) mode, "");
        advice_remedy(run, f, ADVICE_REMEDY_ABORT_OFF, NULL);
        advice_next(run, f, "twprofile plan hygiene");
        f->profile = "hygiene";
}

/* --- NIC-1, NIC-2: packets in front of the processors ---------------------------------------------------- */

/* Both counters and both keys are of the whole host: a namespace of its own can do nothing about it. */
static bool read_host_rate(AdviceRun *run, SnapshotCounterId id, uint64_t *ret) {
        if (run->now->settings.initial_netns)
                return advice_rate(run, id, ret);
        advice_skip(run, "%s is of the whole host, and judged in its first namespace",
                    snapshot_counter(id)->name);
        return false;
}

static void judge_backlog(AdviceRun *run) {
        static const char key[] = "net.core.netdev_max_backlog";
        uint64_t drops;
        if (!read_host_rate(run, COUNTER_BACKLOG_DROPPED, &drops) || drops == 0)
                return;
        int64_t limit = 0;
        AdviceFinding *f = advice_find_plain(run, key);
        advice_evidence(run, f,
                        "%s packets per second are dropped in front of a processor: on the "
                        "loopback, on veth, or behind RPS.",
                        advice_decimal(run, drops));
        advice_formula(run, f, "column 2 of softnet_stat = %s per second",
                       advice_decimal(run, drops));
        advice_number(f, "dropped", (double) drops / 1000, "1/s");
        if (advice_setting(run, key, &limit))
                advice_number(f, "netdev_max_backlog", (double) limit, "packets");
        advice_remedy(run, f, ADVICE_REMEDY_NETDEV_BACKLOG, NULL);
        advice_next(run, f, "twprofile explain %s", key);
}

static void judge_budget(AdviceRun *run) {
        uint64_t squeezes;
        if (!read_host_rate(run, COUNTER_BUDGET_SPENT, &squeezes) || squeezes < MANY_SQUEEZES)
                return;
        AdviceFinding *f = advice_find_plain(run, "net.core.netdev_budget");
        advice_evidence(run, f,
                        "%s times per second a processor stopped taking packets with some "
                        "left.",
                        advice_decimal(run, squeezes));
        advice_formula(run, f, "column 3 of softnet_stat = %s per second",
                       advice_decimal(run, squeezes));
        advice_number(f, "time_squeeze", (double) squeezes / 1000, "1/s");
        advice_remedy(run, f, ADVICE_REMEDY_NETDEV_BUDGET, NULL);
        advice_next(run, f, "twprofile explain net.core.netdev_budget");
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "ACC-1", DIAG_ACC_1, 0, false, judge_accept_queue, {} },
        { "ACC-2", DIAG_ACC_2, ADVICE_NEEDS_SOCKETS, false, judge_short_backlog, {} },
        { "SYN-1", DIAG_SYN_1, ADVICE_NEEDS_RATES, false, judge_syn_queue, {} },
        { "SYN-2", DIAG_SYN_2, ADVICE_NEEDS_RATES, false, judge_flood, {} },
        { "SYN-3", DIAG_SYN_3, 0, false, judge_idle_syn_backlog, {} },
        { "SYN-4", DIAG_SYN_4, 0, false, judge_no_cookies, {} },
        { "SYN-5", DIAG_SYN_5, 0, false, judge_abort_on_overflow, {} },
        { "NIC-1", DIAG_NIC_1, ADVICE_NEEDS_RATES, false, judge_backlog, {} },
        { "NIC-2", DIAG_NIC_2, ADVICE_NEEDS_RATES, false, judge_budget, {} },
};

const AdviceRules advice_queue_rules = { rows, ELEMENTSOF(rows) };
