/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-port.h"

#include "insight/advice-remedies.h"
#include "insight/advice-tuple.h"

/* Thresholds of U, in thousandths, and of lambda. Measured: the first failure at P, the knee at half of it; the others are
 * judgements. */
#define USED_UP_LEVEL    950U
#define KNEE_LEVEL       500U
#define CROWDED_LEVEL    800U
#define HARMLESS_LEVEL   300U
#define NEAR_RATE_LEVEL  700U
#define MANY_TIME_WAITS  1000U
#define ASK_ERRNO_LEVEL  CROWDED_LEVEL
#define WIDE_RANGE_PORTS 45536U /* 20000 to 65535, of the profile outbound-proxy */

static const char reuse_key[] = "net.ipv4.tcp_tw_reuse";

typedef bool (*TupleTest)(const AdviceRun *run, const AdviceTuple *t);
typedef void (*TupleTell)(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f);

static void each_tuple(AdviceRun *run, TupleTest is_so, TupleTell tell) {
        const SnapshotSockets *sockets = &run->now->sockets;
        for (size_t i = 0; i < sockets->n_tuples && run->now->pool.size > 0; i++) {
                AdviceTuple t = advice_tuple_figures(run, &sockets->tuples[i]);
                if (is_so(run, &t))
                        tell(run, &t,
                             advice_find(run, advice_rule_severity(run->rule), t.tuple, NULL));
        }
}

static int64_t reuse_of(const AdviceRun *run) {
        return snapshot_number(run->now, reuse_key, 0);
}

/* --- what all tell -------------------------------------------------------------------------------------- */

static const char *percent(AdviceRun *run, uint32_t level) {
        return advice_text(run, "%s%%", advice_decimal(run, (uint64_t) level * 100));
}

/* How many ports, who has them, and U. */
static void tell_use(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        const char *taken = advice_count(run, t->n_taken), *ports = advice_count(run, t->ports);
        const char *blocked = advice_count(run, t->n_blocked),
                   *orphans = advice_count(run, t->n_orphans), *open = advice_count(run, t->n_open);
        advice_evidence(run, f,
                        "%s of %s local ports are taken: %s by TIME_WAIT, %s by orphans of "
                        "FIN_WAIT2, %s by connections in other states.",
                        taken, ports, blocked, orphans, open);
        if (t->n_blocked < t->n_time_wait)
                advice_evidence(run, f,
                                "Another %s TIME_WAITs are old enough to be used again, and are "
                                "not counted.",
                                advice_count(run, t->n_time_wait - t->n_blocked));
        advice_formula(run, f, "U = (T + F + A) / P = (%s + %s + %s) / %s = %s", blocked, orphans,
                       open, ports, percent(run, t->level));
        advice_number(f, "P", (double) t->ports, "ports");
        advice_number(f, "T", (double) t->n_blocked, "sockets");
        advice_number(f, "F", (double) t->n_orphans, "sockets");
        advice_number(f, "A", (double) t->n_open, "sockets");
        advice_number(f, "U", (double) t->level / 10, "%");
}

static void tell_rate(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        if (!t->has_rate)
                return;
        const char *rate = advice_decimal(run, t->rate);
        uint32_t seconds = snapshot_time_wait_ms(run->now) / 1000;
        if (t->rate_is_steady)
                advice_formula(run, f, "lambda = T / %u s = %s / %u = %s connections/s", seconds,
                               advice_count(run, t->n_time_wait), seconds, rate);
        else
                advice_formula(run, f,
                               "lambda = the tuple's share of ActiveOpens = %s connections/s",
                               rate);
        advice_number(f, "lambda", (double) t->rate / 1000, "1/s");
}

static void tell_ceiling(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        uint32_t seconds = snapshot_time_wait_ms(run->now) / 1000;
        advice_formula(run, f, "C0 = P / %u s = %s / %u = %s connections/s", seconds,
                       advice_count(run, t->ports), seconds, advice_decimal(run, t->ceiling));
        advice_number(f, "C0", (double) t->ceiling / 1000, "1/s");
}

