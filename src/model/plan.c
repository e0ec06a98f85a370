/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/plan.h"

#include "model/plan-steps.h"
#include "model/rules.h"

#define FRAGMENT_PATH "/etc/sysctl.d/60-twprofile.conf"

typedef struct Builder {
        const PlanInput *in;
        DiagList *findings;
        Error *reterr;
        Plan *plan;
        Generation *next;   /* the plan's */
        PlanWanted *wanted; /* sorted by key; NULL when the profiles were refused */
        size_t n_wanted;
        bool refused;
        bool no_memory;
} Builder;

static int out_of_memory(const Builder *b) {
        return error_set(b->reterr, -ENOMEM, "cannot make the plan");
}

static const char *copy_text(Builder *b, const char *text) {
        const char *copy = arena_copy(b->next->arena, text);
        if (!copy)
                b->no_memory = true;
        return copy;
}

static int want_bundles(Builder *b) {
        const PlanInput *in = b->in;
        EffectiveSet set = {};
        int r = effective_set_build(
                        &(EffectiveInput){ .bundles = in->bundles,
                                           .n_bundles = in->n_bundles,
                                           .current = in->current,
                                           .live = in->live },
                        b->plan->arena, b->findings, &set, b->reterr);
        if (r < 0)
                return r;
        bool has_set = r == 0;
        int verdict = rules_check_bundles(in->bundles, in->n_bundles, &set, b->findings, b->reterr);
        if (verdict < 0)
                return verdict;
        b->refused = b->refused || !has_set || verdict == RULES_E_REFUSED;
        if (!has_set)
                return 0;

        RuleFacts facts = {
                .set = &set, .live = in->live, .machine = in->machine, .current = in->current
        };
        r = rules_check(&facts, b->findings, b->reterr);
        if (r < 0)
                return r;
        b->refused = b->refused || r == RULES_E_REFUSED;

        b->wanted = arena_alloc_array(b->plan->arena, set.n_keys + 1, sizeof(PlanWanted));
        if (!b->wanted)
                return out_of_memory(b);
        for (size_t i = 0; i < set.n_keys; i++)
                b->wanted[b->n_wanted++] = (PlanWanted){
                        .spec = set.keys[i].spec,
                        .value = &set.keys[i].value,
                        .profile = bundle_root(set.keys[i].bundle)->name,
                };
        return 0;
}

/* No rule is asked again: what was committed once stays a place to go back to. */
static int want_generation(Builder *b) {
        const Generation *target = b->in->target;
        size_t n = target ? target->n_keys : 0;
        b->wanted = arena_alloc_array(b->plan->arena, n + 1, sizeof(PlanWanted));
        if (!b->wanted)
                return out_of_memory(b);
        for (size_t i = 0; i < n; i++)
                b->wanted[b->n_wanted++] = (PlanWanted){
                        .spec = target->keys[i].spec,
                        .value = &target->keys[i].value,
                        .profile = target->keys[i].profile,
                };
        return 0;
}

static void copy_file(Builder *b, GenerationFile *to, const GenerationFile *from) {
        *to = (GenerationFile){
                .name = copy_text(b, from->name),
                .path = copy_text(b, from->path),
                .bytes = arena_copy_n(b->next->arena, from->bytes, from->length),
                .length = from->length,
        };
        if (!to->bytes)
                b->no_memory = true;
}

static GenerationFile *add_profile(
                Builder *b, GenerationProfile *profile, const char *name, const Sha256 *digest,
                size_t n) {
        GenerationFile *files = arena_alloc_array(b->next->arena, n + 1, sizeof(*files));
        if (!files)
                b->no_memory = true;
        *profile = (GenerationProfile){
                .name = copy_text(b, name), .digest = *digest, .files = files, .n_files = n
        };
        return files;
}

