/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-load.h"

#include <time.h>

#define NS_PER_S   1e9
#define KNEE_TIMES 3U
/* One expensive bin may be another program's doing; the knee is where it stays so. */
#define KNEE_STAYS 3U
#define P50        500U

void lab_tally_add_failure(LabTally *tally, int error) {
        for (size_t i = 0; i < LAB_ERRORS_MAX; i++) {
                LabFailure *failure = &tally->failures[i];
                if (failure->n > 0 && failure->error != error && i < LAB_ERRORS_MAX - 1)
                        continue;
                if (failure->n == 0)
                        failure->error = error;
                failure->n++; /* the last place takes all other errors as well */
                return;
        }
}

double lab_tally_rate(const LabTally *tally) {
        if (tally->ended_ns <= tally->started_ns)
                return 0;
        return (double) tally->connections * NS_PER_S /
               (double) (tally->ended_ns - tally->started_ns);
}

double lab_tally_sustained_rate(const LabTally *tally) {
        if (tally->refused == 0 || tally->last_opened_ns <= tally->refusal_ns)
                return -1;
        return (double) (tally->opened - tally->opened_before_refusal) * NS_PER_S /
               (double) (tally->last_opened_ns - tally->refusal_ns);
}

static bool is_expensive(const LabTally *tally, size_t first, uint64_t limit_ns) {
        for (size_t i = first; i < first + KNEE_STAYS; i++)
                if (i >= LAB_COST_BINS || tally->cost[i].n == 0 ||
                    lab_histogram_percentile(&tally->cost[i], P50) <= limit_ns)
                        return false;
        return true;
}

unsigned lab_tally_knee(const LabTally *tally) {
        LabHistogram base = {};
        for (size_t i = 0; i < LAB_COST_BINS / 4; i++)
                lab_histogram_merge(&base, &tally->cost[i]);
        uint64_t limit_ns = lab_histogram_percentile(&base, P50) * KNEE_TIMES;
        for (size_t i = LAB_COST_BINS / 4; limit_ns > 0 && i < LAB_COST_BINS; i++)
                if (is_expensive(tally, i, limit_ns))
                        return (unsigned) (i * 1000 / LAB_COST_BINS);
        return 0;
}

uint64_t lab_now_ns(void) {
        struct timespec now;
        if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
                return 0; /* it has no reason to */
        return (uint64_t) now.tv_sec * 1000000000U + (uint64_t) now.tv_nsec;
}
