/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/choice.h"

#include "failing-world.h"
#include "seam/engine-world.h"
#include "test.h"

static int recover(World *w, const char *choice) {
        EngineRequest request = {
                .verb = ENGINE_RECOVER, .choice = choice, .reason = "disk", .via = "socket"
        };
        return world_run(w, &request);
}

/* Breaks a byte in the payload of the first frame: later ones vouch for it. */
static void damage(World *w) {
        size_t n;
        cleanup_free char *bytes = scratch_read(&w->scratch, WORLD_JOURNAL, &n);
        bytes[130] ^= 1;
        scratch_write_bytes(&w->scratch, WORLD_JOURNAL, bytes, n);
}

static void test_choice_is_asked_for_and_made(void **state UNUSED) {
        static const char *const choices[] = { "base", "keep" };
        for (size_t i = 0; i < ELEMENTSOF(choices); i++) {
                World w;
                world_init(&w);
                assert_int_equal(world_enable(&w, "alpha"), 0);
                assert_int_equal(world_enable(&w, "beta"), 0);
                world_set_live(&w, "net/core/somaxconn", "77");
                damage(&w);

                assert_int_equal(recover(&w, NULL), 8);
                assert_true(world_has_finding(&w, DIAG_JOURNAL_CORRUPT));
                assert_int_equal(recover(&w, choices[i]), 0);
                assert_true(world_has_finding(&w, DIAG_RECOVERED_BY_CHOICE));
                assert_int_equal(w.result.generation, 2);
                assert_string_equal(world_live(&w, "net/core/somaxconn"), i == 0 ? "8192" : "77");
                assert_true(scratch_has(&w.scratch, WORLD_STATE "/journal.damaged"));
                cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
                assert_non_null(strstr(audit, i == 0 ? "chosen-base" : "chosen-keep"));

                world_set_live(&w, "net/core/somaxconn", "8192");
                assert_int_equal(world_recover(&w), 0);
                assert_int_equal(world_rollback(&w, NULL), 0);
                assert_int_equal(world_disable(&w, "alpha"), 0);
                assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
                world_deinit(&w);
        }
}

static void test_choice_base_restores_from_the_copy_in_run(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *before = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        damage(&w);
        assert_int_equal(recover(&w, "base"), 0);
        assert_true(world_view_is(&w, before));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        world_deinit(&w);
}

static void test_choice_without_any_generation(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_disable(&w, "alpha"), 0);
        damage(&w);
        scratch_remove(&w.scratch, WORLD_STATE "/generations");
        cleanup_free char *view = world_view(&w);
        assert_int_equal(recover(&w, "base"), 0);
        assert_int_equal(w.result.generation, 0);
        assert_true(world_view_is(&w, view));
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_deinit(&w);
}

static void test_choice_settles_a_damaged_generation(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        scratch_remove(&w.scratch, WORLD_JOURNAL);
        scratch_write(&w.scratch, WORLD_STATE "/generations/2.json", "{}");
        assert_int_equal(world_enable(&w, "gamma"), 8);
        assert_int_equal(recover(&w, NULL), 8);
        assert_int_equal(recover(&w, "keep"), 0);
        assert_int_equal(w.result.generation, 1);
        assert_int_equal(recover(&w, NULL), 0);
        world_deinit(&w);
}

static void test_choice_settles_a_stuck_value(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EIO };
        assert_int_equal(world_rollback(&w, NULL), 8);
        assert_int_equal(world_recover(&w), 8);
        assert_int_equal(recover(&w, "base"), 8); /* nothing to settle yet */
        assert_int_equal(world_recover(&w), 8);
        assert_int_equal(recover(&w, "keep"), 8);
        assert_int_equal(world_recover(&w), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        world_deinit(&w);
}

/* The before-image in /run is all there is of it: it is not forgotten before it is back. */
static void test_choice_base_waits_for_a_stuck_value(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *before = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        damage(&w);
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EIO };
        assert_int_equal(recover(&w, "base"), 8);
        assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
        assert_true(scratch_has(&w.scratch, WORLD_PENDING));
        w.troubles[0] = (WorldTrouble){};
        assert_int_equal(recover(&w, "base"), 0);
        assert_true(world_view_is(&w, before));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        world_deinit(&w);
}

static void damaged(World *w) {
        assert_int_equal(world_enable(w, "alpha"), 0);
        assert_int_equal(world_enable(w, "beta"), 0);
        damage(w);
}

static void damaged_in_a_window(World *w) {
        assert_int_equal(world_enable(w, "beta"), 0);
        assert_int_equal(world_try(w, "alpha", 60), 0);
        damage(w);
}

static void without_generation(World *w) {
        assert_int_equal(world_enable(w, "alpha"), 0);
        assert_int_equal(world_disable(w, "alpha"), 0);
        damage(w);
        scratch_remove(&w->scratch, WORLD_STATE "/generations");
}

static void stuck(World *w) {
        assert_int_equal(world_try(w, "alpha", 60), 0);
        w->troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                         .value = "4000",
                                         .error = EIO };
        assert_int_equal(world_rollback(w, NULL), 8);
}

static int choose_keep(World *w) {
        return recover(w, "keep");
}

static int choose_base(World *w) {
        return recover(w, "base");
}

/* A choice that was cut short is asked for again, and settles then. */
static void is_settled(World *w) {
        if (world_recover(w) != 0)
                (void) recover(w, "keep");
        assert_int_equal(world_recover(w), 0);
        assert_string_equal(world_outcome(w), "unchanged");
        assert_false(scratch_has(&w->scratch, WORLD_PENDING));
}

/* The kernel gives way before somebody chooses again: nothing of the change may stay. */
static void is_back_after_base(World *w) {
        w->troubles[0] = (WorldTrouble){};
        if (world_recover(w) != 0)
                assert_int_equal(recover(w, "base"), 0);
        assert_string_equal(world_live(w, "net/core/somaxconn"), "4000");
        is_settled(w);
}

static void test_choice_without_memory(void **state UNUSED) {
        static const FailingWorld cases[] = {
                { damaged, choose_base, is_settled },
                { damaged_in_a_window, choose_base, is_settled },
                { damaged_in_a_window, choose_base, is_back_after_base },
                { without_generation, choose_base, is_settled },
                { without_generation, choose_keep, is_settled },
                { stuck, choose_keep, is_settled },
                { stuck, choose_base, is_back_after_base },
        };
        TEST_EACH(row, cases)
                assert_in_range(failing_world_everywhere(row), 1, 2000);
}

TEST_MAIN(cmocka_unit_test(test_choice_is_asked_for_and_made),
          cmocka_unit_test(test_choice_base_restores_from_the_copy_in_run),
          cmocka_unit_test(test_choice_without_any_generation),
          cmocka_unit_test(test_choice_settles_a_damaged_generation),
          cmocka_unit_test(test_choice_settles_a_stuck_value),
          cmocka_unit_test(test_choice_base_waits_for_a_stuck_value),
          cmocka_unit_test(test_choice_without_memory))
