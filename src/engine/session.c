/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session.h"

#include <fcntl.h>
#include <sys/timex.h>
#include <time.h>

#include "engine/generation-store.h"
#include "engine/late-audit.h"
#include "engine/lock.h"
#include "engine/paths.h"
#include "engine/quarantine.h"
#include "record/status-format.h"
#include "system/atomic-file.h"

void session_deinit(Session *session) {
        session->current = generation_free(session->current);
        session->undecided = undecided_release(session->undecided);
        if (session->audit_is_open)
                audit_log_close(&session->audit);
        if (session->journal.seam)
                journal_deinit(&session->journal);
        seam_fd_close(&session->lock);
        seam_fd_close(&session->state);
}

static int session_open_state(Session *session, Error *reterr) {
        const Seam *seam = session->engine->seam;
        int root_fd = session->engine->root_fd;

        int r = session->reading ? seam_open(seam, root_fd, ENGINE_STATE_DIR,
                                             O_RDONLY | O_DIRECTORY, 0, &session->state)
                                 : seam_open_dir(seam, root_fd, ENGINE_STATE_DIR, ENGINE_STATE_MODE,
                                                 &session->state);
        if (r < 0 && !(session->reading && r == -ENOENT))
                return error_set(reterr, r, "cannot open '/%s'", ENGINE_STATE_DIR);
        return 0;
}

/* A dry run must not plan on half of somebody's change: it waits as a change does. Read-state is asked for in the middle of
 * anything. */
static int session_lock(Session *session, Error *reterr) {
        const Engine *engine = session->engine;
        int wait_ms = engine->lock_wait_ms > 0 ? engine->lock_wait_ms : LOCK_WAIT_MS;
        if (!session->reading)
                return lock_take(engine->seam, session->state.fd, wait_ms, &session->lock, reterr);
        return session->request ? lock_share(engine->seam, session->state.fd, wait_ms,
                                             &session->lock, reterr)
                                : 0;
}

int session_open(Session *session, Error *reterr) {
        const Seam *seam = session->engine->seam;

        int r = session_open_state(session, reterr);
        if (r < 0 || session->state.fd < 0)
                return r;

        r = session_lock(session, reterr);
        if (r < 0)
                return r;
        bool continues = session->request && session->request->verb != ENGINE_RECOVER &&
                         session->request->verb != ENGINE_BOOT;
        return (continues ? journal_open_latest : journal_open)(
                        &session->journal, seam, session->state.fd, session->arena, reterr);
}

int session_load(Session *session, Error *reterr) {
        session->current = generation_free(session->current);
        if (session->state.fd < 0)
                return 0;

        const JournalFrame *commit = journal_find_last(&session->journal, JOURNAL_COMMIT, NULL);
        if (commit)
                return journal_commit_decode(commit, &session->current, reterr);

        uint64_t highest;
        int r = generation_store_find_highest(
                        session->engine->seam, session->state.fd, &highest, reterr);
        if (r < 0 || highest == 0)
                return r;
        return generation_store_load(
                        session->engine->seam, session->state.fd, highest, &session->current,
                        reterr);
}

