/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/confirm.h"

#include "seam/engine-world.h"
#include "test.h"

static int confirm_with(World *w, EngineRequest request, int64_t session) {
        AuditCaller caller = w->caller;
        caller.session = session;
        request.verb = ENGINE_CONFIRM;
        request.caller = &caller;
        request.via = "socket";
        if (!request.token)
                request.token = w->token;
        return world_run(w, &request);
}

static void test_confirm_commits_and_lasts(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);

        assert_int_equal(world_confirm(&w), 0);
        assert_string_equal(world_outcome(&w), "applied");
        assert_int_equal(w.result.generation, 1);
        assert_true(w.result.changed);
        assert_true(scratch_has(&w.scratch, WORLD_FRAGMENT));
        assert_true(scratch_has(&w.scratch, WORLD_STATE "/enabled"));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        cleanup_free char *status = scratch_read(&w.scratch, WORLD_STATUS, NULL);
        assert_null(strstr(status, "undecided"));
        const EngineChange *change = world_change(&w, "net.core.somaxconn");
        assert_non_null(change);
        assert_string_equal(change->after, "8192");

        world_reboot(&w);
        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_int_equal(world_disable(&w, "alpha"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

static void test_confirm_without_change_says_what_became_of_it(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(confirm_with(&w, (EngineRequest){ .token = "none" }, 2), 5);
        assert_true(world_has_finding(&w, DIAG_NOTHING_UNDECIDED));

        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        assert_int_equal(world_confirm(&w), 5);
        const Diag *d = diag_list_get(w.result.findings, 0);
        assert_int_equal(d->n_notes, 1);
        assert_non_null(strstr(d->notes[0], "reverted"));
        world_deinit(&w);
}

static void test_confirm_wrong_token_is_denied(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.token[40] ^= 1;

        assert_int_equal(world_confirm(&w), 4);
        assert_true(world_has_finding(&w, DIAG_WRONG_TOKEN));
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"ev\":\"denied\""));
        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
        w.token[40] ^= 1;
        assert_int_equal(world_confirm(&w), 0);
        world_deinit(&w);
}

static void test_confirm_asks_for_another_session(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);

        assert_int_equal(confirm_with(&w, (EngineRequest){ 0 }, 1), 4);
        assert_true(world_has_finding(&w, DIAG_SESSION_NOT_NEW));
        assert_int_equal(confirm_with(&w, (EngineRequest){ 0 }, AUDIT_UNSET), 4);
        assert_true(world_has_finding(&w, DIAG_SESSION_NOT_NEW));
        assert_int_equal(confirm_with(&w, (EngineRequest){ .same_session = true }, 1), 0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"ev\":\"confirm\""));
        assert_non_null(strstr(audit, "\"same\":1"));
        world_deinit(&w);
}

static void test_confirm_unset_applier_is_not_possible(void **state UNUSED) {
        World w;
        world_init(&w);
        w.caller.session = AUDIT_UNSET;
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_int_equal(confirm_with(&w, (EngineRequest){ 0 }, 2), 4);
        assert_true(world_has_finding(&w, DIAG_SESSION_NOT_NEW));
        assert_int_equal(confirm_with(&w, (EngineRequest){ .same_session = true }, 2), 0);
        world_deinit(&w);
}

