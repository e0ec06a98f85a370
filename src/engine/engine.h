/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The writer: runs requests to their end, or leaves a journal from which the next entry settles them.
 *
 *         Engine engine = { .seam = seam_real(), .root_fd = fd, … };
 *         engine_prepare(&engine, &error);          facts of the machine, once per process
 *         engine_run(&engine, &request, &result, &error);
 *         … print or send result …
 *         engine_result_deinit(&result);
 *
 * engine_run() takes the lock, recovers what a dead process left, plans, and only then acts; it returns 0
 * whenever there is an answer, refusals included: `result.findings` says why and `result.exit_code` is what
 * the command line ends with. Only out of memory and the like give < 0.
 *
 * The engine never waits for a caller while it holds the lock.
 */

#include "base/error.h"
#include "diag/diag.h"
#include "engine/audit-log-files.h"
#include "model/plan.h"
#include "record/audit-format.h"
#include "system/seam.h"
#include "system/wanted-bundles.h"

/* Given each audit record after it is safely in the log, with the log's head as it then is, to be mirrored
 * (journald). Returns whether it was taken; the next record of the transaction says so. */
typedef bool (*EngineMirror)(void *userdata, const AuditRecord *record, const AuditHead *head);
/* Waits, at most five seconds, until the guard holds the lock that says it watches transaction `tx` to its end
 * (units.md part 4). 0; <0: nobody holds the deadline, so the change must not begin. */
typedef int (*EngineArm)(void *userdata, const char *tx, Error *reterr);
/* Progress of a long request. */
typedef void (*EngineProgress)(
                void *userdata, const char *step, size_t done, size_t total, const char *text);

/* CLOCK_BOOTTIME in milliseconds: it counts while the machine sleeps and does not follow the wall clock. */
typedef int64_t (*EngineClock)(void *userdata);

typedef struct Engine {
        const Seam *seam;
        int root_fd;     /* the directory that stands for "/"; borrowed */
        bool files_only; /* --root: no live value is read or written, no other process is expected */
        Instance instance;
        KernelVersion kernel;
        bool initial_netns;
        int lock_wait_ms;         /* for another change to end; 0: LOCK_WAIT_MS */
        gid_t audit_gid;          /* group of the audit files (adm), or (gid_t) -1 */
        AuditLimits audit_limits; /* zeros: AUDIT_FILE_BYTES, AUDIT_FILES_KEPT */
        EngineMirror mirror;      /* may be NULL */
        void *mirror_userdata;
        EngineArm arm; /* NULL: no guard here, a deadline is refused */
        void *arm_userdata;
        EngineProgress progress; /* may be NULL */
        void *progress_userdata;
        EngineClock clock; /* NULL: the kernel's */
        void *clock_userdata;
} Engine;

/* Reads boot id, kernel release and namespace through the seam. boot_id, netns_cookie and kernel are left alone
 * when they are set already. 0 or <0. */
NODISCARD int engine_prepare(Engine *engine, Error *reterr);

typedef enum EngineVerb {
        ENGINE_ENABLE,
        ENGINE_DISABLE,
        ENGINE_ROLLBACK,
        ENGINE_RECOVER, /* only what every entry does first */
        ENGINE_BOOT,    /* recover, then make live what is committed */
        ENGINE_CONFIRM, /* commits the change that awaits it */
        ENGINE_REVERT, /* takes back the change that awaits confirmation: the guard, at its deadline or by the gate */
        ENGINE_RELEASE, /* lifts the quarantine of one profile, `profiles[0]` */
} EngineVerb;

typedef struct EngineRequest {
        EngineVerb verb;
        const char *const *profiles; /* ENABLE, DISABLE */
        size_t n_profiles;
        bool only;      /* ENABLE: replace instead of add */
        bool dry_run;   /* plan only: no recovery, no rehearsal, no write, no audit */
        unsigned adopt; /* of PlanAdopt */
        const char *to; /* ROLLBACK: NULL = the parent, "origin", or a generation's number */
        /* ENABLE: live only until it is confirmed. With confirm_within_s the guard takes it back after so many seconds;
         * with `runtime` there is no deadline, and a reboot ends it. Never both. */
        uint32_t confirm_within_s;
        bool runtime;
        const char *gate; /* ENABLE with confirm_within_s: the baseline of the health gate as JSON text, or NULL */
        const char *token; /* CONFIRM: what enable gave. REVERT: the transaction's id; NULL: whichever */
        bool same_session;    /* CONFIRM: the caller may be of the session that made the change */
        const char *choice;   /* RECOVER: NULL, "base" or "keep", where the journal cannot decide */
        const char *cause;    /* REVERT: "deadline" or "gate" */
        const char *evidence; /* REVERT: what the gate saw, one sentence with the numbers, or NULL */
        const char *reason; /* or NULL; checked UTF-8 without control characters, at most 1024 bytes */
        const AuditCaller *caller; /* NULL at boot */
        const char *via;
} EngineRequest;

typedef struct EngineChange {
        const char *key;
        const char *origin; /* each in the kernel's spelling, NULL unknown */
        const char *before;
        const char *wanted;
        const char *after;
        const char *outcome; /* "set", "kept", "restored", "left", "pending", "gone", "undone", "planned" */
        const char *note; /* or NULL */
        const char *profile;
} EngineChange;

typedef struct EngineResult {
        Arena *arena;
        DiagList *findings;
        WantedBundles bundles; /* the findings point into their texts */
        const char *tx;        /* "" when there was no transaction */
        uint64_t generation_before;
        uint64_t generation; /* the current one afterwards (or that would be, in a dry run) */
        bool changed;
        const char *token;   /* of the change that awaits confirmation, NULL otherwise */
        int64_t deadline_ms; /* of it, CLOCK_BOOTTIME; 0 for none */
        const char *outcome; /* "applied", "unchanged", "planned", "pending" (awaits confirmation), "refused", "invalid", "not-found", "undone",
                                "failed", "partly", "recovered", "reverted", "released", "unknown" */
        const char *fragment; /* its bytes afterwards (or as planned), NULL for none */
        const EngineChange *changes;
        size_t n_changes;
        int exit_code;
} EngineResult;

NODISCARD int engine_run(
                Engine *engine, const EngineRequest *request, EngineResult *ret, Error *reterr);
void engine_result_deinit(EngineResult *result);

/* A denied call (another namespace, not allowed): counted in the audit log (engine/denied.h), nothing else. */
NODISCARD int engine_record_denied(
                Engine *engine, const AuditCaller *caller, const char *via, const char *why,
                Error *reterr);

/* The public view as it should be now, rebuilt from the state directory (JSON text, freed by the caller). */
NODISCARD int engine_read_state(Engine *engine, char **ret, size_t *ret_length, Error *reterr);
