/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/revert.h"

#include "failing-world.h"

static int rollback(World *w) {
        return world_rollback(w, NULL);
}

static int guard(World *w) {
        return world_revert(w, "deadline");
}

static void test_revert_by_user_is_not_quarantined(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);

        assert_int_equal(world_rollback(&w, NULL), 0);
        assert_string_equal(world_outcome(&w), "reverted");
        assert_true(w.result.changed);
        assert_string_equal(world_change(&w, "net.core.somaxconn")->outcome, "undone");
        assert_true(world_view_is(&w, origin));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        assert_int_equal(scratch_count(&w.scratch, WORLD_STATE "/quarantine", ""), 0);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_deinit(&w);
}

static void test_revert_by_guard_quarantines(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;

        assert_int_equal(world_revert(&w, "deadline"), 6);
        assert_string_equal(world_outcome(&w), "reverted");
        assert_true(world_has_finding(&w, DIAG_REVERTED_AT_DEADLINE));
        assert_true(world_has_finding(&w, DIAG_QUARANTINED));
        assert_true(world_view_is(&w, origin));
        assert_int_equal(scratch_count(&w.scratch, WORLD_STATE "/quarantine", ""), 1);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"cause\":\"deadline\",\"ev\":\"outcome\""));
        cleanup_free char *status = scratch_read(&w.scratch, WORLD_STATUS, NULL);
        assert_non_null(strstr(status, "\"cause\":\"deadline\""));

        assert_int_equal(world_revert(&w, "deadline"), 5);
        assert_true(world_has_finding(&w, DIAG_NOTHING_UNDECIDED));
        world_deinit(&w);
}

static void test_revert_by_gate_tells_the_numbers(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_int_equal(world_revert(&w, "gate"), 6);
        assert_true(world_has_finding(&w, DIAG_REVERTED_BY_GATE));
        assert_non_null(strstr(diag_list_get(w.result.findings, 0)->message, "412/s now"));
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"cause\":\"gate\",\"ev\":\"outcome\",\"evidence\":\""));
        assert_non_null(strstr(audit, "412/s now"));
        cleanup_free char *status = scratch_read(&w.scratch, WORLD_STATUS, NULL);
        assert_non_null(strstr(status, "\"cause\":\"gate\""));
        assert_non_null(strstr(status, "412/s now"));
        world_deinit(&w);
}

/* What the guard goes by may be forged or old; the journal and the clock decide. */
static void test_revert_before_the_deadline_is_refused(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        cleanup_free char *pending = scratch_read(&w.scratch, WORLD_PENDING, NULL);
        scratch_write(&w.scratch, WORLD_PENDING, "{}");

        w.now_ms += 59999;
        assert_int_equal(world_revert(&w, "deadline"), 4);
        assert_true(world_has_finding(&w, DIAG_DEADLINE_NOT_PASSED));
        assert_string_equal(world_outcome(&w), "refused");
        assert_false(w.result.changed);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        cleanup_free char *again = scratch_read(&w.scratch, WORLD_PENDING, NULL);
        assert_string_equal(pending, again);

        w.now_ms += 1;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        world_deinit(&w);
}

static void test_revert_without_a_deadline_is_refused(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 0), 0);
        scratch_write(&w.scratch, WORLD_PENDING, "{}");
        w.now_ms += 1000000;
        assert_int_equal(world_revert(&w, "deadline"), 4);
        assert_true(world_has_finding(&w, DIAG_DEADLINE_NOT_PASSED));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        world_deinit(&w);
}

static void test_revert_of_another_transaction_is_refused(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        EngineRequest request = {
                .verb = ENGINE_REVERT, .cause = "deadline", .token = "00000000-dead", .via = "guard"
        };
        assert_int_equal(world_run(&w, &request), 5);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_true(scratch_has(&w.scratch, WORLD_PENDING));
        world_deinit(&w);
}

static void test_revert_keeps_a_foreign_value(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        world_set_live(&w, "net/core/somaxconn", "128");

        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_true(world_has_finding(&w, DIAG_FOREIGN_VALUE_KEPT));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "128");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        world_deinit(&w);
}

static void test_revert_stuck_stays_open(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EIO };

        assert_int_equal(world_rollback(&w, NULL), 8);
        assert_string_equal(world_outcome(&w), "unknown");
        assert_int_equal(world_enable(&w, "beta"), 8);
        w.troubles[0] = (WorldTrouble){ 0 };
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

