/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/watch.h"

static const struct {
        WatchRow row;
        SnapshotCounterId counter; /* SNAPSHOT_COUNTERS: it is no rate */
} rows[WATCH_ROWS] = {
        [WATCH_BUCKETS] = { { "TIME_WAIT", "time-wait", true }, SNAPSHOT_COUNTERS },
        [WATCH_IN_USE] = { { "in use", "in-use", true }, SNAPSHOT_COUNTERS },
        [WATCH_BUSIEST] = { { "ports % of busiest", "ports%", false }, SNAPSHOT_COUNTERS },
        [WATCH_OPENS] = { { "opened/s", "opened/s", false }, COUNTER_ACTIVE_OPENS },
        [WATCH_ACCEPTS] = { { "accepted/s", "accept/s", false }, COUNTER_PASSIVE_OPENS },
        [WATCH_TIME_WAITS] = { { "TIME_WAITs made/s", "tw/s", false }, COUNTER_TIME_WAIT },
        [WATCH_REUSED] = { { "TIME_WAITs reused/s", "reused/s", false },
                           COUNTER_TIME_WAIT_RECYCLED },
        [WATCH_OVERFLOWS] = { { "bucket overflow/s", "overfl/s", false },
                              COUNTER_TIME_WAIT_OVERFLOW },
        [WATCH_RESETS] = { { "resets sent/s", "resets/s", false }, COUNTER_RESETS_SENT },
        [WATCH_RETRANSMITS] = { { "sent again/s", "retran/s", false }, COUNTER_RETRANSMITS },
        [WATCH_DROPS] = { { "SYNs dropped/s", "drops/s", false }, COUNTER_LISTEN_DROPS },
};

const WatchRow *watch_row(WatchRowId id) {
        assert((size_t) id < WATCH_ROWS);
        return &rows[id].row;
}

bool watch_wants_list(const Watch *watch, int64_t now_us) {
        return now_us >= watch->next_list_us;
}

/* Of all tuples the highest; the first has most sockets, and all have the same pool. */
void watch_add_list(Watch *watch, const Snapshot *listed, uint64_t cpu_us, int64_t now_us) {
        watch->next_list_us = now_us + (int64_t) cpu_us * (WATCH_SHARE - 1);
        watch->has_busiest = listed && listed->has_sockets && listed->has_pool;
        if (watch->has_busiest)
                watch->busiest = listed->sockets.n_tuples > 0
                                                 ? (uint64_t) snapshot_use_level(
                                                                   listed,
                                                                   &listed->sockets.tuples[0].use) *
                                                                   100
                                                 : 0;
}

static void push(Watch *watch, WatchRowId id, bool known, uint64_t value) {
        watch->known[id] = known;
        watch->value[id] = value;
        if (known)
                sparkline_push(&watch->past[id], value);
        else
                sparkline_push_gap(&watch->past[id]);
}

void watch_add(Watch *watch, const Snapshot *snapshot, const SnapshotRates *rates) {
        const SnapshotSockstat *sockstat = &snapshot->sockstat;
        push(watch, WATCH_BUCKETS, sockstat->known, sockstat->time_wait * 1000);
        push(watch, WATCH_IN_USE, sockstat->known,
             (sockstat->in_use[SNAPSHOT_IPV4] + sockstat->in_use[SNAPSHOT_IPV6]) * 1000);
        push(watch, WATCH_BUSIEST, watch->has_busiest, watch->busiest);
        for (WatchRowId id = WATCH_OPENS; id < WATCH_ROWS; id++) {
                SnapshotCounterId counter = rows[id].counter;
                bool known = rates && rates->known[counter];
                push(watch, id, known, known ? rates->per_second[counter] : 0);
        }
}
