/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The experiments that a set of claims needs, each made once however many claims ask for it.
 *
 *         CLEANUP(field_jobs_freep) FieldJobs *jobs = field_jobs_new(arena);
 *         for each trial:  r = field_jobs_add(jobs, &order, &job, &error);
 *         r = field_jobs_run(jobs, watch, userdata, &error);
 *         FieldResult result = field_job_result(job);
 *
 * What mostly waits (a minute, for TIME_WAIT to pass) is started first and all at once; what keeps the processors busy goes
 * one after the other meanwhile. Everything a job knows lives as long as the jobs.
 */

#include "base/arena.h"
#include "insight/field-claim.h"
#include "insight/field-scene.h"

typedef struct FieldJobs FieldJobs;
typedef struct FieldJob FieldJob;

typedef struct FieldOrder {
        const FieldTrial *trial;
        const LabSetting *line; /* of the claim; NULL: it has none */
        const LabSetting *file; /* all lines whose keys are known */
        size_t n_file;
        uint32_t churn_ms; /* for loads that have no duration of their own */
} FieldOrder;

/* NULL when out of memory. */
FieldJobs *field_jobs_new(Arena *arena);
/* Ends what has not ended. */
FieldJobs *field_jobs_free(FieldJobs *jobs);
DEFINE_CLEANUP_PTR(FieldJobs, field_jobs_free)

/* *ret is NULL for what is recorded. 0 or <0: -E2BIG for more settings than FIELD_SETTINGS_MAX. */
NODISCARD int field_jobs_add(
                FieldJobs *jobs, const FieldOrder *order, const FieldJob **ret, Error *reterr);

/* Called while they go on, with how many have ended. <0 ends all. */
typedef int (*FieldWatch)(void *userdata, size_t n_done, size_t n_jobs, uint32_t elapsed_ms);

/* 0 or <0: what kept a job from being made. */
NODISCARD int field_jobs_run(FieldJobs *jobs, FieldWatch watch, void *userdata, Error *reterr);

/* data is NULL before it has ended. */
FieldResult field_job_result(const FieldJob *job);
size_t field_job_setting_count(const FieldJob *job);
/* *ret_state: what became of it. */
const LabSetting *field_job_setting(const FieldJob *job, size_t i, LabSettingState *ret_state);
bool field_job_had_user_namespace(const FieldJob *job);
