/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-server.h"

#include "insight/advice-facts.h"

/* [J] Fewer TIME_WAITs than this on the accepting side nobody asks about. */
#define MANY_TIME_WAITS 1000U
/* [J] Thousandths of tcp_max_tw_buckets: from here on the limit is a subject of its own (TWB-2). */
#define FAR_FROM_LIMIT 500U
/* [J] Of the pool, in thousandths: a tuple that takes more may need tcp_tw_reuse. */
#define IDLE_TUPLE_LEVEL 300U
/* [E] A TIME_WAIT takes 240 to 272 bytes and up to two bind buckets of 128 (Linux 4.15 to 7.2). */
#define TIME_WAIT_MIN_BYTES 256U
#define TIME_WAIT_MAX_BYTES 512U
/* [J] Hundredths of the memory. */
#define MEMORY_SHARE 1U
/* [J] Accepts per second, in thousandths, from which on short connections cost something. */
#define MANY_ACCEPTS 50000U
/* [D] The shortest keep-alive that a common server ships is 5 s (Apache KeepAliveTimeout): a connection that lives a fifth of
 * it was not kept. */
#define SHORT_LIFE_MS 1000U

/* --- SRV-1, SRV-2: this host closes first --------------------------------------------------------------- */

typedef struct Accepting {
        uint64_t n_incoming, n_all, buckets, limit;
} Accepting;

/* Most TIME_WAITs are of accepted connections, the limit is far, and nothing overflows. */
static bool is_harmless(AdviceRun *run, Accepting *ret) {
        const Snapshot *now = run->now;
        int64_t limit = 0;
        uint64_t overflows = 0;
        Accepting found = {
                .n_incoming = now->sockets.sides[SNAPSHOT_INCOMING].n_time_wait,
                .n_all = snapshot_state_total(&now->sockets, TCP_STATE_TIME_WAIT),
                .buckets = now->sockets.n_buckets,
        };
        if (found.n_incoming < MANY_TIME_WAITS || found.n_incoming * 2 <= found.n_all ||
            !advice_setting(run, "net.ipv4.tcp_max_tw_buckets", &limit) || limit <= 0)
                return false;
        found.limit = (uint64_t) limit;
        if (advice_share(found.buckets, found.limit) >= FAR_FROM_LIMIT)
                return false;
        /* one that never moved has no rate either */
        bool never = now->known[COUNTER_TIME_WAIT_OVERFLOW] &&
                     now->counters[COUNTER_TIME_WAIT_OVERFLOW] == 0;
        if (!never && (!advice_rate(run, COUNTER_TIME_WAIT_OVERFLOW, &overflows) || overflows > 0))
                return false;
        *ret = found;
        return true;
}

/* The listening port with most TIME_WAITs. */
static const SnapshotListener *busiest(const Snapshot *now) {
        const SnapshotListener *found = NULL;
        for (size_t i = 0; i < now->sockets.n_listeners; i++) {
                const SnapshotListener *listener = &now->sockets.listeners[i];
                if (!found || listener->use.n_time_wait > found->use.n_time_wait)
                        found = listener;
        }
        return found;
}

static const char *port_subject(AdviceRun *run) {
        const SnapshotListener *listener = busiest(run->now);
        return listener ? advice_text(run, "local port %u", listener->port) : "listening ports";
}

static void tell_accepting(AdviceRun *run, const Accepting *a, AdviceFinding *f) {
        const SnapshotListener *listener = busiest(run->now);
        const char *incoming = advice_count(run, a->n_incoming);
        advice_evidence(run, f, "%s of %s TIME_WAITs (%s) are of accepted connections.", incoming,
                        advice_count(run, a->n_all), advice_percent(run, a->n_incoming, a->n_all));
        if (listener)
                advice_evidence(run, f, "%s of them are at port %u.",
                                advice_count(run, listener->use.n_time_wait), listener->port);
        advice_formula(run, f, "memory = T x 256 to 512 bytes = %s to %s",
                       advice_bytes(run, a->n_incoming * TIME_WAIT_MIN_BYTES),
                       advice_bytes(run, a->n_incoming * TIME_WAIT_MAX_BYTES));
        advice_formula(run, f, "tw / tcp_max_tw_buckets = %s / %s = %s",
                       advice_count(run, a->buckets), advice_count(run, a->limit),
                       advice_percent(run, a->buckets, a->limit));
        advice_number(f, "T", (double) a->n_incoming, "sockets");
        advice_number(f, "tw", (double) a->buckets, "buckets");
        advice_number(f, "B", (double) a->limit, "buckets");
}

static void judge_harmless(AdviceRun *run) {
        Accepting a;
        if (!is_harmless(run, &a))
                return;
        AdviceFinding *f = advice_find_plain(run, port_subject(run));
        advice_evidence(run, f,
                        "This host closes first, and that does no harm: a new SYN from the "
                        "same client port is accepted at once.");
        tell_accepting(run, &a, f);
        advice_remedy(run, f, ADVICE_REMEDY_NOTHING,
                      "fewer of them come of keep-alive, or of clients that close first");
        advice_next(run, f, "twprofile lab --scenario=server-closes");
}

