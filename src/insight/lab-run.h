/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One run of the lab: fresh namespaces, settings, a server, a client, samples, and everything gone again.
 *
 *         LabRunResult *result = …;
 *         r = lab_run(&request, watch, userdata, result, &error);
 *
 * Processes: the stage's (insight/lab-stage.h) writes the settings and samples, and has a child for each side.
 */

#include "base/error.h"
#include "insight/lab-counters.h"
#include "insight/lab-load.h"
#include "insight/lab-settings.h"
#include "insight/lab-stage.h"

#define LAB_SAMPLE_MS   100U
#define LAB_SAMPLES_MAX 4096U /* of the curve; a run that is longer has them further apart */
#define LAB_RUN_MAX_MS  3600000U

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

/* 0 or <0: what kept the run from being made; what connections met is in the tally. */
NODISCARD int lab_run(
                const LabRunRequest *request, LabWatch watch, void *userdata, LabRunResult *ret,
                Error *reterr);

/* The same for several at once: a stage whose result is a LabRunResult. The request has to stay until the stage is started. */
NODISCARD int lab_run_start(LabRunRequest *request, LabStage **ret, Error *reterr);
