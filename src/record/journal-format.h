/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The transaction journal's bytes: frames one behind the other in a preallocated file that is zero where
 * nothing was written yet.
 *
 * A frame is a 128 byte header and a payload of JSON, padded with zeros to 64 bytes. The header holds the
 * magic, version, type, index, transaction, payload length, the previous frame's hash, and the hash of header
 * and payload. Transactions follow each other in one file; the file is replaced by a new one when it is full
 * and its last transaction is DONE (engine/journal.h).
 *
 * What stands behind the last good frame decides (transactions.md E.2): zeros = clean; bytes without any
 * valid frame of this chain behind them = a torn last frame, ignored and overwritten; a valid later frame =
 * the middle is corrupt, touch nothing.
 *
 * Nothing here does I/O. All integers are little endian. The reader trusts nothing: lengths are bounded,
 * hashes checked, JSON strict.
 */

#include "base/arena.h"
#include "base/error.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "model/generation.h"

#define JOURNAL_FORMAT_VERSION 1U
#define JOURNAL_HEADER_SIZE 128U
#define JOURNAL_ALIGN 64U
#define JOURNAL_MAX_PAYLOAD ((size_t) 4 * 1024 * 1024)
#define TX_ID_SIZE 37U /* uuid text with the NUL */

typedef enum JournalType {
        JOURNAL_PREPARED = 1,
        JOURNAL_APPLIED = 2, /* the confirmation window (a later version writes it) */
        JOURNAL_COMMIT = 3,
        JOURNAL_REVERT = 4,
        JOURNAL_DONE = 5,
} JournalType;

typedef struct JournalFrame {
        JournalType type;
        uint64_t index; /* from 0, gapless in one file */
        char tx[TX_ID_SIZE];
        const char *payload; /* borrows from the scanned bytes */
        size_t payload_length;
        size_t offset; /* of the header */
        Sha256 hash;
} JournalFrame;

typedef enum JournalTail {
        JOURNAL_TAIL_CLEAN,
        JOURNAL_TAIL_TORN,
        JOURNAL_TAIL_CORRUPT, /* `end` is where the bad frame stands */
} JournalTail;

typedef struct JournalScan {
        JournalFrame *frames; /* in the arena */
        size_t n_frames;
        size_t end; /* where the next frame goes */
        JournalTail tail;
} JournalScan;

/* `bytes` is the whole file. 0 or -ENOMEM; damage is a result, not an error. */
NODISCARD int journal_scan(const char *bytes, size_t n, Arena *arena, JournalScan *ret);

/* Size of a frame with that payload, padding included. */
size_t journal_frame_size(size_t payload_length);

/* Appends the frame's bytes to `out`. `previous` is the hash of the frame before it, all zero for the first. */
NODISCARD int journal_frame_encode(JournalType type,
                                   uint64_t index,
                                   const char *tx,
                                   const Sha256 *previous,
                                   const char *payload,
                                   size_t payload_length,
                                   StrBuf *out,
                                   Sha256 *ret_hash);

/* --- payloads ------------------------------------------------------------------------------------------- */

/* Where and when a transaction's live values exist. */
typedef struct Instance {
        char boot_id[TX_ID_SIZE];
        uint64_t netns_inode;
        uint64_t netns_cookie; /* SO_NETNS_COOKIE; 0 before Linux 5.14 */
} Instance;

bool instance_equal(const Instance *a, const Instance *b);

typedef struct JournalKey {
        const char *key;
        const char *before; /* read before, kernel's spelling */
        const char *want;
} JournalKey;

typedef struct JournalPrepared {
        Instance instance;
        const char *verb; /* "enable", "disable", "rollback", "boot" */
        uint64_t from;    /* generation numbers */
        uint64_t to;
        uint64_t audit_seq; /* of the intent */
        const JournalKey *keys; /* in write order; only those that will be written */
        size_t n_keys;
} JournalPrepared;

typedef struct JournalCommit {
        const Generation *generation; /* whole */
} JournalCommit;

typedef struct JournalRevert {
        const char *cause; /* kebab-case: "write-failed", "read-back-differs", "foreign-write", "died" */
        const char *key;   /* the key that failed, or NULL */
        int error;         /* positive errno, or 0 */
} JournalRevert;

typedef struct JournalDone {
        const char *outcome; /* "applied", "reverted", "reverted-with-conflicts", "dropped-by-reboot", "redone", … */
        uint64_t generation; /* the current one afterwards */
        uint64_t audit_seq;  /* of the outcome record; 0 when audit could not be written */
        Sha256 audit_hash;
} JournalDone;

/* Encoders append JSON to `out`: 0 or -ENOMEM. Decoders check everything: 0, -EBADMSG with a sentence, -ENOMEM.
 * What they return lives in the arena; the Generation of a COMMIT is its own object, owned by the caller. */
NODISCARD int journal_prepared_encode(const JournalPrepared *prepared, StrBuf *out);
NODISCARD int journal_prepared_decode(
        const JournalFrame *frame, Arena *arena, JournalPrepared *ret, Error *reterr);
NODISCARD int journal_commit_encode(const JournalCommit *commit, StrBuf *out);
NODISCARD int journal_commit_decode(const JournalFrame *frame, Generation **ret, Error *reterr);
NODISCARD int journal_revert_encode(const JournalRevert *revert, StrBuf *out);
NODISCARD int journal_revert_decode(
        const JournalFrame *frame, Arena *arena, JournalRevert *ret, Error *reterr);
NODISCARD int journal_done_encode(const JournalDone *done, StrBuf *out);
NODISCARD int journal_done_decode(
        const JournalFrame *frame, Arena *arena, JournalDone *ret, Error *reterr);

const char *journal_type_name(JournalType type);
