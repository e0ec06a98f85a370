/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the audit log missed while it could not be written: taking values back never waits for it, and what is committed
 * stays. The journal's DONE says so (audit_seq 0), and whoever opens the log next tells it, before anything of its own:
 *
 *         degraded begin, lost N
 *         intent and outcome with `late`, as far as the log has them not
 *         degraded end, lost N
 *
 * Told from the journal: values before and wanted, the outcome's word, cause and evidence; not the values read back, nor
 * the exit code, nor who asked, unless the intent was written in time. Records that belong to no transaction (a boot
 * without change, a denied call) are in no journal, and stay lost.
 */

#include "engine/session.h"

/* session->audit is open. 0, also when nothing was missed; <0: the log can still not be written, or not be read. */
NODISCARD int late_audit_run(Session *session, Error *reterr);
