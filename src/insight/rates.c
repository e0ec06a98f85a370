/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/rates.h"

#define SCALE UINT64_C(1000000000) /* thousandths of an event in a second of microseconds */

/* events × 10^9 / µs without overflow: what does not fit is more than any kernel counts. */
static uint64_t rate_of(uint64_t events, uint64_t us) {
        unsigned __int128 rate = (unsigned __int128) events * SCALE / us;
        return rate > UINT64_MAX ? UINT64_MAX : (uint64_t) rate;
}

bool rates_between(const Snapshot *earlier, const Snapshot *later, SnapshotRates *ret) {
        int64_t us = later->monotonic_us - earlier->monotonic_us;
        if (us <= 0 || earlier->netns != later->netns)
                return false;
        SnapshotRates rates = { .interval_us = us };
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                rates.known[id] = earlier->known[id] && later->known[id] &&
                                  later->counters[id] >= earlier->counters[id];
                if (rates.known[id])
                        rates.per_second[id] = rate_of(
                                        later->counters[id] - earlier->counters[id], (uint64_t) us);
        }
        *ret = rates;
        return true;
}
