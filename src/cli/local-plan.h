/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The plan, made here and without privilege: the public status, the profile directories and the live values
 * give the same as what the helper would decide, through the same functions of the model.
 *
 * Which profiles are read from disk: those that are named, or with LOCAL_PLAN_REREAD all that are enabled. All
 * others come from the bytes that the current generation holds.
 */

#include "cli/host.h"
#include "model/plan.h"
#include "system/wanted-bundles.h"

typedef enum LocalPlanKind {
        LOCAL_PLAN_ENABLE,
        LOCAL_PLAN_ENABLE_ONLY,
        LOCAL_PLAN_DISABLE,
        LOCAL_PLAN_REREAD,
} LocalPlanKind;

typedef struct LocalPlan {
        WantedBundles wanted; /* the plan borrows from them */
        Plan *plan;
} LocalPlan;

enum {
        LOCAL_PLAN_E_REFUSED = 1, /* the reasons are in the context's findings */
};

/* 0; LOCAL_PLAN_E_REFUSED; <0. */
NODISCARD int local_plan_build(
                Context *context, const Host *host, LocalPlanKind kind, LocalPlan *ret,
                Error *reterr);
/* In every case, also after a failure. */
void local_plan_deinit(Context *context, LocalPlan *local);

/* Loads one profile from the directories, for its findings and for looking at it. 0; LOCAL_PLAN_E_REFUSED with
 * findings, unknown-profile with the nearest name among them; <0. */
NODISCARD int local_plan_load_profile(
                Context *context, const Host *host, const char *name, Bundle **ret, Error *reterr);
/* Frees a bundle, and gives its texts to the findings, whose places point into them. */
void local_plan_release_bundle(Context *context, Bundle *bundle);