static void add_bundle(Builder *b, GenerationProfile *profile, const Bundle *bundle) {
        GenerationFile *files = add_profile(
                        b, profile, bundle_root(bundle)->name, &bundle->digest, bundle->n_profiles);
        for (size_t i = 0; files && i < bundle->n_profiles; i++) {
                const Profile *from = bundle->profiles[i];
                copy_file(b, &files[i],
                          &(GenerationFile){ .name = from->name,
                                             .path = source_name(from->source),
                                             .bytes = source_bytes(from->source),
                                             .length = source_length(from->source) });
        }
}

static void add_stored(Builder *b, GenerationProfile *profile, const GenerationProfile *from) {
        GenerationFile *files = add_profile(b, profile, from->name, &from->digest, from->n_files);
        for (size_t i = 0; files && i < from->n_files; i++)
                copy_file(b, &files[i], &from->files[i]);
}

/* Steps and keys share their values, so both live in the arena of the generation. */
static int add_keys(Builder *b) {
        PlanSteps steps;
        int r = plan_steps_build(
                        b->in, b->wanted, b->n_wanted, b->next->arena, b->findings, &steps);
        if (r < 0)
                return out_of_memory(b);

        b->refused |= steps.refused;
        b->plan->steps = steps.steps;
        b->plan->n_steps = steps.n_steps;
        b->next->keys = steps.keys;
        b->next->n_keys = steps.n_keys;
        return 0;
}

static int add_profiles(Builder *b) {
        const PlanInput *in = b->in;
        const Generation *target = in->verb == PLAN_ROLLBACK ? in->target : NULL;
        size_t n = in->verb == PLAN_ROLLBACK ? (target ? target->n_profiles : 0) : in->n_bundles;
        GenerationProfile *profiles = arena_alloc_array(b->next->arena, n + 1, sizeof(*profiles));
        if (!profiles)
                return out_of_memory(b);
        for (size_t i = 0; i < n; i++)
                if (target)
                        add_stored(b, &profiles[i], &target->profiles[i]);
                else
                        add_bundle(b, &profiles[i], in->bundles[i]);
        b->next->profiles = profiles;
        b->next->n_profiles = n;
        return b->no_memory ? out_of_memory(b) : 0;
}

static void check_size(Builder *b) {
        size_t total = 0;
        for (size_t i = 0; i < b->in->n_bundles; i++)
                for (size_t k = 0; k < b->in->bundles[i]->n_profiles; k++)
                        total += source_length(b->in->bundles[i]->profiles[k]->source);
        if (total <= GENERATION_MAX_BYTES)
                return;

        Diag *d = diag_add(
                        b->findings, DIAG_GENERATION_TOO_LARGE, (Span){},
                        "the enabled profiles and their includes are %zu bytes together, and %zu is the limit",
                        total, GENERATION_MAX_BYTES);
        diag_set_help(b->findings, d, "disable what is not needed, or shorten the texts");
        b->refused = true;
}

static int finish_generation(Builder *b) {
        const PlanInput *in = b->in;
        Generation *next = b->next;
        next->number = in->next_number;
        if (in->verb == PLAN_ROLLBACK)
                next->parent = in->target ? in->target->parent : 0;
        else
                next->parent = in->current ? in->current->number : 0;

        cleanup_free char *text = NULL;
        size_t length = 0;
        if (generation_render_fragment(next, &text, &length) < 0)
                return out_of_memory(b);
        if (!text)
                return 0;
        b->plan->fragment = arena_copy_n(b->plan->arena, text, length);
        if (!b->plan->fragment)
                return out_of_memory(b);
        b->plan->fragment_length = length;
        next->has_fragment = true;
        next->fragment = sha256_of(text, length);
        return 0;
}

static bool fragment_is_of(const PlanFragment *found, const Generation *generation) {
        bool wanted = generation && generation->has_fragment;
        return found->exists == wanted &&
               (!wanted || sha256_equal(&found->digest, &generation->fragment));
}

