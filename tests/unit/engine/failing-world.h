/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An engine's request for which memory runs out, once at every place that asks for some (failing-memory.h), each time in a
 * world made anew.
 */

#include "base/failing-memory.h"
#include "seam/engine-world.h"

typedef struct FailingWorld {
        void (*prepare)(World *world);
        WorldRequest request;        /* memory fails once in it; whatever it answers */
        void (*check)(World *world); /* what holds afterwards, with memory again */
} FailingWorld;

static inline void *failing_world_before(void *data) {
        const FailingWorld *test = data;
        World *world = calloc(1, sizeof(World));
        assert_non_null(world);
        world_init(world);
        test->prepare(world);
        return world;
}

static inline void failing_world_act(void *world, void *data) {
        const FailingWorld *test = data;
        (void) test->request(world);
}

static inline void failing_world_after(void *world, void *data) {
        const FailingWorld *test = data;
        test->check(world);
        world_deinit(world);
        free(world);
}

/* The number of places. */
static inline size_t failing_world_everywhere(const FailingWorld *test) {
        FailingWorld copy = *test;
        return failing_memory_everywhere(&(FailingMemoryTest){
                        failing_world_before, failing_world_act, failing_world_after, &copy });
}