static void tell_reuse_ceiling(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        advice_formula(run, f, "C1 = P x 1000 / %u ms = %s connections/s", t->delay_ms,
                       advice_decimal(run, t->reuse_ceiling));
        advice_number(f, "C1", (double) t->reuse_ceiling / 1000, "1/s");
}

/* What is behind the lack of ports, and what to run. */
static void tell_cures(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        advice_remedies_for_ports(run, t, f);
        bool helps = !t->is_loopback && (t->ports < WIDE_RANGE_PORTS ||
                                         (!t->reuse_is_on && advice_reuse_would_help(t)));
        if (helps)
                f->profile = "outbound-proxy";
        advice_next(run, f, "%s",
                    t->is_loopback ? "twprofile explain net.ipv4.tcp_tw_reuse"
                    : helps        ? "twprofile plan outbound-proxy"
                                   : "twprofile lab --scenario=keep-alive,destinations");
}

/* --- PORT-1, PORT-2: how full --------------------------------------------------------------------------- */

static bool time_wait_is_most(const AdviceTuple *t) {
        return t->n_blocked >= t->n_orphans && t->n_blocked >= t->n_open;
}

static bool is_used_up(const AdviceRun *run UNUSED, const AdviceTuple *t) {
        return t->level >= USED_UP_LEVEL && time_wait_is_most(t);
}

static void tell_used_up(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        tell_use(run, t, f);
        advice_evidence(run, f,
                        "connect() fails with EADDRNOTAVAIL (errno 99) or is about to; no counter "
                        "of the kernel shows it: the program's log does.");
        tell_ceiling(run, t, f);
        tell_reuse_ceiling(run, t, f);
        tell_rate(run, t, f);
        tell_cures(run, t, f);
}

static void judge_used_up(AdviceRun *run) {
        each_tuple(run, is_used_up, tell_used_up);
}

static bool is_past_knee(const AdviceRun *run UNUSED, const AdviceTuple *t) {
        return t->level >= KNEE_LEVEL && t->level < USED_UP_LEVEL;
}

/* (1 - U) x P / (lambda - P / 60), where that is positive. With reuse at work the ports come back as fast as C1 allows. */
static void tell_time_left(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        if (!t->has_rate || t->rate == 0)
                return;
        uint64_t ceiling = t->reuse_happens ? t->reuse_ceiling : t->ceiling;
        const char *name = t->reuse_happens ? "C1" : "C0";
        if (t->rate <= ceiling) {
                advice_evidence(run, f,
                                "At this rate the ports do not run out: %s connections/s, and %s "
                                "is %s.",
                                advice_decimal(run, t->rate), name, advice_decimal(run, ceiling));
                return;
        }
        uint64_t left = (t->ports - t->n_taken) * 1000000 / (t->rate - ceiling);
        advice_formula(run, f, "time left = (1 - U) x P / (lambda - %s) = %s / (%s - %s) = %s s",
                       name, advice_count(run, t->ports - t->n_taken), advice_decimal(run, t->rate),
                       advice_decimal(run, ceiling), advice_decimal(run, left));
        advice_number(f, "time-left", (double) left / 1000, "s");
}

static void tell_past_knee(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        tell_use(run, t, f);
        advice_evidence(run, f,
                        "All ports of one parity are taken, and every connect() walks them first: "
                        "about 100 times slower in the test.");
        if (t->level >= ASK_ERRNO_LEVEL)
                advice_evidence(run, f,
                                "Does the program log errno 99 (EADDRNOTAVAIL) or 98 (EADDRINUSE)? "
                                "The kernel does not count them.");
        tell_ceiling(run, t, f);
        tell_rate(run, t, f);
        tell_time_left(run, t, f);
        tell_cures(run, t, f);
}

static void judge_past_knee(AdviceRun *run) {
        each_tuple(run, is_past_knee, tell_past_knee);
}

/* --- PORT-3, PORT-4: not TIME_WAIT ---------------------------------------------------------------------- */

static bool is_open_most(const AdviceRun *run UNUSED, const AdviceTuple *t) {
        return t->level >= CROWDED_LEVEL && t->n_open > t->n_blocked && t->n_open > t->n_orphans;
}

