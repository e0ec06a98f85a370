/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the audit log has of one transaction: whether its intent and its outcome are there. Asked by whoever settles
 * what a dead process, or one that could not write the log, left behind.
 */

#include "engine/audit-log.h"

/* What the log has of a transaction. */
typedef struct AuditTrail {
        bool has_intent;
        bool has_outcome;
        AuditHead outcome; /* its number and hash */
} AuditTrail;

/* Looks from the end back to record number `from`, the transaction's intent (0: unknown). What lies further back than
 * AUDIT_TRAIL_MAX bytes counts as an intent: a death is never so long ago unless somebody filled the log meanwhile.
 * An outcome that is found may not have been flushed by who died: it is now. 0 or <0. */
#define AUDIT_TRAIL_MAX ((size_t) 1024 * 1024)
NODISCARD int audit_trail_find(
                const AuditLog *log, const char *tx, uint64_t from, AuditTrail *ret, Error *reterr);
