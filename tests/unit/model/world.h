/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A whole made-up host: kernel, fragment, history of generations. Plans are made for it and then carried out,
 * so that a test can walk through a life of enabling, disabling and going back.
 */

#include "fixture.h"

#define WORLD_MAX_GENERATIONS 512U

typedef struct World {
        Arena *arena; /* keeps what the kernel was told */
        FixtureKernel kernel;
        FixtureLibrary library;
        Generation *history[WORLD_MAX_GENERATIONS]; /* number n is at n - 1 */
        size_t n;
        PlanFragment fragment;
        char fragment_text[4096]; /* what is on the made-up disk */
} World;

static inline void world_init(World *world, FixtureLibrary library, const FixtureKernel *kernel) {
        *world = (World){ .arena = arena_new(), .kernel = *kernel, .library = library };
        assert_non_null(world->arena);
}

static inline void world_deinit(World *world) {
        for (size_t i = 0; i < world->n; i++)
                world->history[i] = generation_free(world->history[i]);
        world->arena = arena_free(world->arena);
}

static inline const Generation *world_get(const World *world, uint64_t number) {
        assert_true(number <= world->n);
        return number == 0 ? NULL : world->history[number - 1];
}

static inline const Generation *world_current(const World *world) {
        return world_get(world, world->n);
}

static inline const Generation *world_last(const World *world) {
        assert(world->n > 0);
        return world->history[world->n - 1];
}

/* `names`: for ENABLE and DISABLE all that shall be enabled afterwards, sorted; else NULL. */
static inline int world_plan(
                World *world, PlanInput input, const char *names, DiagList *findings, Plan **ret) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        if (names)
                fixture_bundles_load(&bundles, &world->library, names);
        LiveSnapshot live = fixture_kernel_snapshot(&world->kernel, arena);
        input.current = world_current(world);
        input.next_number = world->n + 1;
        input.bundles = fixture_bundles_items(&bundles);
        input.n_bundles = bundles.n;
        input.live = &live;
        input.fragment = world->fragment;
        Error error = {};
        int r = plan_build(&input, findings, ret, &error);
        if (r < 0)
                print_error("%s\n", error.text);
        /* From here on the plan has outlived bundles and snapshot: sanitizers make a test of that. */
        return r;
}

/* Carries the plan out, as the engine would. */
static inline void world_commit(World *world, Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = &plan->steps[i];
                if (plan_step_writes(step))
                        fixture_kernel_set(
                                        &world->kernel, step->spec->key,
                                        sysctl_value_to_kernel(
                                                        step->spec, &step->target, world->arena));
        }
        assert_true(world->n < WORLD_MAX_GENERATIONS);
        assert_int_equal(plan->next->number, world->n + 1);
        world->fragment = (PlanFragment){ .exists = plan->next->has_fragment,
                                          .digest = plan->next->fragment };
        (void) snprintf(world->fragment_text, sizeof(world->fragment_text), "%s",
                        plan->fragment ? plan->fragment : "");
        world->history[world->n++] = TAKE_PTR(plan->next);
}

/* Plans, which must work, and carries out unless there is nothing to do. Gives the exit code. */
static inline int world_do(World *world, PlanInput input, const char *names) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(plan_freep) Plan *plan = NULL;
        int r = world_plan(world, input, names, list, &plan);
        if (r != 0)
                fixture_print(list);
        assert_int_equal(r, 0);
        if (!plan->is_noop)
                world_commit(world, plan);
        return diag_list_exit_code(list);
}

static inline int world_enable(World *world, const char *names) {
        return world_do(world, (PlanInput){ .verb = PLAN_ENABLE }, names);
}

static inline int world_disable(World *world, const char *remaining) {
        return world_do(world, (PlanInput){ .verb = PLAN_DISABLE }, remaining);
}

static inline int world_rollback_to(World *world, uint64_t number) {
        return world_do(world,
                        (PlanInput){ .verb = PLAN_ROLLBACK, .target = world_get(world, number) },
                        NULL);
}

/* One step back. */
static inline int world_rollback(World *world) {
        return world_rollback_to(world, world_last(world)->parent);
}

/* Names of the current generation's profiles with blanks between. */
static inline void world_names(const World *world, char *ret, size_t n) {
        const Generation *current = world_current(world);
        *ret = '\0';
        for (size_t i = 0; current && i < current->n_profiles; i++) {
                size_t length = strlen(ret);
                (void) snprintf(ret + length, n - length, "%s%s", i ? " " : "",
                                current->profiles[i].name);
        }
}