static void test_revert_without_audit(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_remove(&w.scratch, "var/log/twprofile");
        scratch_write(&w.scratch, "var/log/twprofile", "in the way\n");

        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        assert_true(world_has_finding(&w, DIAG_AUDIT_INCOMPLETE));
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

static void test_revert_without_a_cause_or_numbers(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_int_equal(
                        world_run(&w, &(EngineRequest){ .verb = ENGINE_REVERT, .via = "guard" }),
                        4);
        assert_true(world_has_finding(&w, DIAG_DEADLINE_NOT_PASSED));

        EngineRequest request = {
                .verb = ENGINE_REVERT, .cause = "gate", .token = w.token, .via = "guard"
        };
        assert_int_equal(world_run(&w, &request), 6);
        assert_non_null(strstr(diag_list_get(w.result.findings, 0)->message, "no numbers"));
        world_deinit(&w);
}

static bool touches_pending(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_RENAME_AT && endswith(call->to, "/pending");
}

/* The copy in /run cannot be written again: the guard is told so, and the change stays. */
static void test_revert_too_early_without_room_in_run(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        seam_fault_reset(&w.fault);
        w.fault.matches = touches_pending;
        w.fault.at = 1;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = ENOSPC;
        assert_int_equal(world_revert(&w, "deadline"), 4);
        assert_int_equal(w.fault.n_faults, 1);
        assert_true(world_has_finding(&w, DIAG_STATUS_UNWRITABLE));
        seam_fault_reset(&w.fault);
        w.fault.matches = NULL;
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        world_deinit(&w);
}

/* --- without the state directory --------------------------------------------------------------------------------- */

static void test_revert_from_the_copy_in_run(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_int_equal(renameat(w.scratch.fd, WORLD_STATE, w.scratch.fd, "var/lib/lost"), 0);
        scratch_write(&w.scratch, WORLD_STATE, "in the way\n");

        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        assert_true(world_has_finding(&w, DIAG_REVERTED_WITHOUT_STATE));
        assert_true(world_view_is(&w, origin));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));

        /* the disk is there again: the journal is settled with nothing left to do */
        scratch_remove(&w.scratch, WORLD_STATE);
        assert_int_equal(renameat(w.scratch.fd, "var/lib/lost", w.scratch.fd, WORLD_STATE), 0);
        assert_int_equal(world_recover(&w), 0);
        assert_true(world_view_is(&w, origin));
        assert_int_equal(world_try(&w, "alpha", 60), 4);
        world_deinit(&w);
}

/* A journal that lost the change says nothing of it; the copy does. */
static void test_revert_of_a_change_the_journal_lost(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_remove(&w.scratch, WORLD_JOURNAL);
        w.now_ms += 59999;
        assert_int_equal(world_revert(&w, "deadline"), 4);
        assert_true(world_has_finding(&w, DIAG_DEADLINE_NOT_PASSED));
        w.now_ms += 1;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        assert_true(world_has_finding(&w, DIAG_REVERTED_WITHOUT_STATE));
        assert_true(world_view_is(&w, origin));
        assert_int_equal(world_revert(&w, "deadline"), 5);
        world_deinit(&w);
}

static void test_revert_with_neither_copy_says_so(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_remove(&w.scratch, WORLD_STATE);
        scratch_write(&w.scratch, WORLD_STATE, "in the way\n");
        scratch_write(&w.scratch, WORLD_PENDING, "{}");
        assert_int_equal(world_revert(&w, "deadline"), 8);
        assert_string_equal(world_outcome(&w), "unknown");

        scratch_remove(&w.scratch, WORLD_PENDING);
        assert_int_equal(world_revert(&w, "deadline"), 8);
        world_deinit(&w);
}

static void test_revert_copy_of_another_boot_is_left_alone(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_remove(&w.scratch, WORLD_STATE);
        scratch_write(&w.scratch, WORLD_STATE, "in the way\n");
        cleanup_free char *pending = scratch_read(&w.scratch, WORLD_PENDING, NULL);
        world_reboot(&w);
        world_set_live(&w, "net/core/somaxconn", "8192");
        scratch_mkdir(&w.scratch, "run/twprofile");
        scratch_write(&w.scratch, WORLD_PENDING, pending);
        assert_int_equal(world_revert(&w, "deadline"), 8);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        world_deinit(&w);
}

static void test_revert_stuck_without_the_state(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_remove(&w.scratch, WORLD_STATE);
        scratch_write(&w.scratch, WORLD_STATE, "in the way\n");
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EIO };
        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 8);
        assert_string_equal(world_outcome(&w), "unknown");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        world_deinit(&w);
}

/* --- without memory ------------------------------------------------------------------------------------------------ */

static void expired(World *w) {
        assert_int_equal(world_try(w, "alpha", 60), 0);
        w->now_ms += 60000;
}

static void awaiting(World *w) {
        assert_int_equal(world_try(w, "alpha", 60), 0);
}

static void is_there_until_its_deadline(World *w) {
        assert_int_equal(guard(w), 4);
        assert_string_equal(world_live(w, "net/core/somaxconn"), "8192");
        w->now_ms += 60000;
        assert_int_equal(guard(w), 6);
}