static const char *destination(AdviceRun *run, const AdviceTuple *t) {
        const char *arrow = strstr(advice_tuple(run, t->tuple), " -> ");
        return arrow ? arrow + strlen(" -> ") : "";
}

static void tell_open(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        tell_use(run, t, f);
        advice_evidence(run, f,
                        "Most of them are open connections: this is no problem of TIME_WAIT, and "
                        "reuse of TIME_WAITs does not help.");
        advice_remedy(run, f, ADVICE_REMEDY_CLOSE_LEAK, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_MORE_TUPLES, "%s ports for each",
                      advice_count(run, t->ports));
        advice_next(run, f, "ss -tnp dst %s", destination(run, t));
}

static void judge_open(AdviceRun *run) {
        each_tuple(run, is_open_most, tell_open);
}

static bool is_orphans_most(const AdviceRun *run UNUSED, const AdviceTuple *t) {
        return t->level >= CROWDED_LEVEL && t->n_orphans > t->n_blocked &&
               t->n_orphans >= t->n_open;
}

static void tell_orphans(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        tell_use(run, t, f);
        advice_evidence(run, f,
                        "The peer has not closed its side. An orphan of FIN_WAIT2 holds its port "
                        "and is not used again, whatever tcp_tw_reuse is.");
        advice_remedy(run, f, ADVICE_REMEDY_PEER_CLOSES, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_LINGER2, NULL);
        int64_t timeout = snapshot_number(run->now, "net.ipv4.tcp_fin_timeout", 60);
        advice_remedy(run, f, ADVICE_REMEDY_FIN_TIMEOUT, "5 to 60 s; now %lld",
                      (long long) timeout);
        advice_number(f, "tcp_fin_timeout", (double) timeout, "s");
        advice_next(run, f, "ss -tno state fin-wait-2 dst %s", destination(run, t));
}

static void judge_orphans(AdviceRun *run) {
        each_tuple(run, is_orphans_most, tell_orphans);
}

/* --- PORT-5, PORT-6: how fast --------------------------------------------------------------------------- */

static bool is_above(uint64_t rate, uint64_t ceiling) {
        return (unsigned __int128) rate * 1000 > (unsigned __int128) ceiling * NEAR_RATE_LEVEL;
}

static bool is_near_ceiling(const AdviceRun *run UNUSED, const AdviceTuple *t) {
        return !t->reuse_is_on && t->has_rate && is_above(t->rate, t->ceiling);
}

static void tell_near_ceiling(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        advice_evidence(run, f,
                        "%s connections/s are opened, and the ports sustain %s without reuse of "
                        "TIME_WAITs.",
                        advice_decimal(run, t->rate), advice_decimal(run, t->ceiling));
        tell_use(run, t, f);
        tell_ceiling(run, t, f);
        tell_rate(run, t, f);
        tell_cures(run, t, f);
}

static void judge_near_ceiling(AdviceRun *run) {
        each_tuple(run, is_near_ceiling, tell_near_ceiling);
}

static bool is_near_reuse_ceiling(const AdviceRun *run, const AdviceTuple *t) {
        return reuse_of(run) == 1 && t->reuse_is_on && t->has_rate &&
               is_above(t->rate, t->reuse_ceiling);
}

static void tell_near_reuse_ceiling(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        advice_evidence(run, f,
                        "%s connections/s are opened, and the ports sustain %s with tcp_tw_reuse "
                        "after %u ms.",
                        advice_decimal(run, t->rate), advice_decimal(run, t->reuse_ceiling),
                        t->delay_ms);
        tell_reuse_ceiling(run, t, f);
        tell_rate(run, t, f);
        advice_number(f, "P", (double) t->ports, "ports");
        tell_cures(run, t, f);
}

static void judge_near_reuse_ceiling(AdviceRun *run) {
        each_tuple(run, is_near_reuse_ceiling, tell_near_reuse_ceiling);
}

/* --- PORT-7: one by one --------------------------------------------------------------------------------- */

