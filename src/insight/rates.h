/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How fast the kernel's counters move between two snapshots of one network namespace. Pure.
 */

#include "insight/snapshot.h"

typedef struct SnapshotRates {
        int64_t interval_us;
        bool known[SNAPSHOT_COUNTERS];
        uint64_t per_second[SNAPSHOT_COUNTERS]; /* thousandths of an event */
} SnapshotRates;

/* false when they are not of one namespace, or `later` is not later. A counter that one of them lacks, or that fell, is
 * unknown. */
bool rates_between(const Snapshot *earlier, const Snapshot *later, SnapshotRates *ret);
