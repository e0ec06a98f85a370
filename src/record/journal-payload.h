/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the frames of the journal say, as strict JSON. A COMMIT's payload is the generation itself
 * (generation-format.h), byte for byte what generations/<number>.json holds.
 *
 * The decoders check types, ranges and lengths, not whether this program still knows a key: recovery has
 * to judge an older transaction with whatever keys it had. They expect the frame to be of their type.
 */

#include "base/arena.h"
#include "base/error.h"
#include "model/generation.h"
#include "record/journal-format.h"
#include "record/strict-json.h"

#define JOURNAL_MAX_KEYS 4096U

/* Where and when a transaction's live values exist. */
typedef struct Instance {
        char boot_id[TX_ID_SIZE];
        uint64_t netns_inode;
        uint64_t netns_cookie; /* SO_NETNS_COOKIE; 0 before Linux 5.14 */
} Instance;

bool instance_equal(const Instance *a, const Instance *b);
/* For the formats that hold one. New reference, or NULL when out of memory. */
json_t *instance_to_json(const Instance *instance);
NODISCARD int instance_from_json(json_t *object, Instance *ret, Error *reterr);

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
        uint64_t audit_seq;     /* of the intent */
        const JournalKey *keys; /* in write order; only those that will be written */
        size_t n_keys;
} JournalPrepared;

typedef struct JournalCommit {
        const Generation *generation; /* whole */
} JournalCommit;

typedef struct JournalRevert {
        const char *cause; /* kebab-case: "write-failed", "read-back-differs", "foreign-write", "died" */
        const char *key; /* the key that failed, or NULL */
        int error;       /* positive errno, or 0 */
} JournalRevert;

typedef struct JournalDone {
        const char *outcome; /* "applied", "reverted", "reverted-with-conflicts", "dropped-by-reboot", "redone", … */
        uint64_t generation; /* the current one afterwards */
        uint64_t audit_seq;  /* of the outcome record; 0 when audit could not be written */
        Sha256 audit_hash;
} JournalDone;

/* Encoders append JSON to `out`: 0 or -ENOMEM; for a COMMIT what generation_encode() gives. Decoders check
 * everything: 0, -EBADMSG with a sentence, -ENOMEM. What they return lives in the arena; the Generation of a
 * COMMIT is its own object, owned by the caller, and must be of the frame's transaction. */
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
