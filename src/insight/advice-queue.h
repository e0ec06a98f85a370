/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about queues in front of programs: connections that wait to be accepted (ACC-1, ACC-2), SYNs (SYN-1 to SYN-5),
 * packets in front of the processors (NIC-1, NIC-2).
 */

#include "insight/advice.h"

extern const AdviceRules advice_queue_rules;

/* The listening port whose accept queue is over its limit; else, with `overflows`, the one that is fullest and at least half
 * full. NULL: none. */
const SnapshotListener *advice_full_listener(const Snapshot *now, bool overflows);
