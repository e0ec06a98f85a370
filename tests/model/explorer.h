/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The search itself: which histories there are, and in which order they are looked at (breadth first). */

#include "machine.h"

typedef struct ExplorerOptions {
        uint64_t actions, crashes, cuts;
        SimPlant plant;
        bool quiet;        /* counts only */
        bool trace;        /* each new state */
        unsigned requests; /* bits of Step: what users ask for; 0: everything */
} ExplorerOptions;

/* Of one kind of step and what was done to it: the places, how often it was tried, what came of it. */
typedef struct ExplorerCount {
        uint64_t points, runs, violations;
} ExplorerCount;

typedef struct ExplorerCounts {
        uint64_t states; /* that differ */
        uint64_t runs;   /* of the engine, each up to its end or its death */
        uint64_t kills, cuts, touches;
        uint64_t possible; /* outcomes of the power cuts, more than `cuts` when they were drawn */
        uint64_t violations;
        ExplorerCount rows[SITUATIONS][_HIT_MAX];
} ExplorerCounts;

void explorer_run(const ExplorerOptions *options, ExplorerCounts *ret);