static void judge_bound(AdviceRun *run) {
        if (!advice_ports_are_bound(run))
                return;
        const SnapshotSockets *sockets = &run->now->sockets;
        uint64_t ports = run->now->pool.size, taken = sockets->n_pool_ports_taken;
        const char *most = sockets->n_tuples > 0
                                           ? advice_count(run,
                                                          snapshot_use_total(
                                                                          &sockets->tuples[0].use))
                                           : "0";
        AdviceFinding *f = advice_find(run, advice_rule_severity(run->rule), NULL, "local ports");
        advice_evidence(run, f,
                        "%s of %s ports of the range have outgoing connections, and no "
                        "destination has more than %s of them. connect() alone would have kept to "
                        "the ports of one parity.",
                        advice_count(run, taken), advice_count(run, ports), most);
        uint32_t level = (uint32_t) (taken * 1000 / ports);
        advice_formula(run, f, "D / P = %s / %s = %s", advice_count(run, taken),
                       advice_count(run, ports), percent(run, level));
        advice_number(f, "D", (double) taken, "ports");
        advice_number(f, "P", (double) ports, "ports");
        advice_remedy(run, f, ADVICE_REMEDY_BIND_LATE,
                      "current HAProxy and nginx do; ip_autobind_reuse is no way out");
        advice_next(run, f, "ss -tnp state established");
}

/* --- PORT-8: reuse that does not happen ----------------------------------------------------------------- */

static bool is_not_reused(const AdviceRun *run, const AdviceTuple *t) {
        return reuse_of(run) == 1 &&
               (uint64_t) t->tuple->use.n_reusable * 1000 >= t->ports * KNEE_LEVEL &&
               advice_reuse_fails(run, t);
}

static void tell_not_reused(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        const char *old = advice_count(run, t->tuple->use.n_reusable);
        uint32_t level = (uint32_t) ((uint64_t) t->tuple->use.n_reusable * 1000 / t->ports);
        advice_evidence(run, f,
                        "%s TIME_WAITs are older than %u ms, tcp_tw_reuse is 1, and TcpExt.TWRecycled "
                        "stands still: 0 per second.",
                        old, t->delay_ms);
        advice_formula(run, f, "T old enough / P = %s / %s = %s", old, advice_count(run, t->ports),
                       percent(run, level));
        advice_number(f, "T-old", (double) t->tuple->use.n_reusable, "sockets");
        advice_number(f, "P", (double) t->ports, "ports");
        advice_number(f, "TWRecycled", 0, "1/s");
        advice_remedy(run, f, ADVICE_REMEDY_BIND_LATE, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_PEER_TIMESTAMPS, NULL);
        advice_next(run, f, "sysctl net.ipv4.tcp_timestamps  # here, and on %s",
                    destination(run, t));
}

static void judge_not_reused(AdviceRun *run) {
        if (reuse_of(run) != 1)
                return;
        uint64_t rate;
        if (advice_rate(run, COUNTER_TIME_WAIT_RECYCLED, &rate) && rate == 0)
                each_tuple(run, is_not_reused, tell_not_reused);
}

/* --- PORT-9, PORT-10: to itself ------------------------------------------------------------------------- */

static bool lacks_ports(const AdviceTuple *t) {
        return t->level >= KNEE_LEVEL && (t->level < USED_UP_LEVEL || time_wait_is_most(t));
}

static bool is_loopback_without_reuse(const AdviceRun *run, const AdviceTuple *t) {
        return t->is_loopback && snapshot_value(run->now, reuse_key) && reuse_of(run) == 0 &&
               lacks_ports(t);
}

static void tell_to_itself(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        tell_use(run, t, f);
        advice_evidence(run, f, "Both ends are on this host, and tcp_tw_reuse is %lld%s.",
                        (long long) reuse_of(run),
                        t->is_loopback ? "" : ", which knows 127/8 and ::1 only");
        tell_reuse_ceiling(run, t, f);
        advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_UNIX_SOCKET, NULL);
        if (!t->is_loopback)
                advice_remedy(run, f, ADVICE_REMEDY_LOOPBACK_ADDRESS, NULL);
        if (advice_reuse_would_help(t))
                advice_remedies_for_reuse(run, t, f);
        advice_next(run, f, "twprofile explain net.ipv4.tcp_tw_reuse");
}

