/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/local-plan.h"

#include "diag/nearest.h"
#include "model/owners.h"
#include "model/plan-keys.h"
#include "system/writers.h"

/* --- profiles ------------------------------------------------------------------------------------------- */

static int report_unknown(Context *context, const Host *host, const char *name, Error *reterr) {
        ProfileEntry *entries = NULL;
        size_t n = 0;
        int r = profile_dirs_list(&host->dirs, context->arena, &entries, &n, reterr);
        if (r < 0)
                return r;
        const char *best = NULL;
        for (size_t i = 0; i < n; i++)
                nearest_consider(name, entries[i].name, &best);
        Diag *diag = diag_add(
                        context->findings, DIAG_UNKNOWN_PROFILE, (Span){},
                        "there is no profile '%s'", name);
        diag_set_profile(context->findings, diag, name);
        if (best)
                diag_set_help(context->findings, diag, "did you mean '%s'?", best);
        else
                diag_set_help(context->findings, diag, "twprofile list shows all");
        return LOCAL_PLAN_E_REFUSED;
}

int local_plan_load_profile(
                Context *context, const Host *host, const char *name, Bundle **ret, Error *reterr) {
        if (!profile_name_is_valid(name))
                return report_unknown(context, host, name, reterr);
        ProfileDirs dirs = host->dirs;
        int r = bundle_load(name, profile_dirs_fetch, &dirs, context->findings, ret, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot load profile '%s'", name);
        if (r == BUNDLE_E_NOT_FOUND)
                return report_unknown(context, host, name, reterr);
        return r == 0 ? 0 : LOCAL_PLAN_E_REFUSED;
}

/* --- which profiles ------------------------------------------------------------------------------------- */

static const WantedVerb wanted_verbs[] = {
        [LOCAL_PLAN_ENABLE] = WANTED_ENABLE,
        [LOCAL_PLAN_ENABLE_ONLY] = WANTED_ONLY,
        [LOCAL_PLAN_DISABLE] = WANTED_DISABLE,
        [LOCAL_PLAN_REREAD] = WANTED_ENABLE,
};

/* The names of all that is enabled. NULL when out of memory. */
static const char *const *enabled_names(const Generation *current, Arena *arena) {
        const char **names = arena_alloc_array(arena, current->n_profiles + 1, sizeof(char *));
        for (size_t i = 0; names && i < current->n_profiles; i++)
                names[i] = current->profiles[i].name;
        return names;
}

static int load_bundles(
                Context *context, const Host *host, LocalPlanKind kind, LocalPlan *local,
                Error *reterr) {
        const Generation *current = host_generation(host);
        WantedRequest request = {
                .dirs = &host->dirs,
                .current = current,
                .verb = wanted_verbs[kind],
                .names = context->args,
                .n_names = context->n_args,
        };
        if (kind == LOCAL_PLAN_REREAD && current) {
                request.names = enabled_names(current, context->arena);
                request.n_names = current->n_profiles;
                if (!request.names)
                        return error_set(reterr, -ENOMEM, "cannot make a plan");
        }
        int r = wanted_bundles_load(&request, context->findings, &local->wanted, reterr);
        return r == WANTED_E_REFUSED ? LOCAL_PLAN_E_REFUSED : r;
}

/* --- live values ---------------------------------------------------------------------------------------- */

static int read_live(
                const Host *host, const LocalPlan *local, Arena *arena, LiveSnapshot *ret,
                Error *reterr) {
        const SysctlSpec **specs = NULL;
        size_t n_specs = 0;
        int r = plan_keys_collect(
                        (const Bundle *const *) local->wanted.bundles, local->wanted.n_bundles,
                        (const Generation *[]){ host_generation(host), NULL }, arena, &specs,
                        &n_specs);
        if (r < 0)
                return error_set(reterr, r, "cannot make a plan");
        return host_read_live(host, specs, n_specs, arena, ret, reterr);
}

/* As the helper does it: who else sets the keys, now that the fragment is known. */
static int check_owners(Context *context, const Host *host, Plan *plan, Error *reterr) {
        const WritersRequest where = {
                .seam = host->seam,
                .root_fd = host->root_fd,
                .files_only = host->files_only,
        };
        Owners owners;
        int r = writers_find_for_plan(&where, plan, context->arena, &owners, reterr);
        if (r < 0)
                return r;
        return owners_check(plan, context->options.adopt, &owners, context->findings, reterr);
}

/* As the helper does it: what was taken back by itself is not brought in again, unless nothing changes. */
static bool is_quarantined(
                const Context *context, const Host *host, LocalPlanKind kind, const Plan *plan) {
        return kind != LOCAL_PLAN_DISABLE && !plan->is_noop &&
               host->status_state == HOST_STATUS_CURRENT &&
               quarantine_judge(
                               host->status.quarantined, host->status.n_quarantined,
                               host_generation(host), plan->next, context->findings);
}

int local_plan_build(
                Context *context, const Host *host, LocalPlanKind kind, LocalPlan *ret,
                Error *reterr) {
        *ret = (LocalPlan){};
        int r = load_bundles(context, host, kind, ret, reterr);
        if (r != 0)
                return r;
        const Generation *current = host_generation(host);
        LiveSnapshot *live = arena_alloc(context->arena, sizeof(LiveSnapshot));
        if (!live)
                return error_set(reterr, -ENOMEM, "cannot make a plan");
        MachineFacts machine = {};
        r = read_live(host, ret, context->arena, live, reterr);
        if (r == 0)
                r = host_read_machine(host, live, context->arena, &machine, reterr);
        if (r < 0)
                return r;
        PlanInput input = {
                .verb = kind == LOCAL_PLAN_DISABLE ? PLAN_DISABLE : PLAN_ENABLE,
                .adopt = context->options.adopt,
                .current = current,
                .next_number = (current ? current->number : 0) + 1,
                .bundles = (const Bundle *const *) ret->wanted.bundles,
                .n_bundles = ret->wanted.n_bundles,
                .live = live,
                .machine = &machine,
        };
        r = host_read_fragment(host, &input.fragment, reterr);
        if (r < 0)
                return r;
        r = plan_build(&input, context->findings, &ret->plan, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot make a plan");
        if (r == 0)
                r = check_owners(context, host, ret->plan, reterr);
        if (r == 0 && is_quarantined(context, host, kind, ret->plan))
                r = LOCAL_PLAN_E_REFUSED;
        return r <= 0 ? r : LOCAL_PLAN_E_REFUSED;
}

static void keep_sources(Context *context, const Bundle *bundle) {
        for (size_t i = 0; i < bundle->n_profiles; i++)
                diag_list_take_source(context->findings, TAKE_PTR(bundle->profiles[i]->source));
}

void local_plan_release_bundle(Context *context, Bundle *bundle) {
        if (!bundle)
                return;
        keep_sources(context, bundle);
        (void) bundle_free(bundle);
}

void local_plan_deinit(Context *context, LocalPlan *local) {
        if (local->plan)
                local->plan = plan_free(local->plan);
        for (size_t i = 0; i < local->wanted.n_bundles; i++)
                keep_sources(context, local->wanted.bundles[i]);
        wanted_bundles_deinit(&local->wanted);
        *local = (LocalPlan){};
}
