/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine.h"

#include <sys/utsname.h>

#include "engine/change.h"
#include "engine/choice.h"
#include "engine/confirm.h"
#include "engine/denied.h"
#include "engine/fragment.h"
#include "engine/make-live.h"
#include "engine/paths.h"
#include "engine/quarantine.h"
#include "engine/recovery.h"
#include "engine/report.h"
#include "engine/revert.h"
#include "record/status-format.h"
#include "system/instance.h"

#define ENGINE_EXIT_FAILED    2 /* the old state stands */
#define ENGINE_EXIT_ATTENTION 8

/* An image has no boot and no namespace yet; its kernel is the one it brings, else the one we run on. */
static int engine_prepare_image(Engine *engine, Error *reterr) {
        engine->instance = (Instance){ .boot_id = "00000000-0000-0000-0000-000000000000" };
        engine->initial_netns = true;
        if (engine->kernel.major != 0)
                return 0;

        int r = instance_find_image_kernel(engine->seam, engine->root_fd, &engine->kernel, reterr);
        if (r < 0 || engine->kernel.major != 0)
                return r;

        struct utsname name;
        if (uname(&name) < 0 || kernel_version_parse(name.release, &engine->kernel) < 0)
                return error_set(reterr, -EBADMSG, "cannot tell which kernel the image will boot");
        return 0;
}

int engine_prepare(Engine *engine, Error *reterr) {
        if (engine->files_only)
                return engine_prepare_image(engine, reterr);

        int r = instance_read(engine->seam, engine->root_fd, &engine->instance, reterr);
        if (r < 0)
                return r;

        if (engine->kernel.major == 0) {
                r = instance_read_kernel(engine->seam, engine->root_fd, &engine->kernel, reterr);
                if (r < 0)
                        return r;
        }
        engine->initial_netns = instance_is_initial_netns(engine->seam, engine->root_fd);
        return 0;
}

void engine_result_deinit(EngineResult *result) {
        result->findings = diag_list_free(result->findings);
        wanted_bundles_deinit(&result->bundles);
        result->arena = arena_free(result->arena);
}

static int engine_result_init(EngineResult *result) {
        *result = (EngineResult){
                .arena = arena_new(),
                .findings = diag_list_new(),
                .tx = "",
                .outcome = "failed",
        };
        return result->arena && result->findings ? 0 : -ENOMEM;
}

/* Why the session could not be opened, as a finding: the old state stands. */
static int engine_refuse(Session *session, int r, const Error *error) {
        bool busy = r == -EBUSY;
        Diag *d = diag_add(
                        session->result->findings, busy ? DIAG_BUSY : DIAG_STATE_UNWRITABLE,
                        (Span){ 0 }, "%s", error->text);
        if (busy)
                diag_set_help(session->result->findings, d, "try again when it is done");
        session->result->outcome = busy ? "refused" : "failed";
        return 0;
}

static int engine_refuse_corrupt(Session *session, const Error *error) {
        session_add_error(session, DIAG_GENERATION_CORRUPT, error);
        session->result->outcome = "unknown";
        return 0;
}

/* --- boot --------------------------------------------------------------------------------------------------- */

static void engine_check_fragment(Session *session) {
        const Engine *engine = session->engine;
        PlanFragment found;
        Error error = { 0 };
        if (fragment_read(engine->seam, engine->root_fd, &found, &error) < 0) {
                session_add_error(session, DIAG_FRAGMENT_UNWRITABLE, &error);
                return;
        }

        bool right = found.exists == session->current->has_fragment &&
                     (!found.exists || sha256_equal(&found.digest, &session->current->fragment));
        if (!right)
                (void) diag_add(session->result->findings, DIAG_FRAGMENT_EDITED, (Span){ 0 },
                                "'%s' is not as it was written", ENGINE_FRAGMENT_PATH);
}

