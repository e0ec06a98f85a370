/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What `observe --watch` keeps between two looks: a few rows of numbers with their past, and when every socket is to be
 * listed again. Pure.
 *
 * Counters and sums cost the same however many sockets there are, so they are read at each look. The list costs more the
 * more there are: it comes again when WATCH_SHARE times what it took of a processor has gone by.
 */

#include "insight/rates.h"
#include "insight/sparkline.h"

#define WATCH_SHARE 200U /* half a hundredth of one processor; the other half is for all the rest */

typedef enum WatchRowId {
        WATCH_BUCKETS, /* TIME_WAIT and orphans of FIN_WAIT2 */
        WATCH_IN_USE,  /* all other sockets */
        WATCH_BUSIEST, /* of the pool, to one destination: as of the last list */
        WATCH_OPENS,
        WATCH_ACCEPTS,
        WATCH_TIME_WAITS,
        WATCH_REUSED,
        WATCH_OVERFLOWS,
        WATCH_RESETS,
        WATCH_RETRANSMITS,
        WATCH_DROPS,
        WATCH_ROWS,
} WatchRowId;

typedef struct WatchRow {
        const char *label; /* in front of a sparkline */
        const char *column;
        bool is_whole; /* a count: no fraction */
} WatchRow;

const WatchRow *watch_row(WatchRowId id);

/* Zero initialised: nothing was seen. */
typedef struct Watch {
        bool has_busiest;
        uint64_t busiest; /* thousandths of a hundredth */
        int64_t next_list_us;
        bool known[WATCH_ROWS];
        uint64_t value[WATCH_ROWS]; /* thousandths */
        Sparkline past[WATCH_ROWS];
} Watch;

/* Whether the list is due at that time of CLOCK_MONOTONIC. */
bool watch_wants_list(const Watch *watch, int64_t now_us);
/* A list was made, and took that much of a processor until `now_us`. NULL: it failed. */
void watch_add_list(Watch *watch, const Snapshot *listed, uint64_t cpu_us, int64_t now_us);
/* One look; `rates` is NULL at the first. */
void watch_add(Watch *watch, const Snapshot *snapshot, const SnapshotRates *rates);
