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

#define JOURNAL_MAX_KEYS     4096U
#define JOURNAL_MAX_PROFILES 4096U
#define JOURNAL_TOKEN_MAX    64U
#define JOURNAL_EVIDENCE_MAX 1024U
#define JOURNAL_GATE_MAX     ((size_t) 64 * 1024)

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

/* A key of a transaction, in every file that has one. */
typedef struct JournalKey {
        const char *key;
        const char *before; /* read before, kernel's spelling */
        const char *want;
} JournalKey;

/* A profile that the change brings in, as it would be quarantined. */
typedef struct JournalProfile {
        const char *name;
        Sha256 digest;
} JournalProfile;

typedef struct JournalPrepared {
        Instance instance;
        const char *verb; /* "enable", "disable", "rollback", "boot" */
        uint64_t from;    /* generation numbers */
        uint64_t to;
        uint64_t audit_seq;     /* of the intent */
        const JournalKey *keys; /* in write order; only those that will be written */
        size_t n_keys;
        bool has_window;                /* to be confirmed before it is committed */
        uint64_t window_s;              /* length of the window; 0: without a deadline */
        const JournalProfile *profiles; /* of a change with a window */
        size_t n_profiles;
        const char *gate; /* of a window: the baseline of the health gate as JSON text; NULL: no gate */
} JournalPrepared;

/* Everything that confirming needs, so that it asks the request and the profiles no more. Never in a public file. */
typedef struct JournalApplied {
        const char *token;
        int64_t deadline_ms;    /* CLOCK_BOOTTIME; 0: none */
        Sha256 request;         /* who asked for what: the same request again is told the same */
        int64_t auid, session;  /* of who asked; -1 unset */
        bool has_fragment;      /* as found on disk */
        Sha256 fragment;        /* of its bytes */
        const JournalKey *keys; /* as in PREPARED, `want` being what was read back */
        size_t n_keys;
        const Generation *generation; /* whole, what would be committed */
} JournalApplied;

typedef struct JournalCommit {
        const Generation *generation; /* whole */
} JournalCommit;

typedef struct JournalRevert {
        const char *cause; /* kebab-case: "write-failed", "read-back-differs", "foreign-write", "died", "user", "deadline", "gate" */
        const char *key;   /* the key that failed, or NULL */
        int error;         /* positive errno, or 0 */
        const char *evidence; /* what the gate saw, or NULL */
} JournalRevert;

typedef struct JournalDone {
        const char *outcome; /* "applied", "reverted", "reverted-with-conflicts", "dropped-by-reboot", "redone", … */
        uint64_t generation; /* the current one afterwards */
        uint64_t audit_seq;  /* of the outcome record; 0 when audit could not be written */
        Sha256 audit_hash;
} JournalDone;

/* For the formats that hold keys or profiles. New reference, or NULL when out of memory; the decoders keep strings in
 * the arena. */
json_t *journal_keys_to_json(const JournalKey *keys, size_t n_keys);
NODISCARD int journal_keys_from_json(
                json_t *array, Arena *arena, const JournalKey **ret, size_t *ret_n, Error *reterr);
json_t *journal_profiles_to_json(const JournalProfile *profiles, size_t n_profiles);
NODISCARD int journal_profiles_from_json(
                json_t *array, Arena *arena, const JournalProfile **ret, size_t *ret_n,
                Error *reterr);

/* Encoders append JSON to `out`: 0 or -ENOMEM; for a COMMIT what generation_encode() gives. Decoders check
 * everything: 0, -EBADMSG with a sentence, -ENOMEM. What they return lives in the arena; the Generation of a
 * COMMIT is its own object, owned by the caller, and must be of the frame's transaction. */
NODISCARD int journal_prepared_encode(const JournalPrepared *prepared, StrBuf *out);
NODISCARD int journal_prepared_decode(
                const JournalFrame *frame, Arena *arena, JournalPrepared *ret, Error *reterr);
/* ret_generation: owned by the caller, of the frame's transaction; `ret->generation` is the same object. */
NODISCARD int journal_applied_encode(const JournalApplied *applied, StrBuf *out);
NODISCARD int journal_applied_decode(
                const JournalFrame *frame, Arena *arena, JournalApplied *ret,
                Generation **ret_generation, Error *reterr);
NODISCARD int journal_commit_encode(const JournalCommit *commit, StrBuf *out);
NODISCARD int journal_commit_decode(const JournalFrame *frame, Generation **ret, Error *reterr);
NODISCARD int journal_revert_encode(const JournalRevert *revert, StrBuf *out);
NODISCARD int journal_revert_decode(
                const JournalFrame *frame, Arena *arena, JournalRevert *ret, Error *reterr);
NODISCARD int journal_done_encode(const JournalDone *done, StrBuf *out);
NODISCARD int journal_done_decode(
                const JournalFrame *frame, Arena *arena, JournalDone *ret, Error *reterr);
