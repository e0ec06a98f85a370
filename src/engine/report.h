/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What happened, in the two forms it is told: the changes of an EngineResult, and the keys of an audit record.
 */

#include "engine/apply.h"
#include "engine/session.h"

/* One change for each step of the plan; `apply` NULL: nothing was done (dry run, no-op). 0 or -ENOMEM. */
NODISCARD int report_changes(Session *session, const Plan *plan, const Apply *apply);

/* Adds to a change whose profile it is in that generation, and its origin there. 0 or -ENOMEM. */
NODISCARD int report_owner(Session *session, const Generation *generation, EngineChange *change);

/* The keys as in result->changes. `outcome` false: an intent, without after and outcome. */
NODISCARD int report_audit_keys(
                Session *session, bool outcome, const AuditKey **ret, size_t *ret_n);

/* "name@digest" of each profile. */
NODISCARD int report_audit_profiles(
                Session *session, const Generation *generation, const char *const **ret,
                size_t *ret_n);
