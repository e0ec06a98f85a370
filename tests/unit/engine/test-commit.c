/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/commit.h"

#include "seam/engine-world.h"
#include "test.h"

static bool is_commit_flush(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_FDATASYNC && streq(call->path, WORLD_JOURNAL);
}

/* A failed flush of COMMIT: the same decision once more, in a new file. */
static void test_commit_second_try_in_a_new_file(void **state UNUSED) {
        for (int window = 0; window < 2; window++) {
                World w;
                world_init(&w);
                if (window)
                        assert_int_equal(world_try(&w, "alpha", 60), 0);
                w.fault.matches = is_commit_flush;
                seam_fault_reset(&w.fault);
                w.fault.at = 1;
                w.fault.kind = SEAM_FAULT_ERROR;
                w.fault.error = EIO;
                assert_int_equal(window ? world_confirm(&w) : world_enable(&w, "alpha"), 0);
                assert_int_equal(w.fault.n_faults, 1);
                seam_fault_reset(&w.fault);
                w.fault.matches = NULL;

                world_reboot(&w);
                assert_int_equal(world_boot(&w), 0);
                assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
                world_deinit(&w);
        }
}

static bool is_durable(void *userdata UNUSED, const SeamCall *call) {
        return is_commit_flush(NULL, call) ||
               (call->kind == SEAM_CALL_OPEN_AT && strstr(call->path, ".journal.new"));
}

static void test_commit_unknown_when_nothing_can_be_flushed(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.fault.matches = is_durable;
        seam_fault_reset(&w.fault);
        w.fault.at = 1;
        w.fault.for_ever = true;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EIO;
        assert_int_equal(world_confirm(&w), 8);
        assert_string_equal(world_outcome(&w), "unknown");
        seam_fault_reset(&w.fault);
        w.fault.matches = NULL;
        w.fault.for_ever = false;

        /* COMMIT is visible: the guard finds a decided change, and completes it */
        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 5);
        assert_true(scratch_has(&w.scratch, WORLD_FRAGMENT));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_commit_second_try_in_a_new_file),
          cmocka_unit_test(test_commit_unknown_when_nothing_can_be_flushed))
