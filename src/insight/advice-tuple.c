/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-tuple.h"

/* Load is steady when TIME_WAITs grow or shrink by no more than a fifth of what ends by itself in the same time. */
#define STEADY_SHARE 5U
/* Of the pool, in thousandths: D at which ports must be held one by one, and U that would explain it otherwise. connect()
 * alone keeps to the ports of one parity, half of the pool, until some tuple has all of these. */
#define BOUND_PORTS_LEVEL 900U
#define BOUND_TUPLE_LEVEL 500U
/* At which the pool is used up even if nothing is opened any more: connect() fails before it is counted as an open. */
#define USED_UP_LEVEL 950U

static const char reuse_key[] = "net.ipv4.tcp_tw_reuse";

static uint64_t scaled(uint64_t n, uint64_t by, uint64_t divisor) {
        if (divisor == 0)
                return 0;
        unsigned __int128 product = (unsigned __int128) n * by / divisor;
        return product > UINT64_MAX ? UINT64_MAX : (uint64_t) product;
}

static bool is_on_for(const Snapshot *now, bool is_loopback) {
        switch (now->pool.reuse) {
        case PORT_REUSE_ALL:
                return true;
        case PORT_REUSE_LOOPBACK:
                return is_loopback;
        case PORT_REUSE_NONE:
                break;
        }
        return false;
}

/* Before Linux 4.19 the clock's second had to advance by more than one. */
static uint32_t delay_of(const Snapshot *now) {
        static const KernelVersion one_second_since = { 4, 19, 0 };
        if (!snapshot_value(now, "net.ipv4.tcp_tw_reuse_delay") &&
            kernel_version_compare(&now->settings.kernel, &one_second_since) < 0)
                return 2000;
        uint32_t delay = snapshot_reuse_delay_ms(now);
        return delay > 0 ? delay : 1;
}

/* --- lambda --------------------------------------------------------------------------------------------- */

static bool is_same_tuple(const SnapshotTuple *a, const SnapshotTuple *b) {
        return a->remote_port == b->remote_port &&
               memcmp(&a->local, &b->local, sizeof(a->local)) == 0 &&
               memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0;
}

static uint64_t earlier_time_waits(const Snapshot *before, const SnapshotTuple *tuple) {
        for (size_t i = 0; i < before->sockets.n_tuples; i++)
                if (is_same_tuple(&before->sockets.tuples[i], tuple))
                        return before->sockets.tuples[i].use.n_time_wait;
        return 0;
}

/* Whether as many TIME_WAITs begin as end: then T / 60 is the rate. One sample shows no growth. */
static bool is_steady(const AdviceRun *run, const AdviceTuple *t, uint64_t ending_rate) {
        const Snapshot *before = run->input->before;
        if (run->rates.interval_us <= 0 || !before || !before->has_sockets)
                return true;
        uint64_t earlier = earlier_time_waits(before, t->tuple);
        uint64_t growth = t->n_time_wait > earlier ? t->n_time_wait - earlier
                                                   : earlier - t->n_time_wait;
        return scaled(growth, UINT64_C(1000000000), (uint64_t) run->rates.interval_us) <=
               ending_rate / STEADY_SHARE;
}

/* The tuple's part of ActiveOpens: by the TIME_WAITs of the last seconds where there are any, else by all sockets. */
static uint64_t share_of_opens(const AdviceRun *run, const AdviceTuple *t, uint64_t opens) {
        const SnapshotUse *all = &run->now->sockets.sides[SNAPSHOT_OUTGOING];
        if (all->n_recent > 0)
                return scaled(opens, t->tuple->use.n_recent, all->n_recent);
        return scaled(opens, snapshot_use_total(&t->tuple->use), snapshot_use_total(all));
}

static void set_rate(const AdviceRun *run, AdviceTuple *t) {
        uint64_t ending = scaled(t->n_time_wait, 1000000, snapshot_time_wait_ms(run->now));
        bool has_opens = run->rates.interval_us > 0 && run->rates.known[COUNTER_ACTIVE_OPENS];
        t->rate_is_steady = !t->reuse_is_on && (!has_opens || is_steady(run, t, ending));
        t->has_rate = t->rate_is_steady || has_opens;
        if (t->rate_is_steady)
                t->rate = ending;
        else if (has_opens)
                t->rate = share_of_opens(run, t, run->rates.per_second[COUNTER_ACTIVE_OPENS]);
}

/* --- occupancy ------------------------------------------------------------------------------------------ */

static bool is_used_up(const AdviceTuple *t) {
        return (t->n_time_wait + t->n_orphans + t->n_open) * 1000 >= t->ports * USED_UP_LEVEL;
}

/* With nothing opened TWRecycled stands still as well. But a pool that is used up opens nothing: then it fails where
 * nothing was ever taken over. */
bool advice_reuse_fails(const AdviceRun *run, const AdviceTuple *t) {
        const SnapshotRates *rates = &run->rates;
        if (!t->reuse_is_on || !run->now->known[COUNTER_TIME_WAIT_RECYCLED] ||
            t->tuple->use.n_reusable == 0)
                return false;
        if (rates->interval_us <= 0 || !rates->known[COUNTER_TIME_WAIT_RECYCLED])
                return false;
        if (rates->per_second[COUNTER_TIME_WAIT_RECYCLED] > 0)
                return false;
        bool opens = rates->known[COUNTER_ACTIVE_OPENS] &&
                     rates->per_second[COUNTER_ACTIVE_OPENS] > 0;
        return opens || (is_used_up(t) && run->now->counters[COUNTER_TIME_WAIT_RECYCLED] == 0);
}

AdviceTuple advice_tuple_figures(const AdviceRun *run, const SnapshotTuple *tuple) {
        const Snapshot *now = run->now;
        AdviceTuple t = {
                .tuple = tuple,
                .ports = now->pool.size,
                .n_time_wait = tuple->use.n_time_wait,
                .n_orphans = tuple->use.n_fin_wait2,
                .n_open = tuple->use.n_other,
                .is_loopback = tcp_address_is_loopback(&tuple->local) ||
                               tcp_address_is_loopback(&tuple->remote),
                .delay_ms = delay_of(now),
        };
        t.reuse_is_on = snapshot_value(now, reuse_key) && is_on_for(now, t.is_loopback);
        t.reuse_happens = t.reuse_is_on && !advice_reuse_fails(run, &t);
        uint64_t reusable = t.reuse_happens ? tuple->use.n_reusable : 0;
        t.n_blocked = t.n_time_wait > reusable ? t.n_time_wait - reusable : 0;
        t.n_taken = t.n_blocked + t.n_orphans + t.n_open;
        t.level = (uint32_t) scaled(t.n_taken, 1000, t.ports);
        t.ceiling = scaled(t.ports, 1000000, snapshot_time_wait_ms(now));
        t.reuse_ceiling = scaled(t.ports, 1000000, t.delay_ms);
        set_rate(run, &t);
        return t;
}

/* What a list that leaves something out may be missing counts against it. */
bool advice_ports_are_bound(const AdviceRun *run) {
        const Snapshot *now = run->now;
        const SnapshotSockets *sockets = &now->sockets;
        if (now->pool.size == 0 || (uint64_t) sockets->n_pool_ports_taken * 1000 <
                                                   (uint64_t) now->pool.size * BOUND_PORTS_LEVEL)
                return false;
        uint64_t most = sockets->tuples_error;
        if (sockets->n_tuples > 0)
                most += snapshot_use_total(&sockets->tuples[0].use);
        return most * 1000 < (uint64_t) now->pool.size * BOUND_TUPLE_LEVEL;
}
