/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/planning.h"

#include <inttypes.h>

#include "base/num.h"
#include "engine/fragment.h"
#include "engine/generation-store.h"
#include "model/owners.h"
#include "model/plan-keys.h"
#include "model/rules.h"
#include "system/machine-facts.h"
#include "system/writers.h"

void planning_deinit(Planning *planning) {
        planning->target = generation_free(planning->target);
        live_set_close(&planning->live);
}

const char *planning_verb_name(PlanVerb verb) {
        static const char *const names[] = {
                [PLAN_ENABLE] = "enable",
                [PLAN_DISABLE] = "disable",
                [PLAN_ROLLBACK] = "rollback",
        };
        return names[verb];
}

static int planning_refuse(Session *session, const char *outcome) {
        session->result->outcome = outcome;
        return PLANNING_E_REFUSED;
}

/* The word for a refusal is that of its exit code. */
static int planning_refuse_by_findings(Session *session) {
        int code = diag_list_exit_code(session->result->findings);
        return planning_refuse(
                        session, code == 3   ? "invalid"
                                 : code == 5 ? "not-found"
                                             : "refused");
}

int planning_load_bundles(Session *session, DiagList *findings, WantedBundles *ret, Error *reterr) {
        const EngineRequest *request = session->request;
        ProfileDirs dirs = {
                .seam = session->engine->seam,
                .root_fd = session->engine->root_fd,
                .owner = session->engine->files_only && request->caller
                                         ? (uid_t) request->caller->uid
                                         : 0,
        };
        WantedRequest wanted = {
                .dirs = &dirs,
                .current = session->current,
                .verb = request->verb == ENGINE_DISABLE ? WANTED_DISABLE
                        : request->only                 ? WANTED_ONLY
                                                        : WANTED_ENABLE,
                .names = request->profiles,
                .n_names = request->n_profiles,
        };
        return wanted_bundles_load(&wanted, findings, ret, reterr);
}

static int planning_ask_bundles(Session *session, Error *reterr) {
        int r = planning_load_bundles(
                        session, session->result->findings, &session->result->bundles, reterr);
        return r == WANTED_E_REFUSED ? planning_refuse_by_findings(session) : r;
}

static int planning_refuse_unknown(Session *session, const char *name) {
        Diag *d = diag_add(
                        session->result->findings, DIAG_UNKNOWN_GENERATION, (Span){ 0 },
                        "there is no generation '%s'", name);
        diag_set_help(session->result->findings, d, "'twprofile history' shows what there is");
        return planning_refuse(session, "not-found");
}

/* 0 and *ret (0 for the origin), or PLANNING_E_REFUSED. */
static int planning_target_number(Session *session, uint64_t *ret) {
        const char *to = session->request->to;
        const Generation *current = session->current;

        if (to && streq(to, "origin")) {
                *ret = 0;
                return 0;
        }
        if (to)
                return num_parse_u64(to, ret) < 0 || *ret == 0
                                       ? planning_refuse_unknown(session, to)
                                       : 0;

        if (!current || (current->parent == 0 && current->n_profiles == 0)) {
                (void) diag_add(session->result->findings, DIAG_NO_PARENT_GENERATION, (Span){ 0 },
                                "there is nothing to go back to: no profile is enabled and none was before");
                return planning_refuse(session, "not-found");
        }
        *ret = current->parent;
        return 0;
}

static int planning_load_target(Session *session, Planning *planning, Error *reterr) {
        uint64_t number;
        int r = planning_target_number(session, &number);
        if (r != 0 || number == 0)
                return r;

        Error error = { 0 };
        r = session->state.fd < 0 ? -ENOENT
                                  : generation_store_load(
                                                    session->engine->seam, session->state.fd,
                                                    number, &planning->target, &error);
        if (r == -ENOENT) {
                char name[32];
                (void) snprintf(name, sizeof(name), "%" PRIu64, number);
                return planning_refuse_unknown(session, name);
        }
        if (r == -EBADMSG) {
                session_add_error(session, DIAG_GENERATION_CORRUPT, &error);
                return planning_refuse(session, "failed");
        }
        return r < 0 ? error_set(reterr, r, "cannot load generation %" PRIu64, number) : 0;
}

static int planning_read_live(Session *session, Planning *planning, Error *reterr) {
        const Engine *engine = session->engine;
        const SysctlSpec **specs;
        size_t n;
        int r = plan_keys_collect(
                        (const Bundle *const *) session->result->bundles.bundles,
                        session->result->bundles.n_bundles,
                        (const Generation *[]){ session->current, planning->target },
                        session->arena, &specs, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot plan");

        r = engine->files_only ? live_set_assume(specs, n, session->arena, &planning->live, reterr)
                               : live_set_open(&(SeamFd){ engine->seam, engine->root_fd }, specs, n,
                                               session->arena, &planning->live, reterr);
        if (r < 0)
                return r;
        planning->live.snapshot.kernel = engine->kernel;
        planning->live.snapshot.initial_netns = engine->initial_netns;
        if (engine->files_only)
                return 0;
        r = machine_facts_read(
                        &(SeamFd){ engine->seam, engine->root_fd },
                        rules_ask_listeners(&planning->live.snapshot), session->arena,
                        &planning->machine);
        return r < 0 ? error_set(reterr, r, "cannot plan") : 0;
}

/* Who else sets the keys, now that the fragment is known. */
static int planning_check_owners(Session *session, Plan *plan, Error *reterr) {
        const Engine *engine = session->engine;
        const WritersRequest where = {
                .seam = engine->seam,
                .root_fd = engine->root_fd,
                .files_only = engine->files_only,
        };
        Owners owners;
        int r = writers_find_for_plan(&where, plan, session->arena, &owners, reterr);
        if (r < 0)
                return r;
        return owners_check(
                        plan, session->request->adopt, &owners, session->result->findings, reterr);
}

static int planning_decide(Session *session, Planning *planning, Plan **ret_plan, Error *reterr) {
        const EngineRequest *request = session->request;
        PlanInput input = {
                .verb = request->verb == ENGINE_ROLLBACK  ? PLAN_ROLLBACK
                        : request->verb == ENGINE_DISABLE ? PLAN_DISABLE
                                                          : PLAN_ENABLE,
                .adopt = request->adopt,
                .current = session->current,
                .next_number = session->current ? session->current->number + 1 : 1,
                .target = planning->target,
                .bundles = (const Bundle *const *) session->result->bundles.bundles,
                .n_bundles = session->result->bundles.n_bundles,
                .live = &planning->live.snapshot,
                .machine = &planning->machine,
        };
        int r = fragment_read(
                        session->engine->seam, session->engine->root_fd, &input.fragment, reterr);
        if (r < 0)
                return r;

        planning->fragment = input.fragment;
        CLEANUP(plan_freep) Plan *plan = NULL;
        r = plan_build(&input, session->result->findings, &plan, reterr);
        if (r == 0)
                r = planning_check_owners(session, plan, reterr);
        if (r == 0)
                *ret_plan = TAKE_PTR(plan);
        return r == PLAN_E_REFUSED ? planning_refuse_by_findings(session) : r;
}

int planning_run(Session *session, Planning *ret, Plan **ret_plan, Error *reterr) {
        int r = session->request->verb == ENGINE_ROLLBACK
                                ? planning_load_target(session, ret, reterr)
                                : planning_ask_bundles(session, reterr);
        if (r == 0)
                r = planning_read_live(session, ret, reterr);
        if (r == 0)
                r = planning_decide(session, ret, ret_plan, reterr);
        return r;
}
