/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What `twprofile lab --json` printed, as a report shows it: each scenario with its runs side by side. Pure. The file is
 * anybody's: numbers and texts are bounded, texts are still to be escaped.
 */

#include "base/arena.h"
#include "base/error.h"
#include "insight/lab-report.h"

#define REPORT_LAB_MAX_BYTES     ((size_t) 16 * 1024 * 1024)
#define REPORT_LAB_MAX_DEPTH     12U
#define REPORT_LAB_MAX_SCENARIOS 64U
#define REPORT_LAB_MAX_STEPS     64U
#define REPORT_LAB_MAX_POINTS    10000U
#define REPORT_LAB_MAX_TEXT      1024U

typedef struct ReportLabPoint {
        uint32_t ms;        /* since the run began */
        uint64_t time_wait; /* of both sides */
} ReportLabPoint;

typedef struct ReportLabRun {
        const char *settings; /* "present", or the profiles */
        uint64_t connections;
        uint64_t per_second;     /* connections, thousandths */
        uint64_t failures;       /* of all kinds */
        const char *failure;     /* the most frequent: "EADDRNOTAVAIL"; NULL: none */
        uint64_t peak;           /* TIME_WAITs, the higher of both sides */
        uint64_t resets, reused; /* of both sides: Tcp.OutRsts, TcpExt.TWRecycled */
        bool has_connect;
        uint64_t connect_mean_ns, connect_p99_ns;
        const ReportLabPoint *points;
        size_t n_points;
} ReportLabRun;

typedef struct ReportLabStep {
        const char *name; /* "" when the scenario has one alone */
        ReportLabRun runs[LAB_SETS_MAX];
        size_t n_runs;
} ReportLabStep;

typedef struct ReportLabScenario {
        const char *name, *title, *shows;
        const ReportLabStep *steps;
        size_t n_steps;
} ReportLabScenario;

typedef struct ReportLabChange {
        const char *key, *present, *wanted, *state; /* present may be NULL */
} ReportLabChange;

typedef struct ReportLab {
        const char *kernel;
        const ReportLabChange *changes;
        size_t n_changes;
        const ReportLabScenario *scenarios;
        size_t n_scenarios;
} ReportLab;

/* The document, or its result alone. Everything goes into the arena. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int report_lab_decode(
                const char *bytes, size_t n, Arena *arena, ReportLab *ret, Error *reterr);