static void check_fragment(Builder *b) {
        const PlanFragment *found = &b->in->fragment;
        if (fragment_is_of(found, b->in->current))
                return;
        if (found->exists && fragment_is_of(found, b->next))
                return;
        if (b->in->adopt & PLAN_ADOPT_FRAGMENT)
                return;

        bool wanted = b->in->current && b->in->current->has_fragment;
        Diag *d = diag_add(
                        b->findings, DIAG_FRAGMENT_EDITED, (Span){}, "%s",
                        !found->exists ? FRAGMENT_PATH " was removed, though profiles are enabled"
                        : wanted ? FRAGMENT_PATH " is not what twprofile wrote: somebody edited it"
                                 : FRAGMENT_PATH " is there, though no profile is enabled");
        if (found->exists)
                diag_add_note(b->findings, d,
                              "an edit belongs into a file of its own; in /etc/sysctl.d the last name wins");
        diag_set_help(b->findings, d, "--adopt=fragment with --reason=… writes it anew");
        b->refused = true;
}

static void finish_plan(Builder *b) {
        const PlanInput *in = b->in;
        Plan *plan = b->plan;
        plan->verb = in->verb;
        plan->from = in->current ? in->current->number : 0;

        /* A rollback onto the same content still moves one step back in the history, or the steps behind it
         * could never be reached. */
        bool moves = in->verb == PLAN_ROLLBACK && in->target && in->current &&
                     b->next->parent != in->current->parent;
        plan->is_noop = plan_count_writes(plan) == 0 && !moves &&
                        generation_same_content(b->next, in->current) &&
                        fragment_is_of(&in->fragment, in->current);
}

int plan_build(const PlanInput *input, DiagList *findings, Plan **ret, Error *reterr) {
        CLEANUP(plan_freep) Plan *plan = NULL;
        Builder b = { .in = input, .findings = findings, .reterr = reterr };

        CLEANUP(arena_freep) Arena *arena = arena_new();
        plan = arena ? arena_alloc(arena, sizeof(*plan)) : NULL;
        if (!plan)
                return out_of_memory(&b);
        plan->arena = TAKE_PTR(arena);
        plan->next = generation_new();
        if (!plan->next)
                return out_of_memory(&b);
        b.plan = plan;
        b.next = plan->next;

        int r = input->verb == PLAN_ROLLBACK ? want_generation(&b) : want_bundles(&b);
        if (r < 0)
                return r;
        if (input->verb != PLAN_ROLLBACK)
                check_size(&b);
        /* Profiles that are refused leave no set, and against none every key would seem to leave. */
        if (!b.wanted)
                return PLAN_E_REFUSED;

        r = add_keys(&b);
        if (r == 0)
                r = add_profiles(&b);
        if (r == 0)
                r = finish_generation(&b);
        if (r < 0)
                return r;
        check_fragment(&b);
        if (b.refused)
                return PLAN_E_REFUSED;

        finish_plan(&b);
        *ret = TAKE_PTR(plan);
        return 0;
}

Plan *plan_free(Plan *plan) {
        if (!plan)
                return NULL;

        (void) generation_free(plan->next);
        (void) arena_free(plan->arena);
        return NULL;
}

bool plan_step_writes(const PlanStep *step) {
        return step->action == PLAN_SET || step->action == PLAN_RESTORE;
}

size_t plan_count_writes(const Plan *plan) {
        size_t n = 0;
        for (size_t i = 0; i < plan->n_steps; i++)
                n += plan_step_writes(&plan->steps[i]);
        return n;
}

const char *plan_action_name(PlanAction action) {
        static const char *const names[] = {
                [PLAN_SET] = "set",           [PLAN_KEEP] = "keep",   [PLAN_RESTORE] = "restore",
                [PLAN_RESTORED] = "restored", [PLAN_LEAVE] = "leave", [PLAN_PENDING] = "pending",
                [PLAN_GONE] = "gone",
        };
        return names[action];
}