static void test_confirm_drift(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        world_set_live(&w, "net/core/somaxconn", "128");

        assert_int_equal(world_confirm(&w), 4);
        assert_true(world_has_finding(&w, DIAG_CONFIRM_DRIFT));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "128");

        EngineRequest request = { .adopt = PLAN_ADOPT_DRIFT, .reason = "ours" };
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "8192",
                                        .error = EIO };
        assert_int_equal(confirm_with(&w, request, 2), 4);
        w.troubles[0] = (WorldTrouble){ 0 };

        assert_int_equal(confirm_with(&w, request, 2), 0);
        assert_true(world_has_finding(&w, DIAG_DRIFT_ADOPTED));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_string_equal(world_change(&w, "net.core.somaxconn")->outcome, "adopted");
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"b\":\"128\""));
        /* the origin is what was there before us, not what somebody wrote meanwhile */
        assert_int_equal(world_disable(&w, "alpha"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

static void test_confirm_vanished_key_is_drift(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_remove(&w.scratch, "proc/sys/net/core/somaxconn");
        assert_int_equal(world_confirm(&w), 4);
        assert_int_equal(confirm_with(&w, (EngineRequest){ .adopt = PLAN_ADOPT_DRIFT }, 2), 4);
        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
        world_deinit(&w);
}

static void test_confirm_edited_fragment(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_write(&w.scratch, WORLD_FRAGMENT, "# edited\n");

        assert_int_equal(world_confirm(&w), 4);
        assert_true(world_has_finding(&w, DIAG_FRAGMENT_EDITED));
        cleanup_free char *edited = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_string_equal(edited, "# edited\n");
        assert_int_equal(confirm_with(&w, (EngineRequest){ .adopt = PLAN_ADOPT_FRAGMENT }, 2), 0);
        cleanup_free char *ours = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_non_null(strstr(ours, "net.core.somaxconn = 8192"));
        world_deinit(&w);
}

static void test_confirm_other_namespace(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.instance.netns_cookie = 7;
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.engine.instance.netns_cookie = 8;
        assert_int_equal(world_confirm(&w), 4);
        assert_true(world_has_finding(&w, DIAG_OTHER_NAMESPACE));
        world_deinit(&w);
}

static void test_confirm_after_the_deadline(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;
        assert_int_equal(world_confirm(&w), 5);
        assert_true(world_has_finding(&w, DIAG_WINDOW_EXPIRED));
        assert_true(world_has_finding(&w, DIAG_QUARANTINED));
        assert_true(world_view_is(&w, origin));
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        world_deinit(&w);
}

static void test_confirm_after_a_reboot(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        world_reboot(&w);
        assert_int_equal(world_confirm(&w), 5);
        assert_true(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

/* --- trouble ------------------------------------------------------------------------------------------------------ */

static void test_confirm_unwritable_fragment_decides_nothing(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        scratch_remove(&w.scratch, "etc/sysctl.d");
        scratch_write(&w.scratch, "etc/sysctl.d", "in the way\n");
        assert_int_equal(world_confirm(&w), 2);
        assert_string_equal(world_outcome(&w), "failed");
        scratch_remove(&w.scratch, "etc/sysctl.d");
        scratch_mkdir(&w.scratch, "etc/sysctl.d");
        assert_int_equal(world_confirm(&w), 0);
        world_deinit(&w);
}

static int confirm_request(World *world) {
        return world_confirm(world);
}

/* Killed before every call: afterwards it is confirmed, or still open, or nothing of it is left; and it can be decided. */
static void test_confirm_killed_at_every_call(void **state UNUSED) {
        bool done = false;
        size_t n_open = 0, n_done = 0;
        for (uint64_t at = 1; !done; at++) {
                World w;
                world_init(&w);
                assert_int_equal(world_try(&w, "alpha", 60), 0);
                done = !world_die_at(&w, confirm_request, at);

                int r = world_recover(&w);
                assert_int_equal(r, 0);
                assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
                if (scratch_has(&w.scratch, WORLD_FRAGMENT)) {
                        assert_int_equal(world_confirm(&w), 5);
                        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
                        n_done++;
                } else {
                        assert_string_equal(world_outcome(&w), "pending");
                        assert_int_equal(world_confirm(&w), 0);
                        n_open++;
                }
                world_deinit(&w);
        }
        assert_true(n_open > 10);
        assert_true(n_done > 10);
}

/* An error at every call: decided or open, and the answer says which. */
static void test_confirm_error_at_every_call(void **state UNUSED) {
        for (uint64_t at = 1;; at++) {
                World w;
                world_init(&w);
                assert_int_equal(world_try(&w, "alpha", 60), 0);
                seam_fault_reset(&w.fault);
                w.fault.at = at;
                w.fault.kind = SEAM_FAULT_ERROR;
                w.fault.error = EIO;
                int r = world_confirm(&w);
                bool over = w.fault.n_faults == 0;
                bool answered = r == 0;
                seam_fault_reset(&w.fault);

                if (answered)
                        assert_true(scratch_has(&w.scratch, WORLD_FRAGMENT));
                assert_int_equal(world_recover(&w), 0);
                assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
                if (answered)
                        assert_true(scratch_has(&w.scratch, WORLD_STATE "/enabled"));
                world_deinit(&w);
                if (over)
                        break;
        }
}

TEST_MAIN(cmocka_unit_test(test_confirm_commits_and_lasts),
          cmocka_unit_test(test_confirm_without_change_says_what_became_of_it),
          cmocka_unit_test(test_confirm_wrong_token_is_denied),
          cmocka_unit_test(test_confirm_asks_for_another_session),
          cmocka_unit_test(test_confirm_unset_applier_is_not_possible),
          cmocka_unit_test(test_confirm_drift),
          cmocka_unit_test(test_confirm_vanished_key_is_drift),
          cmocka_unit_test(test_confirm_edited_fragment),
          cmocka_unit_test(test_confirm_other_namespace),
          cmocka_unit_test(test_confirm_after_the_deadline),
          cmocka_unit_test(test_confirm_after_a_reboot),
          cmocka_unit_test(test_confirm_unwritable_fragment_decides_nothing),
          cmocka_unit_test(test_confirm_killed_at_every_call),
          cmocka_unit_test(test_confirm_error_at_every_call))
