/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/request.h"

#include "helper/answer.h"

static int answer_or_nomem(json_t *answer, json_t **ret, Error *reterr) {
        if (!answer)
                return error_set(reterr, -ENOMEM, "cannot build the answer");
        *ret = answer;
        return 0;
}

/* The parameter that contradicts another one, or NULL. */
static const char *find_contradiction(const Parameters *p) {
        if (p->runtime && p->confirm_within_s > 0)
                return "runtime";
        return p->gate && p->confirm_within_s == 0 ? "gate" : NULL;
}

/* Nothing was begun. */
static json_t *answer_no_gate(const char *why) {
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        if (!findings)
                return NULL;
        Diag *diag = diag_add(
                        findings, DIAG_NOT_SUPPORTED_HERE, (Span){ 0 },
                        "the health gate cannot be used here: %s", why);
        diag_set_help(findings, diag, "leave out --gate and watch the counters yourself");
        return answer_refused(findings);
}

/* Only a window that can be opened is worth the wait; the engine says why it cannot. */
static bool needs_baseline(const Service *service, const Parameters *p) {
        const Engine *engine = service->engine;
        return p->gate && !p->dry_run && !engine->files_only && engine->arm;
}

/* What the engine is asked; the strings are the message's. */
static EngineRequest request_of(const Service *service, EngineVerb verb, const Parameters *p) {
        const ParameterNames *names = p->profile.n_names > 0 ? &p->profile : &p->profiles;
        return (EngineRequest){
                .verb = verb,
                .profiles = names->names,
                .n_profiles = names->n_names,
                .only = p->only,
                .dry_run = p->dry_run,
                .adopt = p->adopt,
                .to = p->to,
                .confirm_within_s = p->confirm_within_s,
                .runtime = p->runtime,
                .token = p->token,
                .same_session = p->same_session,
                .choice = p->choice,
                .reason = p->reason,
                .caller = &service->caller->audit,
                .via = service->via,
        };
}

int request_answer(
                Service *service, EngineVerb verb, const Parameters *p, json_t **ret,
                Error *reterr) {
        const char *bad = find_contradiction(p);
        if (bad)
                return answer_or_nomem(answer_invalid_parameter(bad), ret, reterr);
        if (p->gate && !service->sample_gate)
                return answer_or_nomem(answer_no_gate("this helper has none"), ret, reterr);

        cleanup_free char *gate = NULL;
        if (needs_baseline(service, p)) {
                Error error = { 0 };
                int r = service->sample_gate(service->gate_userdata, &gate, &error);
                if (r == -ENOMEM)
                        return error_set(reterr, r, "cannot sample the counters");
                if (r < 0)
                        return answer_or_nomem(answer_no_gate(error.text), ret, reterr);
        }
        EngineRequest request = request_of(service, verb, p);
        request.gate = gate;
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        int r = engine_run(service->engine, &request, &result, reterr);
        return r < 0 ? r : answer_or_nomem(answer_result(&result), ret, reterr);
}
