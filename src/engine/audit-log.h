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
 *
 * A file that is large enough is ended by a `rotate` record, flushed; then the next one is made, its name flushed; its
 * first write begins with `open` and, where there are files enough, one `prune` record for each of the oldest that go.
 * They are removed when that is flushed, the oldest first. A death anywhere leaves what the next append continues from:
 * a last record `rotate`, an empty file, or files too many.
 */

#include "engine/audit-log-files.h"
#include "record/audit-format.h"
#include "record/audit-line.h"
#include "system/seam-io.h"

typedef struct AuditPlace {
        const Seam *seam;
        int root_fd, state_fd; /* borrowed */
        gid_t gid;             /* of the files; (gid_t) -1: as they come */
        AuditLimits limits;
} AuditPlace;

typedef struct AuditLog {
        AuditPlace place;
        SeamFd dir, file;
        uint64_t file_first; /* in the file's name */
        off_t end;
        AuditHead head;
        AuditHead kept;     /* as the state directory had it */
        bool begins_file;   /* no record stands in the file yet: `open` comes first */
        bool is_closed;     /* the last record is `rotate` */
        bool is_late;       /* the last record is a late one, or tells that such follow */
        bool lacks_newline; /* the last record, which is whole otherwise */
        bool has_torn;      /* a tear to be recorded with the next record */
        bool torn_is_ended; /* by a newline */
        size_t torn_offset, torn_length;
        Sha256 torn_hash;
        char log_id[TX_ID_SIZE];  /* when the file begins */
        char open_tx[TX_ID_SIZE]; /* the last record is an intent without outcome: its transaction */
        char open_boot[TX_ID_SIZE]; /* and its boot */
} AuditLog;

/* Makes the directory and the first file as needed (0640). 0 or <0. */
NODISCARD int audit_log_open(AuditLog *ret, const AuditPlace *place, Error *reterr);
void audit_log_close(AuditLog *log);

/* Appends (after `open`, `torn` and `prune` records where they are due, in the same write) and flushes; goes on to the
 * next file first where this one is full. */
NODISCARD int audit_log_append(AuditLog *log, const AuditRecord *record, Error *reterr);
