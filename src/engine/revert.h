/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Taking back the change that awaits confirmation: because somebody says so, because its deadline passed, or because
 * the health gate says so.
 *
 *         REVERT frame · three-way restore · quarantine, unless the caller chose it · audit · DONE · pending removed
 *
 * Nothing blocks it: a frame or a record that cannot be written is a finding, and the journal then says "awaits
 * confirmation" to the next entry, which takes it back once more; what has its old value already is left alone.
 */

#include "engine/session.h"

typedef struct Revert {
        const char *cause;    /* "user", "deadline", "gate" */
        const char *evidence; /* or NULL */
} Revert;

/* Whether a change taken back for that reason is quarantined. */
bool revert_is_automatic(const char *cause);

/* session->undecided is there, and is NULL afterwards. The result tells of it, except for `why`'s own finding. 0, or
 * <0 when memory ran out. A value that the kernel does not take back leaves the transaction open. */
NODISCARD int revert_run(Session *session, const Revert *why, Error *reterr);

/* ENGINE_ROLLBACK and ENGINE_REVERT. */
NODISCARD int revert_by_user(Session *session, Error *reterr);
NODISCARD int revert_by_guard(Session *session, Error *reterr);

/* ENGINE_REVERT where the state directory or the journal failed with `broken`: from /run/twprofile/pending. */
NODISCARD int revert_without_state(Session *session, const Error *broken, Error *reterr);
