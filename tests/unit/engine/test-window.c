/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/window.h"

#include "seam/engine-world.h"
#include "test.h"

/* --- live and not decided --------------------------------------------------------------------------------------- */

static void test_window_is_live_and_nothing_lasts(void **state UNUSED) {
        World w;
        world_init(&w);

        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_string_equal(world_outcome(&w), "pending");
        assert_true(w.result.changed);
        assert_int_equal(w.result.deadline_ms, w.now_ms + 60000);
        assert_int_equal(strlen(w.token), 41);
        assert_memory_equal(w.token, w.result.tx, 8);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_int_equal(w.n_armed, 1);

        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
        assert_false(scratch_has(&w.scratch, WORLD_STATE "/enabled"));
        struct stat st;
        assert_int_equal(fstatat(w.scratch.fd, WORLD_PENDING, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        cleanup_free char *status = scratch_read(&w.scratch, WORLD_STATUS, NULL);
        assert_non_null(strstr(status, "\"undecided\":{\"deadline_ms\":1060000"));
        assert_null(strstr(status, w.token));
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_null(strstr(audit, w.token));
        assert_non_null(strstr(audit, "\"window\":{\"s\":60}"));
        world_deinit(&w);
}

static bool is_journal_flush(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_FDATASYNC && streq(call->path, WORLD_JOURNAL);
}

static void test_window_flushes_no_frame(void **state UNUSED) {
        World w;
        world_init(&w);
        w.fault.matches = is_journal_flush;
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_int_equal(w.fault.n_calls, 0);
        world_deinit(&w);
}

static void test_window_runtime_has_no_guard(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.arm = NULL;

        assert_int_equal(world_try(&w, "alpha", 0), 0);
        assert_string_equal(world_outcome(&w), "pending");
        assert_int_equal(w.result.deadline_ms, 0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"window\":{\"s\":0}"));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        w.now_ms += 1000000000;
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_int_equal(world_confirm(&w), 0);
        assert_string_equal(world_outcome(&w), "applied");
        world_deinit(&w);
}

/* --- where there can be none ------------------------------------------------------------------------------------ */

static void test_window_needs_a_guard(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);

        w.engine.arm = NULL;
        assert_int_equal(world_try(&w, "alpha", 60), 4);
        assert_true(world_has_finding(&w, DIAG_CONFIRM_NEEDS_SYSTEMD));
        w.engine.files_only = true;
        assert_int_equal(world_try(&w, "alpha", 0), 4);
        assert_true(world_has_finding(&w, DIAG_NOT_SUPPORTED_HERE));
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

static void test_window_unarmed_changes_nothing(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);

        w.arm_error = ETIMEDOUT;
        assert_int_equal(world_try(&w, "alpha", 60), 4);
        assert_string_equal(world_outcome(&w), "refused");
        assert_true(world_has_finding(&w, DIAG_GUARD_NOT_ARMED));
        assert_false(w.result.changed);
        assert_null(w.result.token);
        assert_true(world_view_is(&w, origin));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));

        w.arm_error = 0;
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_string_equal(world_outcome(&w), "applied");
        world_deinit(&w);
}

static void test_window_failed_write_is_undone(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);

        w.troubles[0] = (WorldTrouble){ .path = "net/ipv4/tcp_keepalive_time",
                                        .value = "1200",
                                        .error = EIO };
        assert_int_equal(world_try(&w, "alpha", 60), 6);
        assert_true(world_view_is(&w, origin));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        assert_int_equal(world_confirm(&w), 5);
        world_deinit(&w);
}

static bool is_second_frame(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_PWRITE && streq(call->path, WORLD_JOURNAL);
}

static void test_window_unwritable_applied_is_undone(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *before = world_view(&w);

        w.fault.matches = is_second_frame;
        seam_fault_reset(&w.fault);
        w.fault.at = 2;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EIO;
        assert_int_equal(world_try(&w, "alpha", 60), 2);
        assert_true(world_has_finding(&w, DIAG_STATE_UNWRITABLE));
        assert_null(w.result.token);
        assert_true(world_view_is(&w, before));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_window_is_live_and_nothing_lasts),
          cmocka_unit_test(test_window_flushes_no_frame),
          cmocka_unit_test(test_window_runtime_has_no_guard),
          cmocka_unit_test(test_window_needs_a_guard),
          cmocka_unit_test(test_window_unarmed_changes_nothing),
          cmocka_unit_test(test_window_failed_write_is_undone),
          cmocka_unit_test(test_window_unwritable_applied_is_undone))
