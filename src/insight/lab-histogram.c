/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-histogram.h"

#define STEPS_LOG2 3U /* eight buckets for each doubling */
#define STEPS      (1U << STEPS_LOG2)

/* Below 8 ns each value has its own; above, the three bits behind the leading one choose. The last bucket, from 2^34 ns
 * (17 s) on, takes all that is longer: the maximum is kept beside. */
static size_t bucket_of(uint64_t ns) {
        if (ns < STEPS)
                return (size_t) ns;
        unsigned log2 = 63U - (unsigned) __builtin_clzll(ns);
        size_t step = (size_t) (ns >> (log2 - STEPS_LOG2)) & (STEPS - 1);
        size_t i = (size_t) (log2 - STEPS_LOG2 + 1) * STEPS + step;
        return i < LAB_HISTOGRAM_BUCKETS ? i : LAB_HISTOGRAM_BUCKETS - 1;
}

/* The largest duration that falls into it. */
static uint64_t top_of(size_t i) {
        if (i < STEPS)
                return i;
        unsigned shift = (unsigned) (i / STEPS) - 1;
        return ((uint64_t) (STEPS + i % STEPS + 1) << shift) - 1;
}

void lab_histogram_add(LabHistogram *histogram, uint64_t ns) {
        histogram->n++;
        histogram->sum_ns += ns;
        if (ns > histogram->max_ns)
                histogram->max_ns = ns;
        histogram->buckets[bucket_of(ns)]++;
}

void lab_histogram_merge(LabHistogram *into, const LabHistogram *from) {
        into->n += from->n;
        into->sum_ns += from->sum_ns;
        if (from->max_ns > into->max_ns)
                into->max_ns = from->max_ns;
        for (size_t i = 0; i < LAB_HISTOGRAM_BUCKETS; i++)
                into->buckets[i] += from->buckets[i];
}

uint64_t lab_histogram_percentile(const LabHistogram *histogram, unsigned permille) {
        assert(permille <= 1000);
        uint64_t rank = (histogram->n * permille + 999) / 1000, seen = 0;
        for (size_t i = 0; i < LAB_HISTOGRAM_BUCKETS; i++) {
                seen += histogram->buckets[i];
                if (seen == 0 || seen < rank)
                        continue;
                uint64_t top = i < LAB_HISTOGRAM_BUCKETS - 1 ? top_of(i) : histogram->max_ns;
                return top < histogram->max_ns ? top : histogram->max_ns;
        }
        return histogram->max_ns;
}

uint64_t lab_histogram_mean(const LabHistogram *histogram) {
        return histogram->n == 0 ? 0 : histogram->sum_ns / histogram->n;
}
