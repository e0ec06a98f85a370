/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a lab found, side by side, and its JSON. A set of settings is "present" (the host's) or the profiles'; `runs` has for
 * each step one result of each set.
 */

#include <jansson.h>

#include "insight/lab-run.h"
#include "insight/lab-scenario.h"

#define LAB_SETS_MAX 2U

/* A key that a profile touches. */
typedef struct LabChange {
        const SysctlSpec *spec;
        const char *present; /* NULL: not known */
        const char *wanted;
        LabSettingState state;
} LabChange;

typedef struct LabStepReport {
        const LabStep *step;
        const LabRunResult *runs[LAB_SETS_MAX]; /* borrowed */
} LabStepReport;

typedef struct LabScenarioReport {
        const LabScenario *scenario;
        LabStepReport *steps; /* scenario->n_steps */
} LabScenarioReport;

typedef struct LabReport {
        const char *sets[LAB_SETS_MAX]; /* "present", "web" */
        size_t n_sets;
        const char *kernel;
        bool user_namespace;
        const LabChange *changes;
        size_t n_changes;
        const LabScenarioReport *scenarios;
        size_t n_scenarios;
} LabReport;

/* A new reference, or NULL when out of memory. */
json_t *lab_report_to_json(const LabReport *report);
/* "EADDRNOTAVAIL"; never NULL. */
const char *lab_error_name(int error);
