/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writing an audit record (reading: audit-line.h): one line of UTF-8 JSON with sorted keys, integers and
 * strings only, at most 4 KiB. What does not fit is cut, and `cut` is 1 then: `keys`, then `prof` become {n,
 * sha256 of the array as it would have stood there}, then the end of `why`, then that of `evidence` is left out.
 *
 * Text that somebody else chose (reason, command name, unit, values) is put in with every control character
 * and every character that hides or turns others replaced by U+FFFD, so the log can be read with cat.
 *
 * The chain: `prev` is the SHA-256 of the previous line's bytes without its newline, so `sha256sum` in a shell
 * can check it; the first line's prev is the SHA-256 of "twprofile-audit-1:" and the log's id. `seq` is gapless.
 * Which fields there are and why: docs/audit.md.
 */

#include "base/error.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "record/journal-payload.h"

#define AUDIT_FORMAT_VERSION 1
#define AUDIT_LINE_MAX       4096U /* newline included */
#define AUDIT_UNSET          (-1)

typedef enum AuditEvent {
        AUDIT_OPEN,    /* first record of a log or of a file */
        AUDIT_INTENT,  /* flushed before the first live write */
        AUDIT_OUTCOME, /* flushed before the reply */
        AUDIT_DENIED,
        AUDIT_RECOVER, /* recovery found something to settle */
        AUDIT_BOOT,
        AUDIT_TORN,    /* the line before is a crash tear: offset, length, hash of its bytes */
        AUDIT_CONFIRM, /* the outcome of a change that had to be confirmed, and was */
        AUDIT_RELEASE, /* a quarantine was lifted */
        AUDIT_ROTATE,  /* last record of a file; the next file begins with `open` */
        AUDIT_PRUNE,   /* files are about to be removed: up to where */
        AUDIT_DEGRADED, /* records were lost because the log could not be written: begin and end of telling them */
        AUDIT_EVENTS,
} AuditEvent;

/* Identity from the kernel alone; what a client says of itself is kept apart. */
typedef struct AuditCaller {
        int64_t uid, gid, pid;
        int64_t auid, session; /* AUDIT_UNSET when the kernel says unset or it could not be read */
        uint64_t start;        /* start time of the process in clock ticks, 0 unknown */
        char comm[16];         /* a claim: the process may set it */
        char unit[256];        /* last part of the cgroup, "" unknown */
        bool pidfd_verified;   /* still alive, by pidfd, after all this was read */
} AuditCaller;

typedef struct AuditKey {
        const char *key;
        const char *before; /* NULL: unknown or absent */
        const char *wanted; /* NULL: left alone */
        const char *after;  /* read back; NULL in an intent */
        const char *outcome; /* "set", "kept", "restored", "left", "pending", "undone", …; NULL in an intent */
        int error;
} AuditKey;

typedef struct AuditRecord {
        AuditEvent event;
        int exit_code;
        bool time_synced; /* adjtimex says so */
        bool has_caller;
        bool has_frame;
        bool mirrored;   /* journald took the mirror of the transaction's record before this one */
        const char *tx;  /* NULL when there is none */
        int64_t time_us; /* CLOCK_REALTIME */
        int64_t boottime_ns;
        Instance instance;
        AuditCaller caller;
        const char *via;  /* "socket", "direct", "boot", "recover", "root-dir" */
        const char *verb; /* NULL, or "enable" … */
        const char *reason; /* why: the caller's words, checked UTF-8 without control characters; NULL */
        const char *adopt; /* what the caller let our values win over: "owner,fragment,drift"; NULL: nothing */
        const char *const *profiles; /* "name@digest", after the change */
        size_t n_profiles;
        const AuditKey *keys;
        size_t n_keys;
        uint64_t generation_from, generation_to;
        const char *outcome; /* of the whole; NULL in an intent */
        const char *cause; /* AUDIT_OUTCOME of a change that was taken back by itself: "deadline", "gate"; else NULL */
        const char *evidence; /* with a cause: what the gate saw, or NULL */
        bool has_window;      /* AUDIT_INTENT: the change has to be confirmed */
        uint64_t window_s;    /* within so many seconds; 0: no deadline */
        bool same_session;    /* AUDIT_CONFIRM: --same-session was used */
        bool late; /* written by a later run than the one it tells of, from the journal, which has no exit code */
        uint64_t count; /* AUDIT_DENIED: calls that this record stands for; 0: one */
        Sha256 frame;   /* hash of the journal's PREPARED (intent) or decision frame (outcome) */
        size_t torn_offset, torn_length; /* AUDIT_TORN */
        Sha256 torn_hash;
        const char *log_id; /* AUDIT_OPEN */
        uint64_t file_first,
                        file_records; /* AUDIT_ROTATE: the file's first number, its records with this one */
        uint64_t prune_through; /* AUDIT_PRUNE: number of the last record that goes */
        Sha256 prune_hash;      /* and its line's hash, the `prev` of the first that stays */
        bool degraded_ends;     /* AUDIT_DEGRADED: "end", else "begin" */
        uint64_t degraded_lost; /* records that were lost */
} AuditRecord;

typedef struct AuditHead {
        uint64_t seq; /* 0: no record yet */
        Sha256 hash;  /* of the last line */
} AuditHead;

/* The hash before the first line. */
Sha256 audit_genesis(const char *log_id);

/* Appends the line with its newline and gives the new head. The first record of a log (head->seq is 0) is an
 * AUDIT_OPEN and starts from audit_genesis(), whatever head->hash holds. 0; -ENOMEM; -EMSGSIZE when even
 * without keys, profiles and reason the line is too long, which takes a name no part of this program makes. */
NODISCARD int audit_record_encode(
                const AuditRecord *record, const AuditHead *head, StrBuf *out, AuditHead *ret_head);

const char *audit_event_name(AuditEvent event);
/* Whether a record of this kind says how its transaction ended. */
bool audit_event_is_outcome(AuditEvent event);
/* Whether records of this kind always have `prof` and `gen`. */
bool audit_event_tells_state(AuditEvent event);
