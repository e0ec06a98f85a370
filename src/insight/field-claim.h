/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What circulates about TIME_WAIT, claim by claim: who says what, whether it is true and why, what it is tried with here, and
 * what the numbers have to be when the verdict is right. A table; to add a claim: a row.
 *
 * A claim belongs to a key, wherever that key is set, or to the text of a file where no line says it.
 */

#include "insight/field-metric.h"
#include "insight/lab-load.h"

#define FIELD_TRIALS_MAX  4U
#define FIELD_METRICS_MAX 13U
#define FIELD_PRESETS_MAX 2U

typedef enum FieldWith {
        FIELD_WITH_NOTHING, /* the kernel's defaults */
        FIELD_WITH_LINE,    /* the line of the claim */
        FIELD_WITH_FILE,    /* all lines of the file */
        FIELD_WITH_LATE, /* the kernel's defaults; all lines of the file when it has been counted, and again */
} FieldWith;

typedef struct FieldPreset {
        const char *key; /* NULL: none */
        const char *text;
} FieldPreset;

typedef struct FieldTrial {
        const char *label; /* one or two words */
        FieldKind kind;
        const LabLoad *load;    /* FIELD_CHURN; duration_ms 0: as long as the caller says */
        const uint32_t *wanted; /* FIELD_SCENE: TCP_STATES counts */
        const double *recorded; /* FIELD_RECORDED */
        FieldWith with;
        FieldPreset presets
                        [FIELD_PRESETS_MAX]; /* written before; of `with`'s keys the line's value wins */
        bool thin; /* of the client's range only each FIELD_THIN-th port is left: away from the range's bounds, which the search may pass over */
        bool beyond; /* FIELD_CHURN: FIELD_BEYOND connections more than the value of the line */
        bool alone;  /* keeps the processors busy: not beside others of its kind */
} FieldTrial;

#define FIELD_BEYOND UINT64_C(1000)
#define FIELD_THIN   256U

typedef enum FieldOutcome {
        FIELD_CONFIRMED,    /* the numbers are what the verdict says */
        FIELD_CONTRADICTED, /* they are not */
        FIELD_UNDECIDED, /* what was to be seen did not show in time, or the value was not reached */
        FIELD_ABSENT,    /* this kernel has no such key */
        FIELD_REFUSED,   /* the kernel refused the value, or it cannot be written here */
        FIELD_OUTCOMES,
} FieldOutcome;

typedef struct FieldMeasured FieldMeasured;

typedef struct FieldClaim {
        const char *name;
        const char *key;      /* NULL: of the text of `files` */
        const char *files[2]; /* base names */
        const char *says;
        const char *verdict; /* "true", "false", "partly", "outdated", "kernel-dependent" or "unrelated" */
        const char *tried;
        const char *fact; /* with its source in brackets */
        FieldTrial trials[FIELD_TRIALS_MAX];
        size_t n_trials;
        FieldMetricId metrics[FIELD_METRICS_MAX];
        size_t n_metrics;
        FieldOutcome (*judge)(const FieldMeasured *measured);
} FieldClaim;

struct FieldMeasured {
        const FieldClaim *claim;
        double value; /* the last number of the line's value; NAN without */
        FieldResult results[FIELD_TRIALS_MAX];
};

size_t field_claim_count(void);
const FieldClaim *field_claim_get(size_t i);
/* Of that key, in that file, or both NULL: of the file's text. `file` is a base name. */
bool field_claim_is_about(const FieldClaim *claim, const char *file, const char *key);

/* NAN: there is no such number. */
double field_measured_get(const FieldMeasured *measured, size_t trial, FieldMetricId id);
/* "confirmed", … */
const char *field_outcome_name(FieldOutcome outcome);
