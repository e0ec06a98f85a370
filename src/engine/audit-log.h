/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The audit log: audit-<first seq>.ndjson, appended to under the engine's lock, one write and one flush for each
 * record. record/audit-format.h has the line and the chain.
 *
 * Opening reads the newest file's last line and the head that the state directory keeps. The chain goes on from
 * whichever is further: where the file is shorter or another than the head says, going on from the head leaves the
 * gap where a verifier finds it. A last line without its newline is a crash tear: it is ended, and a `torn` record
 * says so.
 */

#include "record/audit-format.h"
#include "record/audit-line.h"
#include "system/seam-io.h"

typedef struct AuditLog {
        const Seam *seam;
        int state_fd; /* borrowed */
        SeamFd file;
        off_t end;
        AuditHead head;
        AuditHead kept;     /* as the state directory had it */
        bool lacks_newline; /* the last record, which is whole otherwise */
        bool has_torn;      /* a tear to be recorded with the next record */
        bool torn_is_ended; /* by a newline */
        size_t torn_offset, torn_length;
        Sha256 torn_hash;
        char log_id[TX_ID_SIZE];  /* "" for a log that exists already */
        char open_tx[TX_ID_SIZE]; /* the last record is an intent without outcome: its transaction */
        char open_boot[TX_ID_SIZE]; /* and its boot */
} AuditLog;

/* Makes the directory and the first file as needed (0640, group `gid` unless -1). 0 or <0. */
NODISCARD int audit_log_open(
                AuditLog *ret, const Seam *seam, int root_fd, int state_fd, gid_t gid,
                Error *reterr);
void audit_log_close(AuditLog *log);

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
NODISCARD int audit_log_find(
                const AuditLog *log, const char *tx, uint64_t from, AuditTrail *ret, Error *reterr);

/* Appends (after an `open` or `torn` record where one is due, in the same write) and flushes. */
NODISCARD int audit_log_append(AuditLog *log, const AuditRecord *record, Error *reterr);