static void judge_loopback(AdviceRun *run) {
        each_tuple(run, is_loopback_without_reuse, tell_to_itself);
}

static bool is_own_address(const AdviceRun *run, const AdviceTuple *t) {
        return !t->is_loopback && reuse_of(run) == 2 && !t->reuse_is_on &&
               memcmp(&t->tuple->local, &t->tuple->remote, sizeof(t->tuple->local)) == 0 &&
               lacks_ports(t);
}

static void judge_own_address(AdviceRun *run) {
        each_tuple(run, is_own_address, tell_to_itself);
}

/* --- PORT-16: many, and harmless ------------------------------------------------------------------------ */

static void judge_many(AdviceRun *run) {
        const SnapshotSockets *sockets = &run->now->sockets;
        uint64_t n = sockets->sides[SNAPSHOT_OUTGOING].n_time_wait, ports = run->now->pool.size;
        if (n < MANY_TIME_WAITS || ports == 0 || sockets->n_tuples == 0)
                return;
        uint64_t most = (uint64_t) snapshot_use_total(&sockets->tuples[0].use) +
                        sockets->tuples_error;
        if (most * 1000 >= ports * HARMLESS_LEVEL)
                return;
        uint32_t level = (uint32_t) (most * 1000 / ports);
        AdviceFinding *f = advice_find(run, advice_rule_severity(run->rule), NULL, "TIME_WAIT");
        advice_evidence(run, f,
                        "%s TIME_WAITs of outgoing connections, to %s%s destinations; none of "
                        "them has more than %s of %s ports.",
                        advice_count(run, n), sockets->tuples_error > 0 ? "at least " : "",
                        advice_count(run, sockets->n_all_tuples), advice_count(run, most),
                        advice_count(run, ports));
        advice_formula(run, f, "largest U = %s / %s = %s", advice_count(run, most),
                       advice_count(run, ports), percent(run, level));
        advice_number(f, "T", (double) n, "sockets");
        advice_number(f, "P", (double) ports, "ports");
        advice_number(f, "U", (double) level / 10, "%");
        advice_remedy(run, f, ADVICE_REMEDY_NOTHING, NULL);
        advice_next(run, f, "twprofile observe --top=10");
}

/* -------------------------------------------------------------------------------------------------------- */

#define NEEDS_TUPLES (ADVICE_NEEDS_SOCKETS | ADVICE_NEEDS_POOL)

static const AdviceRule rows[] = {
        { "PORT-1", DIAG_PORT_1, NEEDS_TUPLES, false, judge_used_up, { "PORT-5", "PORT-6" } },
        { "PORT-2", DIAG_PORT_2, NEEDS_TUPLES, false, judge_past_knee, { "PORT-5" } },
        { "PORT-3",
          DIAG_PORT_3,
          NEEDS_TUPLES,
          false,
          judge_open,
          { "PORT-2", "PORT-9", "PORT-10" } },
        { "PORT-4",
          DIAG_PORT_4,
          NEEDS_TUPLES,
          /* is_about_fin_wait2= */ true,
          judge_orphans,
          { "PORT-2", "PORT-9", "PORT-10" } },
        { "PORT-5", DIAG_PORT_5, NEEDS_TUPLES, false, judge_near_ceiling, {} },
        { "PORT-6",
          DIAG_PORT_6,
          NEEDS_TUPLES | ADVICE_NEEDS_RATES,
          false,
          judge_near_reuse_ceiling,
          { "PORT-2" } },
        { "PORT-7", DIAG_PORT_7, NEEDS_TUPLES, false, judge_bound, { "PORT-16" } },
        { "PORT-8", DIAG_PORT_8, NEEDS_TUPLES | ADVICE_NEEDS_RATES, false, judge_not_reused, {} },
        { "PORT-9", DIAG_PORT_9, NEEDS_TUPLES, false, judge_loopback, {} },
        { "PORT-10", DIAG_PORT_10, NEEDS_TUPLES, false, judge_own_address, {} },
        { "PORT-16", DIAG_PORT_16, NEEDS_TUPLES, false, judge_many, {} },
};

const AdviceRules advice_port_rules = { rows, ELEMENTSOF(rows) };
