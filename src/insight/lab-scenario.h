/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the lab can play: a table. A scenario has steps, loads that differ in one thing; each step is run once for each set
 * of settings. To add one: a row, and a line in the manual page.
 */

#include "insight/lab-load.h"

#define LAB_SECONDS_DEFAULT 3U
#define LAB_SECONDS_MAX     3600U

typedef struct LabStep {
        const char *name;        /* "" in a scenario with one step */
        LabLoad load;            /* duration_ms 0: as long as the caller says */
        const char *key, *value; /* a setting of the step itself, over all others; or NULL */
} LabStep;

typedef struct LabScenario {
        const char *name;
        const char *title;
        const char *shows; /* what to look at in the result */
        bool has_ceiling;  /* worth minutes: what the supply of ports sustains shows after 60 s */
        const LabStep *steps;
        size_t n_steps;
} LabScenario;

size_t lab_scenario_count(void);
const LabScenario *lab_scenario_get(size_t i);
/* NULL when unknown. */
const LabScenario *lab_scenario_find(const char *name, size_t n);
