/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The time before a change, as the health gate sees it: GATE_BASELINE_INTERVALS times GATE_INTERVAL_MS, so five seconds
 * at least, before the engine takes its lock. The caller is told how far it is; when it hangs up, nothing is changed.
 *
 *         GateBaselineTask task = { .engine = &engine, .caller_fd = fd };
 *         service.sample_gate = gate_baseline_sample;
 *         service.gate_userdata = &task;
 */

#include "engine/engine.h"
#include "helper/gate-sample.h"

#define GATE_BASELINE_INTERVALS 10U

typedef struct GateBaselineTask {
        const Engine *engine; /* its seam, root and progress; borrowed */
        int caller_fd;        /* watched for its end; borrowed; FD_EMPTY: nobody to watch */
        int interval_ms;      /* 0: GATE_INTERVAL_MS */
        void (*log)(const char *line);
} GateBaselineTask;

/* Gives the baseline as JSON text, which the caller frees. 0; -ECANCELED when the caller hung up; -ENODATA when there is
 * nothing to judge by; <0. Service.sample_gate; userdata is a GateBaselineTask. */
NODISCARD int gate_baseline_sample(void *userdata, char **ret, Error *reterr);