int64_t session_now_ms(const Session *session) {
        const Engine *engine = session->engine;
        if (engine->clock)
                return engine->clock(engine->clock_userdata);

        struct timespec now = { 0 };
        (void) clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail for this clock */
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* As --adopt= has it; NULL for nothing. */
static const char *session_adopt_text(unsigned adopt) {
        static const char *const texts[] = {
                NULL,    "owner",       "fragment",       "owner,fragment",
                "drift", "owner,drift", "fragment,drift", "owner,fragment,drift",
        };
        static_assert(PLAN_ADOPT_OWNER == 1 && PLAN_ADOPT_FRAGMENT == 2 && PLAN_ADOPT_DRIFT == 4,
                      "the bits are the index");
        return adopt < ELEMENTSOF(texts) ? texts[adopt] : NULL;
}

static void session_stamp(const Session *session, AuditRecord *record) {
        struct timespec now, boot;
        (void) clock_gettime(CLOCK_REALTIME, &now);
        (void) clock_gettime(CLOCK_BOOTTIME, &boot);
        struct timex timex = { 0 };

        record->time_us = (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
        record->time_synced = adjtimex(&timex) >= 0 && (timex.status & STA_UNSYNC) == 0;
        record->boottime_ns = (int64_t) boot.tv_sec * 1000000000 + boot.tv_nsec;
        record->instance = session->engine->instance;
        if (record->late || record->event == AUDIT_DEGRADED) {
                /* Nobody who asks now has to do with it. */
                record->via = "recover";
                return;
        }
        record->via = session->request->via;
        record->reason = session->request->reason;
        record->adopt = session_adopt_text(session->request->adopt);
        record->mirrored = session->mirrored;
        if (session->request->caller) {
                record->has_caller = true;
                record->caller = *session->request->caller;
        }
}

int session_open_audit(Session *session, Error *reterr) {
        const Engine *engine = session->engine;
        if (session->audit_error < 0)
                return error_set(
                                reterr, session->audit_error, "the audit log could not be written");
        if (session->audit_is_open)
                return 0;

        const AuditPlace place = {
                .seam = engine->seam,
                .root_fd = engine->root_fd,
                .state_fd = session->state.fd,
                .gid = engine->audit_gid,
                .limits = engine->audit_limits,
        };
        int r = audit_log_open(&session->audit, &place, reterr);
        session->audit_is_open = r >= 0;
        if (r >= 0)
                r = late_audit_run(session, reterr);
        session->audit_error = r < 0 ? r : 0;
        return r;
}

int session_audit(Session *session, AuditRecord *record, Sha256 *ret_hash, Error *reterr) {
        Engine *engine = session->engine;
        int r = session_open_audit(session, reterr);
        if (r < 0)
                return r;

        session_stamp(session, record);
        r = audit_log_append(&session->audit, record, reterr);
        if (r < 0) {
                session->audit_error = r;
                return r;
        }

        *ret_hash = session->audit.head.hash;
        session->mirrored = engine->mirror &&
                            engine->mirror(engine->mirror_userdata, record, &session->audit.head);
        return 0;
}

void session_add_error(Session *session, DiagId id, const Error *error) {
        (void) diag_add(session->result->findings, id, (Span){ 0 }, "%s", error->text);
}

const char *session_text(Session *session, const SysctlSpec *spec, const SysctlValue *value) {
        return sysctl_value_to_kernel(spec, value, session->arena);
}

static int session_write_status(Session *session, const char *outcome, const char *tx) {
        struct timespec now;
        (void) clock_gettime(CLOCK_REALTIME, &now);
        Status status = {
                .instance = session->engine->instance,
                .generation = session->current,
                .highest_generation = session->current ? session->current->number : 0,
                .last_outcome = outcome,
                .last_tx = tx,
                .last_time_us = (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000,
                .attention = streq(outcome, "unknown"),
        };

        if (session->undecided) {
                status.undecided_tx = session->undecided->tx;
                status.undecided_deadline_ms = session->undecided->applied.deadline_ms;
        }
        /* What cannot be read is not listed; a change finds out and refuses. */
        (void) !quarantine_load(session, NULL);
        status.quarantined = session->quarantined;
        status.n_quarantined = session->n_quarantined;

        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        int r = status_encode(&status, &text);
        if (r < 0 || text.failed)
                return -ENOMEM;

        const Seam *seam = session->engine->seam;
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        r = seam_open_dir(seam, session->engine->root_fd, ENGINE_RUN_DIR, ENGINE_RUN_MODE, &dir);
        if (r < 0)
                return r;
        return atomic_file_replace(seam, dir.fd, ENGINE_STATUS, text.data, text.length, 0644);
}

void session_publish(Session *session, const char *outcome, const char *tx) {
        int r = session_write_status(session, outcome, tx);
        if (r >= 0)
                return;
        Diag *d = diag_add(
                        session->result->findings, DIAG_STATUS_UNWRITABLE, (Span){ 0 },
                        "cannot write '/%s/%s': %s", ENGINE_RUN_DIR, ENGINE_STATUS, strerror(-r));
        diag_set_help(session->result->findings, d, "'twprofile recover' writes it again");
}
