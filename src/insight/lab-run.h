/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One run of the lab: fresh namespaces, settings, a server, a client, samples, and everything gone again.
 *
 *         LabRunResult *result = …;
 *         r = lab_run(&request, watch, userdata, result, &error);
 *
 * Processes: the caller's child sets up the namespaces and samples, and has a child for each side. Each asks the kernel
 * to be killed with its parent (prctl(2), PR_SET_PDEATHSIG), so that nothing stays when the caller is killed, with
 * SIGKILL too. A run that does not end LAB_RUN_GRACE_MS after its time is ended. The caller should be single-threaded and have no
 * output buffered: children are forked.
 */

#include "base/error.h"
#include "insight/lab-counters.h"
#include "insight/lab-load.h"
#include "insight/lab-settings.h"

#define LAB_RUN_GRACE_MS 20000U
#define LAB_SAMPLE_MS    100U
#define LAB_SAMPLES_MAX  4096U /* of the curve; a run that is longer has them further apart */
#define LAB_RUN_MAX_MS   3600000U

typedef struct LabSample {
        uint32_t at_ms; /* since the client began */
        uint32_t client_time_wait, server_time_wait;
        uint64_t connections;
} LabSample;

/* Plain data: it lies in memory shared with the processes of the run. */
typedef struct LabRunResult {
        LabTally tally;
        uint32_t n_samples;
        LabSample samples[LAB_SAMPLES_MAX];
        uint32_t client_peak, server_peak; /* of the samples and of the last moment */
        LabCounters client, server;
        LabSettingState states[LAB_SETTINGS_MAX]; /* of LabRunRequest.settings */
        bool user_namespace;
} LabRunResult;

typedef struct LabRunRequest {
        const LabLoad *load;
        const LabSetting *settings; /* written on both sides, in this order */
        size_t n_settings;          /* at most LAB_SETTINGS_MAX */
} LabRunRequest;

/* Called about each LAB_SAMPLE_MS while the run goes on, with the time since it was asked for. <0 ends it. */
typedef int (*LabRunWatch)(void *userdata, uint32_t elapsed_ms);

/* 0 or <0: what kept the run from being made; what connections met is in the tally. */
NODISCARD int lab_run(
                const LabRunRequest *request, LabRunWatch watch, void *userdata, LabRunResult *ret,
                Error *reterr);
