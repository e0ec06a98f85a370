/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/undecided.h"

#include "seam/engine-world.h"
#include "test.h"

static void test_undecided_same_request_is_told_again(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        char tx[TX_ID_SIZE], token[64];
        (void) snprintf(tx, sizeof(tx), "%s", w.result.tx);
        (void) snprintf(token, sizeof(token), "%s", w.token);
        int64_t deadline = w.result.deadline_ms;

        w.now_ms += 30000;
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_string_equal(world_outcome(&w), "pending");
        assert_false(w.result.changed);
        assert_string_equal(w.result.tx, tx);
        assert_string_equal(w.token, token);
        assert_int_equal(w.result.deadline_ms, deadline);
        assert_string_equal(world_change(&w, "net.core.somaxconn")->after, "8192");
        assert_int_equal(w.n_armed, 1);
        world_deinit(&w);
}

static void test_undecided_any_other_request_is_refused(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        cleanup_free char *view = world_view(&w);

        assert_int_equal(world_try(&w, "alpha", 61), 4);
        assert_true(world_has_finding(&w, DIAG_CHANGE_UNDECIDED));
        assert_null(w.result.token);
        assert_non_null(strstr(diag_list_get(w.result.findings, 0)->message, "60 s from now"));
        assert_int_equal(world_try(&w, "beta", 60), 4);
        assert_int_equal(world_try(&w, "nothing", 60), 4);
        assert_int_equal(world_try(&w, "alpha", 0), 4);
        assert_int_equal(world_enable(&w, "alpha"), 4);
        assert_int_equal(world_disable(&w, "alpha"), 4);
        assert_int_equal(world_rollback(&w, "origin"), 4);
        w.caller.auid = 1001;
        assert_int_equal(world_try(&w, "alpha", 60), 4);
        w.caller.auid = 1000;
        world_profile(&w, "alpha", "  net.core.somaxconn: 9999\n");
        assert_int_equal(world_try(&w, "alpha", 60), 4);
        assert_true(world_view_is(&w, view));
        world_deinit(&w);
}

static void test_undecided_without_deadline_names_the_reboot(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 0), 0);
        assert_int_equal(world_enable(&w, "beta"), 4);
        assert_non_null(strstr(diag_list_get(w.result.findings, 0)->message, "a reboot"));
        world_deinit(&w);
}

static void test_undecided_survives_recovery_and_soft_reboot(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *before = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);

        scratch_remove(&w.scratch, WORLD_PENDING);
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_outcome(&w), "pending");
        assert_true(scratch_has(&w.scratch, WORLD_PENDING));
        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_outcome(&w), "pending");
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");

        /* what systemd-sysctl has put back already is as it should be */
        world_set_live(&w, "net/core/somaxconn", "4000");
        w.now_ms += 60000;
        assert_int_equal(world_boot(&w), 0);
        assert_true(world_has_finding(&w, DIAG_WINDOW_EXPIRED));
        assert_true(world_view_is(&w, before));
        world_deinit(&w);
}

/* What the gate measured before the change is not to be had again. */
static void test_undecided_keeps_the_gates_baseline(void **state UNUSED) {
        World w;
        world_init(&w);
        const char *names[] = { "alpha" };
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .profiles = names,
                .n_profiles = 1,
                .confirm_within_s = 60,
                .gate = "{\"listen_overflows\":[0,0,1]}",
                .caller = &w.caller,
                .via = "socket",
        };
        assert_int_equal(world_run(&w, &request), 0);
        cleanup_free char *before = scratch_read(&w.scratch, WORLD_PENDING, NULL);
        assert_non_null(strstr(before, "listen_overflows"));

        scratch_remove(&w.scratch, WORLD_PENDING);
        assert_int_equal(world_recover(&w), 0);
        cleanup_free char *after = scratch_read(&w.scratch, WORLD_PENDING, NULL);
        assert_string_equal(before, after);
        world_deinit(&w);
}

static void test_undecided_refuses_an_endless_baseline(void **state UNUSED) {
        World w;
        world_init(&w);
        const char *names[] = { "alpha" };
        cleanup_free char *gate = malloc(JOURNAL_GATE_MAX + 2);
        assert_non_null(gate);
        memset(gate, 'x', JOURNAL_GATE_MAX + 1);
        gate[JOURNAL_GATE_MAX + 1] = '\0';
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .profiles = names,
                .n_profiles = 1,
                .confirm_within_s = 60,
                .gate = gate,
                .caller = &w.caller,
                .via = "socket",
        };
        assert_int_equal(world_run(&w, &request), 2);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));

        gate[JOURNAL_GATE_MAX] = '\0';
        assert_int_equal(world_run(&w, &request), 0);
        assert_int_equal(world_rollback(&w, NULL), 0);
        world_deinit(&w);
}

static void test_undecided_expired_makes_room(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_string_equal(world_outcome(&w), "applied");
        assert_true(world_has_finding(&w, DIAG_WINDOW_EXPIRED));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_int_equal(world_try(&w, "alpha", 60), 4);
        assert_true(world_has_finding(&w, DIAG_PROFILE_QUARANTINED));
        world_deinit(&w);
}

static void test_undecided_ends_with_the_boot(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        world_reboot(&w);
        assert_int_equal(world_boot(&w), 0);
        assert_true(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        assert_true(world_view_is(&w, origin));
        assert_int_equal(scratch_count(&w.scratch, WORLD_STATE "/quarantine", ""), 1);

        /* without a deadline a reboot is how it ends, and no reason for a quarantine */
        assert_int_equal(world_try(&w, "beta", 0), 0);
        world_reboot(&w);
        assert_int_equal(world_boot(&w), 0);
        assert_int_equal(scratch_count(&w.scratch, WORLD_STATE "/quarantine", ""), 1);
        world_deinit(&w);
}

static void test_undecided_of_another_namespace(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        world_set_netns(&w, "net:[4026532999]");
        assert_int_equal(world_enable(&w, "beta"), 4);
        assert_true(world_has_finding(&w, DIAG_OTHER_NAMESPACE));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_undecided_same_request_is_told_again),
          cmocka_unit_test(test_undecided_any_other_request_is_refused),
          cmocka_unit_test(test_undecided_without_deadline_names_the_reboot),
          cmocka_unit_test(test_undecided_survives_recovery_and_soft_reboot),
          cmocka_unit_test(test_undecided_keeps_the_gates_baseline),
          cmocka_unit_test(test_undecided_refuses_an_endless_baseline),
          cmocka_unit_test(test_undecided_expired_makes_room),
          cmocka_unit_test(test_undecided_ends_with_the_boot),
          cmocka_unit_test(test_undecided_of_another_namespace))
