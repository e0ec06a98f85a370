/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/late-audit.h"

#include "audit-check.h"

static bool writes_audit(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_PWRITE && endswith(call->path, ".ndjson");
}

/* From the at-th write on the log takes nothing. */
static void fill_disk(World *w, uint64_t at) {
        seam_fault_reset(&w->fault);
        w->fault.matches = writes_audit;
        w->fault.at = at;
        w->fault.for_ever = true;
        w->fault.kind = SEAM_FAULT_ERROR;
        w->fault.error = ENOSPC;
}

static void free_disk(World *w) {
        seam_fault_reset(&w->fault);
}

/* begin, as many late records, end; once. */
static void check_told(World *w, size_t lost) {
        check_whole(w);
        char begin[96], end[96];
        (void) snprintf(begin, sizeof(begin), "\"degraded\":{\"lost\":%zu,\"state\":\"begin\"}",
                        lost);
        (void) snprintf(end, sizeof(end), "\"degraded\":{\"lost\":%zu,\"state\":\"end\"}", lost);
        assert_int_equal(check_count(w, begin), lost > 0);
        assert_int_equal(check_count(w, end), lost > 0);
        assert_int_equal(check_count(w, "\"ev\":\"degraded\""), lost > 0 ? 2 : 0);
        assert_int_equal(check_count(w, "\"late\":1"), lost);
        cleanup_free char *all = check_read_log(w);
        if (lost == 0)
                return;
        const char *first = strstr(all, begin), *last = strstr(all, end);
        const char *late = strstr(all, "\"late\":1");
        assert_true(first < late && late < last);
}

static void test_late_outcome_of_a_guard(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;
        fill_disk(&w, 1);
        (void) world_revert(&w, "gate");
        assert_string_equal(world_outcome(&w), "reverted");
        assert_true(world_has_finding(&w, DIAG_AUDIT_INCOMPLETE));
        assert_true(world_view_is(&w, origin));

        assert_int_equal(world_enable(&w, "beta"), 2); /* still full */
        assert_true(world_has_finding(&w, DIAG_AUDIT_UNWRITABLE));
        check_told(&w, 0);

        free_disk(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        check_told(&w, 1);
        cleanup_free char *all = check_read_log(&w);
        const char *late = strstr(all, "\"cause\":\"gate\",\"ev\":\"outcome\",\"evidence\":\"");
        assert_non_null(late);
        assert_non_null(strstr(late, "\"res\":{\"outcome\":\"reverted\"}"));
        assert_non_null(strstr(late, "\"via\":\"recover\""));

        assert_int_equal(world_rollback(&w, "origin"), 0);
        check_told(&w, 1);
        world_deinit(&w);
}

static void test_late_outcome_of_a_change(void **state UNUSED) {
        World w;
        world_init(&w);
        fill_disk(&w, 2); /* the intent is taken */
        (void) world_enable(&w, "alpha");
        assert_string_equal(world_outcome(&w), "applied");
        cleanup_free char *tx = strdup(w.result.tx);

        free_disk(&w);
        assert_int_equal(world_recover(&w), 0);
        check_told(&w, 1);
        cleanup_free char *all = check_read_log(&w);
        assert_int_equal(check_count(&w, tx), 2);
        assert_non_null(strstr(all, "\"prof\":[\"alpha@"));
        world_deinit(&w);
}

static void test_rollback_is_not_kept_waiting(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        fill_disk(&w, 1);
        (void) world_rollback(&w, "origin");
        assert_string_equal(world_outcome(&w), "applied");
        assert_true(world_has_finding(&w, DIAG_AUDIT_INCOMPLETE));
        assert_true(world_view_is(&w, origin));
        cleanup_free char *tx = strdup(w.result.tx);

        free_disk(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        check_told(&w, 2); /* its intent too */
        assert_int_equal(check_count(&w, tx), 2);
        assert_int_equal(
                        check_count(&w, "\"ev\":\"intent\""),
                        check_count(&w, "\"ev\":\"outcome\""));
        world_deinit(&w);
}

/* A change that was refused because of the log never was, so there is nothing to tell. */
static void test_refused_change_is_not_told(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        fill_disk(&w, 1);
        assert_int_equal(world_enable(&w, "beta"), 2);
        assert_int_equal(world_disable(&w, "alpha"), 2);
        free_disk(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        check_told(&w, 0);
        world_deinit(&w);
}

static void test_boot_is_not_kept_waiting(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_reboot(&w);
        world_set_live(&w, "net/core/somaxconn", "128");
        scratch_remove(&w.scratch, CHECK_DIR);
        scratch_write(&w.scratch, CHECK_DIR, "a file in its place");
        (void) world_boot(&w);
        assert_true(world_has_finding(&w, DIAG_AUDIT_INCOMPLETE));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        world_deinit(&w);
}

static bool installs_fragment(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_RENAME_AT && streq(call->to, WORLD_FRAGMENT);
}

static int enable_beta(World *w) {
        return world_enable(w, "beta");
}

/* Recovery of a dead change goes on without the log, and a change behind it in the same request does not. */
static void test_recovery_is_not_kept_waiting(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_true(world_die_when(&w, enable_beta, installs_fragment));
        fill_disk(&w, 1);
        assert_int_equal(world_disable(&w, "alpha"), 2);
        assert_true(world_has_finding(&w, DIAG_REDONE));
        assert_true(world_has_finding(&w, DIAG_AUDIT_INCOMPLETE));
        assert_true(world_has_finding(&w, DIAG_AUDIT_UNWRITABLE));
        free_disk(&w);
        assert_int_equal(world_disable(&w, "alpha"), 0);
        check_told(&w, 1);
        world_deinit(&w);
}

/* Whoever tells late may die over it: nothing is told twice, and what was begun is ended. */
static void test_late_telling_killed_at_every_call(void **state UNUSED) {
        bool died = true;
        for (uint64_t at = 1; died; at++) {
                World w;
                world_init(&w);
                assert_int_equal(world_enable(&w, "alpha"), 0);
                fill_disk(&w, 1);
                (void) world_rollback(&w, "origin");
                cleanup_free char *tx = strdup(w.result.tx);
                free_disk(&w);
                died = world_die_at(&w, world_recover, at);
                assert_int_equal(world_recover(&w), 0);
                check_whole(&w);
                assert_int_equal(check_count(&w, "\"late\":1"), 2);
                assert_int_equal(check_count(&w, tx), 2);
                assert_int_equal(check_count(&w, "\"state\":\"end\"}"), 1);
                world_deinit(&w);
        }
}

TEST_MAIN(cmocka_unit_test(test_late_outcome_of_a_guard),
          cmocka_unit_test(test_late_outcome_of_a_change),
          cmocka_unit_test(test_rollback_is_not_kept_waiting),
          cmocka_unit_test(test_refused_change_is_not_told),
          cmocka_unit_test(test_boot_is_not_kept_waiting),
          cmocka_unit_test(test_recovery_is_not_kept_waiting),
          cmocka_unit_test(test_late_telling_killed_at_every_call))
