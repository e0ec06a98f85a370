/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Durations in buckets, for percentiles of millions of them in fixed memory: eight buckets for each doubling, so that a
 * percentile is at most 12.5 % above the true one, and never below it.
 *
 * Plain data without pointers: it may lie in memory shared by two processes, of which one writes. Zero initialised.
 */

#include "base/macro.h"

#define LAB_HISTOGRAM_BUCKETS 256U

typedef struct LabHistogram {
        uint64_t n;
        uint64_t sum_ns, max_ns;
        uint32_t buckets[LAB_HISTOGRAM_BUCKETS];
} LabHistogram;

void lab_histogram_add(LabHistogram *histogram, uint64_t ns);
void lab_histogram_merge(LabHistogram *into, const LabHistogram *from);
/* The duration that `permille` of a thousand do not exceed; 0 when there is none at all. */
uint64_t lab_histogram_percentile(const LabHistogram *histogram, unsigned permille);
/* 0 when there is none. */
uint64_t lab_histogram_mean(const LabHistogram *histogram);
