/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The field's claims as they were found in files and measured, and their JSON.
 */

#include <jansson.h>

#include "insight/field-jobs.h"

#define FIELD_PLACES_MAX 8U

typedef struct FieldPlace {
        const char *file; /* base name */
        uint32_t line;    /* 0: of the text, no line */
} FieldPlace;

/* One claim with one value, wherever it stands. */
typedef struct FieldCase {
        const FieldClaim *claim;
        const LabSetting *line; /* NULL: of the text */
        FieldPlace places[FIELD_PLACES_MAX];
        size_t n_places;
        const FieldJob *jobs[FIELD_TRIALS_MAX]; /* NULL for what is recorded */
        FieldMeasured measured;
        FieldOutcome outcome;
} FieldCase;

/* A line that no claim is about. */
typedef struct FieldStray {
        FieldPlace place;
        const char *text; /* "key = value" */
} FieldStray;

typedef struct FieldReport {
        const char *kernel;
        bool user_namespace;
        const char *const *files; /* as they were opened */
        size_t n_files;
        FieldCase *cases;
        size_t n_cases;
        const FieldStray *strays;
        size_t n_strays;
        uint32_t took_ms;
} FieldReport;

/* When the jobs have run: takes the numbers and judges. */
void field_case_judge(FieldCase *one);
/* A new reference, or NULL when out of memory. */
json_t *field_report_to_json(const FieldReport *report);
