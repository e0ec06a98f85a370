/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/plan-steps.h"

typedef struct Judge {
        const PlanInput *in;
        DiagList *findings;
        Arena *arena;
        PlanSteps result;
        bool no_memory;
} Judge;

static SysctlValue copy_value(Judge *j, const SysctlValue *value) {
        SysctlValue copy = {};
        if (sysctl_value_copy(value, j->arena, &copy) < 0)
                j->no_memory = true;
        return copy;
}

/* For messages: the kernel's spelling, blanks for its tabs. */
static const char *show_value(Judge *j, const SysctlSpec *spec, const SysctlValue *value) {
        const char *text = sysctl_value_to_kernel(spec, value, j->arena);
        char *shown = text ? arena_copy(j->arena, text) : NULL;
        if (!shown) {
                j->no_memory = true;
                return "?";
        }
        for (char *c = shown; *c; c++)
                if (*c == '\t')
                        *c = ' ';
        return shown;
}

static Diag *add_finding(
                Judge *j, DiagId id, const SysctlSpec *spec, const char *profile,
                const char *message) {
        Diag *d = diag_add(j->findings, id, (Span){}, "%s", message ? message : "");
        diag_set_key(j->findings, d, spec->key);
        if (profile)
                diag_set_profile(j->findings, d, profile);
        if (!message)
                j->no_memory = true;
        return d;
}

static bool adopts(const Judge *j, PlanAdopt what) {
        return (j->in->adopt & (unsigned) what) != 0;
}

static const GenerationKey *find_current(const Judge *j, const SysctlSpec *spec) {
        return j->in->current ? generation_find_key(j->in->current, spec) : NULL;
}

static PlanStep *add_step(Judge *j, const SysctlSpec *spec, const LiveKey *live) {
        const GenerationKey *current = find_current(j, spec);
        PlanStep *step = &j->result.steps[j->result.n_steps++];
        *step = (PlanStep){ .spec = spec, .owned_before = current };

        if (current) {
                step->has_previous = true;
                step->previous = copy_value(j, &current->value);
        }
        if (live->state == LIVE_PRESENT) {
                step->has_live = true;
                step->live = copy_value(j, &live->value);
        }
        SysctlValue origin;
        step->origin_known = effective_find_origin(current, live, &origin);
        if (step->origin_known)
                step->origin = copy_value(j, &origin);
        return step;
}

static void report_unreadable(Judge *j, const LiveKey *live, const char *profile) {
        const char *message;
        if (live->state == LIVE_STRANGE)
                message = arena_format(
                                j->arena, "'%s' holds '%s' here, which is no value of type %s",
                                live->spec->key, live->text, sysctl_type_name(live->spec->type));
        else
                message = arena_format(
                                j->arena, "cannot read '%s': %s", live->spec->key,
                                strerror(live->error));
        add_finding(j, DIAG_KEY_UNREADABLE, live->spec, profile, message);
        j->result.refused = true;
}

static void report_pending(Judge *j, const PlanStep *step) {
        const SysctlSpec *spec = step->spec;
        const char *message =
                        spec->module ? arena_format(j->arena,
                                                    "'%s' waits for the kernel module '%s', which is not loaded",
                                                    spec->key, spec->module)
                                     : arena_format(j->arena, "'%s' is not in this kernel any more",
                                                    spec->key);
        add_finding(j, DIAG_KEY_PENDING, spec, step->profile, message);
}

static void report_drift(Judge *j, const PlanStep *step) {
        const GenerationKey *current = find_current(j, step->spec);
        assert(current); /* only what was ours can have drifted */
        Diag *d = add_finding(
                        j, DIAG_DRIFT, step->spec, step->profile,
                        arena_format(j->arena,
                                     "'%s' is %s here, though profile '%s' set it to %s: somebody else changed it",
                                     step->spec->key, show_value(j, step->spec, &step->live),
                                     current->profile, show_value(j, step->spec, &step->previous)));
        diag_add_note(j->findings, d, "wanted is %s", show_value(j, step->spec, &step->target));
        diag_set_help(j->findings, d,
                      "find out who wrote it; --adopt=drift with --reason=… lets the profile win");
        j->result.refused = true;
}

