/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One request at work: the lock, the open journal and audit log, the current generation, and the result that is being
 * filled. Everything of a request lives in the result's arena.
 *
 *         session_open()       state directory, lock, journal
 *         recovery_run()       settles what was left (engine/recovery.h)
 *         session_load()       the current generation
 *
 * A reading session (dry run, read-state) changes nothing, and takes a missing state directory for an empty one. A dry run
 * shares the lock with others of its kind, so that it sees no change half done; read-state takes none.
 */

#include "engine/audit-log.h"
#include "engine/engine.h"
#include "engine/journal.h"
#include "engine/undecided.h"
#include "record/quarantine-format.h"

typedef struct Session {
        Engine *engine;
        const EngineRequest *request; /* NULL for read-state */
        EngineResult *result;         /* owned by the caller */
        Arena *arena;                 /* the result's */
        bool reading;
        SeamFd state; /* empty in a reading session without state */
        SeamFd lock;
        Journal journal;
        AuditLog audit;
        bool audit_is_open;
        int audit_error; /* the first of this request, negative errno: nothing more is written to the log */
        bool mirrored;       /* journald took the last record */
        Generation *current; /* NULL: nothing of ours */
        Undecided *undecided; /* the change that awaits confirmation, NULL for none; set by recovery */
        bool quarantine_is_known;
        const Quarantine *quarantined; /* engine/quarantine.h */
        size_t n_quarantined;
} Session;

NODISCARD int session_open(Session *session, Error *reterr);
void session_deinit(Session *session);

/* The generation of the journal's last COMMIT, else the newest file, else none. -EBADMSG when it cannot be read. */
NODISCARD int session_load(Session *session, Error *reterr);

/* CLOCK_BOOTTIME, milliseconds. */
int64_t session_now_ms(const Session *session);

/* Opens the log unless it is open, and tells what it missed (engine/late-audit.h). What cannot be opened refuses a change
 * before anything is done. After one failure it fails for the rest of the request: a later record would hide the gap. */
NODISCARD int session_open_audit(Session *session, Error *reterr);

/* Opens the log at first use and appends `record` with time, place and caller filled in. */
NODISCARD int session_audit(Session *session, AuditRecord *record, Sha256 *ret_hash, Error *reterr);

/* Writes the public view. Failures are a warning in the findings: it can be derived again. */
void session_publish(Session *session, const char *outcome, const char *tx);

/* Adds a finding about the host: `reterr`'s sentence as its message. Sets nothing else. */
void session_add_error(Session *session, DiagId id, const Error *error);

/* Each value as text in the kernel's spelling, in the session's arena; NULL when out of memory. */
const char *session_text(Session *session, const SysctlSpec *spec, const SysctlValue *value);