static void expired_without_state(World *w) {
        expired(w);
        scratch_remove(&w->scratch, WORLD_STATE);
        scratch_write(&w->scratch, WORLD_STATE, "in the way\n");
}

static void is_back(World *w) {
        (void) world_revert(w, "deadline");
        assert_int_equal(world_recover(w), 0);
        assert_string_equal(world_live(w, "net/core/somaxconn"), "4000");
        assert_string_equal(world_live(w, "net/ipv4/tcp_keepalive_time"), "7100");
        assert_false(scratch_has(&w->scratch, WORLD_PENDING));
}

static void is_back_without_state(World *w) {
        (void) world_revert(w, "deadline");
        assert_string_equal(world_live(w, "net/core/somaxconn"), "4000");
}

static void test_revert_without_memory(void **state UNUSED) {
        static const FailingWorld cases[] = {
                { expired, guard, is_back },
                { awaiting, guard, is_there_until_its_deadline },
                { expired, rollback, is_back },
                { expired_without_state, guard, is_back_without_state },
        };
        TEST_EACH(row, cases)
                assert_in_range(failing_world_everywhere(row), 1, 2000);
}

/* --- dying -------------------------------------------------------------------------------------------------------- */

static size_t revert_killed_at_every_call(WorldRequest request, bool quarantined) {
        size_t n = 0;
        for (bool done = false; !done; n++) {
                World w;
                world_init(&w);
                cleanup_free char *origin = world_view(&w);
                assert_int_equal(world_try(&w, "alpha", 60), 0);
                w.now_ms += 60000;
                done = !world_die_at(&w, request, n + 1);

                /* the guard is started again as long as /run/twprofile/pending is there; who else comes, recovers */
                if (scratch_has(&w.scratch, WORLD_PENDING) && quarantined)
                        (void) world_revert(&w, "deadline");
                assert_int_equal(world_recover(&w), 0);
                assert_true(world_view_is(&w, origin));
                assert_false(scratch_has(&w.scratch, WORLD_PENDING));
                if (quarantined)
                        assert_int_equal(
                                        scratch_count(&w.scratch, WORLD_STATE "/quarantine", ""),
                                        1);
                world_deinit(&w);
        }
        return n;
}

static void test_revert_killed_at_every_call(void **state UNUSED) {
        assert_true(revert_killed_at_every_call(guard, true) > 30);
        assert_true(revert_killed_at_every_call(rollback, false) > 30);
}

static void test_revert_error_at_every_call(void **state UNUSED) {
        for (uint64_t at = 1;; at++) {
                World w;
                world_init(&w);
                cleanup_free char *origin = world_view(&w);
                assert_int_equal(world_try(&w, "alpha", 60), 0);
                w.now_ms += 60000;
                seam_fault_reset(&w.fault);
                w.fault.at = at;
                w.fault.kind = SEAM_FAULT_ERROR;
                w.fault.error = EIO;
                int r = world_revert(&w, "deadline");
                bool over = w.fault.n_faults == 0;
                seam_fault_reset(&w.fault);

                if (r == 6)
                        assert_true(world_view_is(&w, origin));
                assert_int_equal(world_recover(&w), 0);
                assert_true(world_view_is(&w, origin));
                world_deinit(&w);
                if (over)
                        break;
        }
}

TEST_MAIN(cmocka_unit_test(test_revert_by_user_is_not_quarantined),
          cmocka_unit_test(test_revert_by_guard_quarantines),
          cmocka_unit_test(test_revert_by_gate_tells_the_numbers),
          cmocka_unit_test(test_revert_before_the_deadline_is_refused),
          cmocka_unit_test(test_revert_without_a_deadline_is_refused),
          cmocka_unit_test(test_revert_of_another_transaction_is_refused),
          cmocka_unit_test(test_revert_keeps_a_foreign_value),
          cmocka_unit_test(test_revert_stuck_stays_open),
          cmocka_unit_test(test_revert_without_audit),
          cmocka_unit_test(test_revert_from_the_copy_in_run),
          cmocka_unit_test(test_revert_of_a_change_the_journal_lost),
          cmocka_unit_test(test_revert_with_neither_copy_says_so),
          cmocka_unit_test(test_revert_copy_of_another_boot_is_left_alone),
          cmocka_unit_test(test_revert_without_a_cause_or_numbers),
          cmocka_unit_test(test_revert_too_early_without_room_in_run),
          cmocka_unit_test(test_revert_stuck_without_the_state),
          cmocka_unit_test(test_revert_without_memory),
          cmocka_unit_test(test_revert_killed_at_every_call),
          cmocka_unit_test(test_revert_error_at_every_call))