static void report_foreign(Judge *j, const PlanStep *step, const LiveKey *live) {
        const char *shown = step->has_live ? show_value(j, step->spec, &step->live) : live->text;
        Diag *d = add_finding(
                        j, DIAG_FOREIGN_VALUE_KEPT, step->spec, step->profile,
                        arena_format(j->arena,
                                     "'%s' is left at %s: somebody else changed it from the %s that was set",
                                     step->spec->key, shown,
                                     show_value(j, step->spec, &step->previous)));
        if (step->owned_after)
                diag_set_help(j->findings, d, "--adopt=drift with --reason=… sets it to %s",
                              show_value(j, step->spec, &step->target));
}

static void report_origin_unknown(Judge *j, const PlanStep *step) {
        Diag *d = add_finding(
                        j, DIAG_ORIGIN_UNKNOWN_KEPT, step->spec, NULL,
                        arena_format(j->arena,
                                     "'%s' is left at %s: nobody knows what it was before it was set",
                                     step->spec->key, show_value(j, step->spec, &step->live)));
        if (step->spec->default_note)
                diag_add_note(j->findings, d, "the kernel's default: %s", step->spec->default_note);
}

/* A value that is neither what we set nor what we want is somebody else's. A key that was pending was never
 * set by us, so whatever it holds now is only the kernel's own. */
static bool has_drifted(const PlanStep *step, const GenerationKey *current) {
        return current && !current->pending &&
               !sysctl_value_holds(step->spec, &step->previous, &step->live) &&
               !sysctl_value_holds(step->spec, &step->target, &step->live);
}

static PlanAction judge_owned(Judge *j, const PlanStep *step, const LiveKey *live) {
        if (live->state == LIVE_ABSENT) {
                report_pending(j, step);
                return PLAN_PENDING;
        }
        /* Below --root nothing runs: what was set there before counts as what will be. */
        if (live->state == LIVE_ASSUMED)
                return step->has_previous && sysctl_value_equal(&step->previous, &step->target)
                                       ? PLAN_KEEP
                                       : PLAN_SET;
        if (!step->has_live) {
                report_unreadable(j, live, step->profile);
                return PLAN_LEAVE;
        }
        if (sysctl_value_holds(step->spec, &step->target, &step->live))
                return PLAN_KEEP;
        if (!has_drifted(step, find_current(j, step->spec)) || adopts(j, PLAN_ADOPT_DRIFT))
                return PLAN_SET;

        /* Who takes something back wants less of us here, so one foreign value must not stop that. */
        if (j->in->verb == PLAN_ENABLE)
                report_drift(j, step);
        else
                report_foreign(j, step, live);
        return PLAN_LEAVE;
}

static void add_owned(Judge *j, const PlanWanted *wanted, const LiveKey *live) {
        PlanStep *step = add_step(j, wanted->spec, live);
        step->owned_after = true;
        step->target = copy_value(j, wanted->value);
        step->profile = arena_copy(j->arena, wanted->profile);
        if (!step->profile)
                j->no_memory = true;
        if (j->no_memory)
                return;

        const GenerationKey *current = find_current(j, step->spec);
        const char *adopted = current && current->adopted ? arena_copy(j->arena, current->adopted)
                                                          : NULL;
        if (current && current->adopted && !adopted)
                j->no_memory = true;

        step->action = judge_owned(j, step, live);
        j->result.keys[j->result.n_keys++] = (GenerationKey){
                .spec = step->spec,
                .value = step->target,
                .profile = step->profile,
                .pending = live->state == LIVE_ABSENT,
                .origin_known = step->origin_known,
                .origin = step->origin,
                .adopted = adopted,
        };
}

/* Where a leaving key goes: to its origin, else to the catalogue's default where that is a constant. */
static bool find_way_back(Judge *j, const PlanStep *step, SysctlValue *ret) {
        const char *text = step->spec->default_text;
        if (step->origin_known) {
                *ret = step->origin;
                return true;
        }
        /* The generator of the catalogue has read the same text by the same rules, so this is memory. */
        if (text && sysctl_value_from_kernel(step->spec, text, strlen(text), j->arena, ret) < 0)
                j->no_memory = true;
        return text && !j->no_memory;
}