/* tcp_tw_reuse has nothing to do here: no destination lacks ports, and nothing was ever taken over. */
static bool reuse_is_idle(const Snapshot *now) {
        const SnapshotSockets *sockets = &now->sockets;
        if (sockets->n_tuples > 0 &&
            snapshot_use_level(now, &sockets->tuples[0].use) >= IDLE_TUPLE_LEVEL)
                return false;
        return now->known[COUNTER_TIME_WAIT_RECYCLED] &&
               now->counters[COUNTER_TIME_WAIT_RECYCLED] == 0;
}

static void judge_reuse_on_server(AdviceRun *run) {
        Accepting a;
        int64_t reuse = 0;
        if (!advice_setting(run, "net.ipv4.tcp_tw_reuse", &reuse) || reuse != 1 ||
            !reuse_is_idle(run->now) || !is_harmless(run, &a))
                return;
        AdviceFinding *f = advice_find_plain(run, "net.ipv4.tcp_tw_reuse");
        advice_evidence(run, f,
                        "tcp_tw_reuse=1 acts on connect() only, and no connect() took a "
                        "TIME_WAIT over (TWRecycled 0).");
        tell_accepting(run, &a, f);
        advice_number(f, "TWRecycled", 0, "sockets");
        advice_remedy(run, f, ADVICE_REMEDY_TW_REUSE_DEFAULT, NULL);
        advice_next(run, f, "twprofile explain net.ipv4.tcp_tw_reuse");
}

/* --- SRV-3: memory -------------------------------------------------------------------------------------- */

static void judge_memory(AdviceRun *run) {
        const Snapshot *now = run->now;
        uint64_t buckets;
        if (!advice_buckets(run, &buckets) || now->memory == 0) {
                advice_skip(run, now->memory == 0 ? "the size of the memory is not known"
                                                  : "neither sockets nor /proc/net/sockstat");
                return;
        }
        uint64_t bytes = buckets * TIME_WAIT_MAX_BYTES, share = now->memory / 100 * MEMORY_SHARE;
        if (bytes <= share)
                return;
        AdviceFinding *f = advice_find_plain(run, "kernel memory");
        advice_evidence(run, f, "%s sockets in TIME_WAIT take up to %s of %s memory.",
                        advice_count(run, buckets), advice_bytes(run, bytes),
                        advice_bytes(run, now->memory));
        advice_formula(run, f, "tw x 512 bytes = %s x 512 = %s; %u%% of the memory = %s",
                       advice_count(run, buckets), advice_count(run, bytes), MEMORY_SHARE,
                       advice_count(run, share));
        advice_number(f, "tw", (double) buckets, "buckets");
        advice_number(f, "memory", (double) now->memory, "bytes");
        advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS, NULL);
        if (now->has_sockets && now->sockets.sides[SNAPSHOT_INCOMING].n_time_wait >= buckets / 2)
                advice_remedy(run, f, ADVICE_REMEDY_CLIENT_CLOSES_FIRST, NULL);
        advice_next(run, f, "twprofile lab --scenario=keep-alive");
}

/* --- SRV-4: one request for each connection ------------------------------------------------------------- */

/* By Little's law connections live open / accepts on average. */
static void judge_short_lives(AdviceRun *run) {
        uint64_t accepts;
        if (!advice_rate(run, COUNTER_PASSIVE_OPENS, &accepts) || accepts < MANY_ACCEPTS)
                return;
        uint64_t open = run->now->sockets.sides[SNAPSHOT_INCOMING].n_other;
        uint64_t life_ms = open * 1000000 / accepts;
        if (life_ms >= SHORT_LIFE_MS)
                return;
        AdviceFinding *f = advice_find_plain(run, port_subject(run));
        const char *rate = advice_decimal(run, accepts), *n_open = advice_count(run, open);
        advice_evidence(run, f,
                        "%s connections are accepted per second, and %s are open: each ends after "
                        "%s s on average, as with one request for each connection.",
                        rate, n_open, advice_decimal(run, life_ms));
        advice_formula(run, f, "life = open / accepts = %s / %s per second = %s s", n_open, rate,
                       advice_decimal(run, life_ms));
        advice_number(f, "accepts", (double) accepts / 1000, "1/s");
        advice_number(f, "open", (double) open, "sockets");
        advice_number(f, "life", (double) life_ms / 1000, "s");
        advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS,
                      "keep-alive on the server, and from a proxy to its backends");
        advice_next(run, f, "twprofile lab --scenario=keep-alive");
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "SRV-1", DIAG_SRV_1, ADVICE_NEEDS_SOCKETS, false, judge_harmless, {} },
        { "SRV-2", DIAG_SRV_2, ADVICE_NEEDS_SOCKETS, false, judge_reuse_on_server, { "SRV-1" } },
        { "SRV-3", DIAG_SRV_3, 0, false, judge_memory, {} },
        { "SRV-4",
          DIAG_SRV_4,
          ADVICE_NEEDS_RATES | ADVICE_NEEDS_SOCKETS,
          false,
          judge_short_lives,
          {} },
};

const AdviceRules advice_server_rules = { rows, ELEMENTSOF(rows) };
