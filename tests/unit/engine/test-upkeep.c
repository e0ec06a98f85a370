/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/upkeep.h"

#include "seam/engine-world.h"
#include "test.h"

static const char *const litter[] = {
        "etc/sysctl.d/.60-twprofile.0011aabb", WORLD_STATE "/.journal.new",
        WORLD_STATE "/.enabled.00000001",      WORLD_STATE "/generations/.1.00000001",
        "run/twprofile/.status.00000001",
};

static const char *const others[] = {
        "etc/sysctl.d/.hidden.conf",
        "etc/sysctl.d/60-other.conf",
        "run/twprofile/.other",
};

/* Nothing is undecided, and still the dead left files. */
static void test_upkeep_sweeps_what_the_dead_left(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        TEST_EACH(path, litter)
                scratch_write(&w.scratch, *path, "half of it");
        TEST_EACH(path, others)
                scratch_write(&w.scratch, *path, "");
        cleanup_free char *view = world_view(&w);

        assert_int_equal(world_recover(&w), 0);
        TEST_EACH(path, litter)
                assert_false(scratch_has(&w.scratch, *path));
        TEST_EACH(path, others)
                assert_true(scratch_has(&w.scratch, *path));
        assert_true(world_view_is(&w, view));
        world_deinit(&w);
}

/* A directory that is not there, or names that cannot be removed, keep nobody from recovering. */
static void test_upkeep_sweep_may_fail(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_remove(&w.scratch, "run/twprofile");
        scratch_mkdir(&w.scratch, WORLD_STATE "/.a-directory");
        assert_int_equal(world_recover(&w), 0);
        assert_true(scratch_has(&w.scratch, WORLD_STATUS));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_upkeep_sweeps_what_the_dead_left),
          cmocka_unit_test(test_upkeep_sweep_may_fail))