static PlanAction judge_leaving(
                Judge *j, const PlanStep *step, const LiveKey *live, bool has_way_back) {
        if (live->state == LIVE_ABSENT)
                return PLAN_GONE;
        /* Below --root it is enough that the fragment does not name it: the kernel starts with its own. */
        if (live->state == LIVE_ASSUMED)
                return PLAN_RESTORED;
        if (live->state == LIVE_UNREADABLE) {
                report_unreadable(j, live, NULL);
                return PLAN_LEAVE;
        }
        if (step->has_live && has_way_back &&
            sysctl_value_holds(step->spec, &step->target, &step->live))
                return PLAN_RESTORED;
        if (!step->has_live || !sysctl_value_holds(step->spec, &step->previous, &step->live)) {
                report_foreign(j, step, live);
                return PLAN_LEAVE;
        }
        if (has_way_back)
                return PLAN_RESTORE;
        report_origin_unknown(j, step);
        return PLAN_LEAVE;
}

static void add_leaving(Judge *j, const GenerationKey *key, const LiveKey *live) {
        PlanStep *step = add_step(j, key->spec, live);
        bool has_way_back = find_way_back(j, step, &step->target);
        if (!has_way_back)
                step->target = step->has_live ? step->live : step->previous;
        if (!j->no_memory)
                step->action = judge_leaving(j, step, live, has_way_back);
}

static const LiveKey *get_live(const Judge *j, const SysctlSpec *spec) {
        const LiveKey *live = live_find(j->in->live, spec);
        assert(live);
        return live;
}

/* Walks both sorted lists at once: what is wanted, and what is owned but wanted no more. */
static void judge_keys(Judge *j, const PlanWanted *wanted, size_t n_wanted) {
        const Generation *current = j->in->current;
        size_t n_current = current ? current->n_keys : 0;
        size_t w = 0, c = 0;
        while ((w < n_wanted || c < n_current) && !j->no_memory) {
                int order;
                if (w == n_wanted)
                        order = 1;
                else if (c == n_current)
                        order = -1;
                else
                        order = strcmp(wanted[w].spec->key, current->keys[c].spec->key);

                if (order > 0)
                        add_leaving(j, &current->keys[c], get_live(j, current->keys[c].spec));
                else
                        add_owned(j, &wanted[w], get_live(j, wanted[w].spec));
                w += order <= 0;
                c += order >= 0;
        }
}

/* Restoring undoes what was set in ascending write order, so it runs in reverse, and before anything new is
 * set: the values of the new set were judged together and may not go with those that leave. What writes
 * nothing comes last. */
static int action_rank(PlanAction action) {
        if (action == PLAN_RESTORE)
                return 0;
        return action == PLAN_SET ? 1 : 2;
}

static int compare_steps(const void *a, const void *b) {
        const PlanStep *x = a, *y = b;
        int rank = action_rank(x->action);
        if (rank != action_rank(y->action))
                return rank - action_rank(y->action);
        if (rank < 2 && x->spec->write_order != y->spec->write_order) {
                int order = x->spec->write_order < y->spec->write_order ? -1 : 1;
                return rank == 0 ? -order : order;
        }
        return strcmp(x->spec->key, y->spec->key);
}

int plan_steps_build(
                const PlanInput *input, const PlanWanted *wanted, size_t n_wanted, Arena *arena,
                DiagList *findings, PlanSteps *ret) {
        size_t n_current = input->current ? input->current->n_keys : 0;
        Judge judge = {
                .in = input,
                .findings = findings,
                .arena = arena,
                .result.steps = arena_alloc_array(
                                arena, n_wanted + n_current + 1, sizeof(PlanStep)),
                .result.keys = arena_alloc_array(arena, n_wanted + 1, sizeof(GenerationKey)),
        };
        if (!judge.result.steps || !judge.result.keys)
                return -ENOMEM;

        judge_keys(&judge, wanted, n_wanted);
        if (judge.no_memory)
                return -ENOMEM;
        qsort(judge.result.steps, judge.result.n_steps, sizeof(PlanStep), compare_steps);
        *ret = judge.result;
        return 0;
}
