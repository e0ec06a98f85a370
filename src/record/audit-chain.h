/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Judging a whole audit log: does every record follow the one before it, across tears, rotation and pruning, and are
 * the records that somebody wrote down elsewhere (anchors) the ones that stand here?
 *
 *         AuditChain chain;
 *         audit_chain_init(&chain, anchors, n_anchors);
 *         audit_chain_begin_file(&chain, "audit-1.ndjson", 1);      // oldest first
 *         audit_chain_add_line(&chain, line, length, has_newline);  // each, whatever it holds
 *         audit_chain_end(&chain, &verdict);
 *
 * Streaming and without allocations; names and anchors are borrowed until the end.
 *
 * The first broken place decides. What it is called:
 *
 *     edited     the line is not the record that its successor was written after, or is no record at all
 *     removed    numbers are missing
 *     reordered  a record stands where another belongs: moved, doubled or put in
 *     cut        an anchor names a record behind the end
 *     other      an anchor names another record of that number: the log was written anew from there at the latest
 *
 * No tampering: the remains of a write that a crash interrupted (a `torn` record follows that has their place, length
 * and hash; or nothing follows yet); a log that begins above 1 where a `prune` record in it has the number and
 * the hash before its first record; an anchor before that.
 *
 * What a chain cannot show is docs/audit.md's last part.
 */

#include "record/audit-chain-line.h"
#include "record/audit-format.h"

typedef enum AuditBreak {
        AUDIT_BREAK_NONE,
        AUDIT_BREAK_EDITED,
        AUDIT_BREAK_REMOVED,
        AUDIT_BREAK_REORDERED,
        AUDIT_BREAK_CUT,
        AUDIT_BREAK_OTHER,
} AuditBreak;

typedef struct AuditAnchor {
        uint64_t seq;
        Sha256 hash;
        const char *source; /* for messages */
} AuditAnchor;

typedef struct AuditVerdict {
        AuditBreak kind;
        uint64_t seq;       /* of the first broken record; 0 when whole */
        const char *why;    /* what is wrong with it, a half sentence; NULL when whole */
        const char *source; /* of the anchor that shows it; NULL: the chain itself */
        const char *file;   /* where it was noticed; NULL: at the end or by an anchor */
        size_t line;
        bool is_newer; /* a record of a newer format: not judged further; its place, when nothing is broken */
        bool has_open_tear; /* the end is torn, and nothing was written since */
        uint64_t first;     /* number of the oldest record, 0 for none */
        AuditHead head;     /* the newest record, as it stands there */
        size_t n_files, n_records, n_tears;
        size_t n_anchors; /* that were compared; older than the log are not */
} AuditVerdict;

/* What stands between two records and is none. */
typedef struct AuditTear {
        bool is_there, has_open;
        uint64_t offset, length; /* in bytes, the last newline left out */
        bool is_ended;           /* by a newline */
        Sha256Stream stream;
} AuditTear;

/* A first record above 1, and whether the log itself says that what was before is gone by rule. */
typedef struct AuditStart {
        uint64_t before; /* the number before the first record */
        Sha256 hash;
        bool is_pruned;
} AuditStart;

/* The record at which the chain broke. */
typedef struct AuditCulprit {
        uint64_t seq;
        Sha256 hash;
        size_t prev_at, n; /* of `bytes`, where the digits of `prev` begin; n is 0 where no witness helps */
        char bytes[AUDIT_LINE_MAX];
} AuditCulprit;

typedef struct AuditChain {
        const AuditAnchor *anchors; /* sorted by number */
        size_t n_anchors, next_anchor;
        AuditVerdict verdict;
        AuditHead good;    /* the last record that follows; stands still after a break */
        uint64_t anchored; /* number of the last record that an anchor vouched for */
        AuditCulprit culprit;
        bool is_settled;    /* nothing that follows can say more about the break */
        AuditVerdict other; /* the first anchor that differs: kind, seq, why, source */
        AuditStart start;
        AuditTear tear;
        const char *file; /* the present one */
        uint64_t file_first;
        bool file_has_record;
        size_t line;
        uint64_t offset;
} AuditChain;

/* Anchors sorted by number; several of one number may be. */
void audit_chain_init(AuditChain *chain, const AuditAnchor *anchors, size_t n_anchors);
/* `first` is the number in the file's name. */
void audit_chain_begin_file(AuditChain *chain, const char *file, uint64_t first);
void audit_chain_add_line(AuditChain *chain, const char *bytes, size_t n, bool has_newline);
void audit_chain_end(AuditChain *chain, AuditVerdict *ret);

/* "edited" … */
const char *audit_break_name(AuditBreak kind);
/* For qsort(). */
int audit_anchor_compare(const void *a, const void *b);
