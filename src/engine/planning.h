/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From a request to a plan: the bundles or the generation it asks for, the live values of every key concerned, the
 * fragment as it is on disk, and model/plan.h's verdict.
 *
 * The Planning keeps what the plan was judged by: the target, and the open kernel files it will be run with. The
 * bundles go to the result, whose findings point into them.
 */

#include "engine/live-set.h"
#include "engine/session.h"

typedef struct Planning {
        Generation *target; /* ROLLBACK; NULL for the origin */
        LiveSet live;
        MachineFacts machine;  /* below --root nothing of it is known */
        PlanFragment fragment; /* as found */
} Planning;

enum {
        PLANNING_E_REFUSED = 1, /* result->findings and outcome are set */
};

/* What ENABLE and DISABLE name, with what is enabled. 0, WANTED_E_REFUSED, or <0. */
NODISCARD int planning_load_bundles(
                Session *session, DiagList *findings, WantedBundles *ret, Error *reterr);
NODISCARD int planning_run(Session *session, Planning *ret, Plan **ret_plan, Error *reterr);
void planning_deinit(Planning *planning);

const char *planning_verb_name(PlanVerb verb); /* "enable", "disable", "rollback" */