static int engine_audit_boot(Session *session, const MakeLive *made, Error *reterr) {
        AuditRecord record = {
                .event = AUDIT_BOOT,
                .verb = "boot",
                .keys = made->keys,
                .n_keys = made->n_keys,
                .generation_from = session->current->number,
                .generation_to = session->current->number,
                .outcome = session->result->outcome,
                .exit_code = diag_list_exit_code(session->result->findings),
        };
        int r = report_audit_profiles(
                        session, session->current, &record.profiles, &record.n_profiles);
        if (r < 0)
                return error_set(reterr, r, "cannot write the audit log");
        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

static int engine_boot(Session *session, Error *reterr) {
        EngineResult *result = session->result;
        MakeLive made = { .write = true };

        result->outcome = "unchanged";
        if (session->current && session->current->n_profiles > 0) {
                int r = make_live_run(session, &made, reterr);
                if (r < 0)
                        return r;
                engine_check_fragment(session);

                int code = diag_list_exit_code(result->findings);
                result->changed = made.n_written > 0;
                result->outcome = code == 8 ? "unknown" : code != 0 ? "partly" : "applied";
                Error error = { 0 };
                if (engine_audit_boot(session, &made, &error) < 0)
                        session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        }
        session_publish(session, result->outcome, NULL);
        return 0;
}

/* --- requests ----------------------------------------------------------------------------------------------- */

static int engine_recover(Session *session) {
        EngineResult *result = session->result;
        bool settled = diag_list_count(result->findings) > 0;
        if (!streq(result->outcome, "reverted"))
                result->outcome = settled ? "recovered" : "unchanged";
        result->changed = settled;
        session_publish(session, result->outcome, NULL);
        return 0;
}

/* While a change awaits confirmation nothing else is changed; a boot that is none (a soft reboot) leaves it alone. */
static int engine_dispatch_undecided(Session *session, Error *reterr) {
        EngineResult *result = session->result;
        const EngineRequest *request = session->request;

        switch (request->verb) {
        case ENGINE_ENABLE:
                return undecided_answer_enable(session, reterr);
        case ENGINE_ROLLBACK:
                return request->to ? undecided_refuse(session) : revert_by_user(session, reterr);
        case ENGINE_DISABLE:
                return undecided_refuse(session);
        case ENGINE_RECOVER:
        case ENGINE_BOOT:
                result->tx = arena_copy(session->arena, session->undecided->tx);
                if (!result->tx)
                        return error_set(reterr, -ENOMEM, "cannot recover");
                result->deadline_ms = session->undecided->applied.deadline_ms;
                result->outcome = "pending";
                session_publish(session, "pending", result->tx);
                return 0;
        case ENGINE_CONFIRM:
        case ENGINE_REVERT:
        case ENGINE_RELEASE:
        default:
                assert(false); /* decided by the caller */
                return -EINVAL;
        }
}

static int engine_dispatch(Session *session, Error *reterr) {
        switch (session->request->verb) {
        case ENGINE_CONFIRM:
                return confirm_run(session, reterr);
        case ENGINE_REVERT:
                return revert_by_guard(session, reterr);
        case ENGINE_RELEASE:
                return quarantine_release(session, reterr);
        case ENGINE_ENABLE:
        case ENGINE_DISABLE:
        case ENGINE_ROLLBACK:
        case ENGINE_RECOVER:
        case ENGINE_BOOT:
        default:
                break;
        }
        if (session->undecided)
                return engine_dispatch_undecided(session, reterr);
        if (session->request->verb == ENGINE_BOOT)
                return engine_boot(session, reterr);
        return session->request->verb == ENGINE_RECOVER ? engine_recover(session)
                                                        : change_run(session, reterr);
}

/* The guard takes back whatever the state directory says of it. */
static int engine_fail_session(Session *session, int r, const Error *error, Error *reterr) {
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot work");
        if (session->request->verb == ENGINE_REVERT && r != -EBUSY)
                return revert_without_state(session, error, reterr);
        return engine_refuse(session, r, error);
}

enum {
        ENGINE_E_ANSWERED = 1, /* the result says all there is to say */
};

/* The journal or a generation cannot be understood: attention, unless the caller has chosen what stands. */
static int engine_settle_corrupt(Session *session, const Error *error, Error *reterr) {
        if (choice_is_made(session)) {
                int r = choice_run(session, reterr);
                return r == CHOICE_E_STUCK ? ENGINE_E_ANSWERED : r;
        }
        int r = engine_refuse_corrupt(session, error);
        return r < 0 ? r : ENGINE_E_ANSWERED;
}

/* What every entry does first. 0, ENGINE_E_ANSWERED or <0. */
static int engine_settle(Session *session, Error *reterr) {
        const EngineRequest *request = session->request;
        bool thorough = request->verb == ENGINE_BOOT || request->verb == ENGINE_RECOVER;
        Error error = { 0 };

        int r = recovery_run(session, thorough, &error);
        if (r == RECOVERY_E_REFUSED) {
                session->result->outcome = "unknown";
                return ENGINE_E_ANSWERED;
        }
        if (r >= 0)
                return 0;
        if (request->verb == ENGINE_REVERT) {
                r = engine_fail_session(session, r, &error, reterr);
                return r < 0 ? r : ENGINE_E_ANSWERED;
        }
        if (r == -EBADMSG)
                return engine_settle_corrupt(session, &error, reterr);
        if (reterr)
                *reterr = error;
        return r;
}

static int engine_load(Session *session, Error *reterr) {
        Error error = { 0 };
        int r = session->current ? 0 : session_load(session, &error);
        if (r == -EBADMSG)
                return engine_settle_corrupt(session, &error, reterr);
        if (r < 0 && reterr)
                *reterr = error;
        return r;
}

static int engine_work(Session *session, Error *reterr) {
        EngineResult *result = session->result;
        Error error = { 0 };

        int r = session_open(session, &error);
        if (r < 0)
                return engine_fail_session(session, r, &error, reterr);
        r = session->request->dry_run ? 0 : engine_settle(session, reterr);
        if (r == 0)
                r = engine_load(session, reterr);
        if (r != 0)
                return r < 0 ? r : 0;

        if (result->tx[0] == '\0') {
                result->generation = session->current ? session->current->number : 0;
                result->generation_before = result->generation;
        }
        return engine_dispatch(session, reterr);
}

int engine_run(Engine *engine, const EngineRequest *request, EngineResult *ret, Error *reterr) {
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        int r = engine_result_init(&result);
        if (r < 0)
                return error_set(reterr, r, "cannot work");

        CLEANUP(session_deinit)
        Session session = {
                .engine = engine,
                .request = request,
                .result = &result,
                .arena = result.arena,
                .reading = request->dry_run,
                .state = SEAM_FD_EMPTY,
                .lock = SEAM_FD_EMPTY,
        };
        r = engine_work(&session, reterr);
        if (r < 0)
                return r;

        result.exit_code = diag_list_exit_code(result.findings);
        if (result.changed && result.exit_code == ENGINE_EXIT_FAILED) {
                /* Memory ran out for a finding behind the commit point: that the old state stands is untrue. */
                result.exit_code = ENGINE_EXIT_ATTENTION;
                result.outcome = "unknown";
        }
        *ret = result;
        result = (EngineResult){ 0 };
        return 0;
}

int engine_record_denied(
                Engine *engine, const AuditCaller *caller, const char *via, const char *why,
                Error *reterr) {
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        int r = engine_result_init(&result);
        if (r < 0)
                return error_set(reterr, r, "cannot record");

        EngineRequest request = { .caller = caller, .via = via };
        CLEANUP(session_deinit)
        Session session = {
                .engine = engine,
                .request = &request,
                .result = &result,
                .arena = result.arena,
                .state = SEAM_FD_EMPTY,
                .lock = SEAM_FD_EMPTY,
        };
        r = session_open(&session, reterr);
        if (r < 0)
                return r;

        return denied_record(&session, why, reterr);
}

int engine_read_state(Engine *engine, char **ret, size_t *ret_length, Error *reterr) {
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        int r = engine_result_init(&result);
        if (r < 0)
                return error_set(reterr, r, "cannot read the state");

        CLEANUP(session_deinit)
        Session session = {
                .engine = engine,
                .result = &result,
                .arena = result.arena,
                .reading = true,
                .state = SEAM_FD_EMPTY,
                .lock = SEAM_FD_EMPTY,
        };
        r = session_open(&session, reterr);
        if (r >= 0)
                r = session_load(&session, reterr);
        if (r >= 0)
                r = undecided_find(&session, reterr);
        if (r >= 0)
                r = quarantine_load(&session, reterr);
        if (r < 0)
                return r;

        Status status = {
                .instance = engine->instance,
                .generation = session.current,
                .highest_generation = session.current ? session.current->number : 0,
                .undecided_tx = session.undecided ? session.undecided->tx : NULL,
                .undecided_deadline_ms = session.undecided ? session.undecided->applied.deadline_ms
                                                           : 0,
                .quarantined = session.quarantined,
                .n_quarantined = session.n_quarantined,
        };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        r = status_encode(&status, &text);
        size_t length = text.length;
        if (r >= 0)
                r = strbuf_finish(&text, ret);
        if (r < 0)
                return error_set(reterr, r, "cannot read the state");
        *ret_length = length;
        return 0;
}
