/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/change.h"

#include "seam/engine-world.h"
#include "test.h"

/* --- there and back ------------------------------------------------------------------------------------------- */

static void test_change_enable_and_disable(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);

        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_string_equal(world_outcome(&w), "applied");
        assert_true(w.result.changed);
        assert_int_equal(w.result.generation_before, 0);
        assert_int_equal(w.result.generation, 1);
        assert_int_equal(strlen(w.result.tx), 36);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "1200");
        assert_true(scratch_has(&w.scratch, WORLD_STATE "/enabled"));

        const EngineChange *change = world_change(&w, "net.core.somaxconn");
        assert_non_null(change);
        assert_string_equal(change->origin, "4000");
        assert_string_equal(change->before, "4000");
        assert_string_equal(change->wanted, "8192");
        assert_string_equal(change->after, "8192");
        assert_string_equal(change->outcome, "set");
        assert_string_equal(change->profile, "alpha");

        assert_int_equal(world_disable(&w, "alpha"), 0);
        assert_true(world_view_is(&w, origin));
        change = world_change(&w, "net.core.somaxconn");
        assert_non_null(change);
        assert_string_equal(change->outcome, "restored");
        assert_false(scratch_has(&w.scratch, WORLD_STATE "/enabled"));
        assert_int_equal(w.result.generation, 2);
        world_deinit(&w);
}

static void test_change_enable_twice_changes_nothing(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_free char *view = world_view(&w);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        uint64_t n_writes = w.kernel.n_writes;

        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_string_equal(world_outcome(&w), "unchanged");
        assert_false(w.result.changed);
        assert_string_equal(w.result.tx, "");
        assert_int_equal(w.result.generation, 1);
        assert_non_null(w.result.fragment);
        assert_int_equal(w.kernel.n_writes, n_writes);
        assert_true(world_view_is(&w, view));
        cleanup_free char *audit_now = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_string_equal(audit, audit_now);
        world_deinit(&w);
}

static void test_change_dry_run_touches_nothing(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);

        const char *names[] = { "alpha" };
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .profiles = names,
                .n_profiles = 1,
                .dry_run = true,
                .via = "direct",
        };
        assert_int_equal(world_run(&w, &request), 0);
        assert_string_equal(world_outcome(&w), "planned");
        assert_int_equal(w.result.generation_before, 0);
        assert_int_equal(w.result.generation, 1);
        assert_non_null(strstr(w.result.fragment, "net.core.somaxconn = 8192\n"));
        const EngineChange *change = world_change(&w, "net.core.somaxconn");
        assert_non_null(change);
        assert_string_equal(change->outcome, "planned");
        assert_int_equal(w.kernel.n_writes, 0);
        assert_true(world_view_is(&w, origin));
        assert_false(scratch_has(&w.scratch, WORLD_STATE));
        assert_false(scratch_has(&w.scratch, "var/log/twprofile"));
        assert_false(scratch_has(&w.scratch, "run"));
        world_deinit(&w);
}

static void test_change_only_replaces(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha beta"), 0);
        assert_int_equal(world_only(&w, "delta"), 0);

        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_intvl"), "74");
        assert_string_equal(world_live(&w, "net/ipv4/ip_local_port_range"), "20000\t60999");
        cleanup_free char *fragment = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_non_null(fragment);
        assert_null(strstr(fragment, "somaxconn"));
        assert_non_null(strstr(fragment, "net.ipv4.ip_local_port_range = 20000\t60999\n"));
        world_deinit(&w);
}

/* Each step of the walk, and the same five single steps back. */
static const struct {
        int (*step)(World *world, const char *names);
        const char *names;
} walk[] = {
        { world_enable, "alpha" },       { world_enable, "beta gamma" }, { world_disable, "alpha" },
        { world_only, "delta epsilon" }, { world_disable, "epsilon" },
};

static void walk_all(World *w, char *views[static ELEMENTSOF(walk) + 1]) {
        views[0] = world_view(w);
        for (size_t i = 0; i < ELEMENTSOF(walk); i++) {
                assert_int_equal(walk[i].step(w, walk[i].names), 0);
                views[i + 1] = world_view(w);
                assert_string_not_equal(views[i], views[i + 1]);
        }
}

/* The fragment says its generation's number, which is a new one after a rollback. */
static char *without_number(const char *view) {
        char *copy = strdup(view), *line = strstr(copy, "# generation");
        if (line)
                memset(line, '#', strcspn(line, "\n"));
        return copy;
}

static void assert_same_but_number(World *w, const char *view) {
        cleanup_free char *now = world_view(w);
        cleanup_free char *a = without_number(now), *b = without_number(view);
        assert_string_equal(a, b);
}

static void test_change_rollback_to_origin_after_five(void **state UNUSED) {
        World w;
        world_init(&w);
        char *views[ELEMENTSOF(walk) + 1];
        walk_all(&w, views);

        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_true(world_view_is(&w, views[0]));
        assert_int_equal(world_rollback(&w, NULL), 5);
        assert_string_equal(world_outcome(&w), "not-found");
        for (size_t i = 0; i < ELEMENTSOF(views); i++)
                free(views[i]);
        world_deinit(&w);
}

static void test_change_five_single_rollbacks(void **state UNUSED) {
        World w;
        world_init(&w);
        char *views[ELEMENTSOF(walk) + 1];
        walk_all(&w, views);

        for (size_t i = ELEMENTSOF(walk); i > 0; i--) {
                assert_int_equal(world_rollback(&w, NULL), 0);
                assert_same_but_number(&w, views[i - 1]);
        }
        assert_true(world_view_is(&w, views[0]));
        for (size_t i = 0; i < ELEMENTSOF(views); i++)
                free(views[i]);
        world_deinit(&w);
}

static void test_change_rollback_to_a_number(void **state UNUSED) {
        World w;
        world_init(&w);
        char *views[ELEMENTSOF(walk) + 1];
        walk_all(&w, views);

        assert_int_equal(world_rollback(&w, "2"), 0);
        assert_same_but_number(&w, views[2]);
        assert_int_equal(
                        world_rollback(&w, NULL),
                        0); /* the target's parent, not the state before */
        assert_same_but_number(&w, views[1]);
        for (size_t i = 0; i < ELEMENTSOF(views); i++)
                free(views[i]);
        world_deinit(&w);
}

/* --- values of others ------------------------------------------------------------------------------------------- */

static void test_change_drift_needs_adopt(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_set_live(&w, "net/core/somaxconn", "5555");
        cleanup_free char *drifted = world_view(&w);

        assert_int_equal(world_enable(&w, "alpha beta"), 4);
        assert_string_equal(world_outcome(&w), "refused");
        assert_true(world_view_is(&w, drifted));

        const char *names[] = { "alpha", "beta" };
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .profiles = names,
                .n_profiles = 2,
                .adopt = PLAN_ADOPT_DRIFT,
                .reason = "set by hand in a hurry",
                .via = "direct",
        };
        assert_int_equal(world_run(&w, &request), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000"); /* not 5555 */
        world_deinit(&w);
}

static void test_change_edited_fragment_needs_adopt(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_write(&w.scratch, WORLD_FRAGMENT, "net.core.somaxconn = 1\n");

        assert_int_equal(world_enable(&w, "beta"), 4);
        assert_true(world_has_finding(&w, DIAG_FRAGMENT_EDITED));
        cleanup_free char *kept = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_string_equal(kept, "net.core.somaxconn = 1\n");

        const char *names[] = { "beta" };
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .profiles = names,
                .n_profiles = 1,
                .adopt = PLAN_ADOPT_FRAGMENT,
                .reason = "ours again",
                .via = "direct",
        };
        assert_int_equal(world_run(&w, &request), 0);
        cleanup_free char *fragment = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_non_null(strstr(fragment, "net.core.somaxconn = 8192"));
        world_deinit(&w);
}

static void test_change_disable_leaves_a_foreign_value(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_set_live(&w, "net/core/somaxconn", "5555");

        assert_int_equal(world_disable(&w, "alpha"), 7);
        assert_string_equal(world_outcome(&w), "partly");
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "5555");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
        world_deinit(&w);
}

static void test_change_pending_key_goes_to_the_fragment(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "pending"), 7);
        assert_string_equal(world_outcome(&w), "partly");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_retries2"), "9");
        const EngineChange *change = world_change(&w, "net.netfilter.nf_conntrack_max");
        assert_non_null(change);
        assert_string_equal(change->outcome, "pending");
        cleanup_free char *fragment = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_non_null(strstr(fragment, "net.netfilter.nf_conntrack_max = 262144"));
        world_deinit(&w);
}

static unsigned progress_seen;

static void note_progress(
                void *userdata UNUSED, const char *step, size_t done, size_t total,
                const char *tx) {
        static const char *const steps[] = { "rehearse", "write", "commit" };
        assert_int_equal(total, ELEMENTSOF(steps));
        assert_in_range(done, 1, total);
        assert_string_equal(step, steps[done - 1]);
        assert_int_equal(strlen(tx), 36);
        progress_seen++;
}

static void test_change_counts_of_calls(void **state UNUSED) {
        World w;
        world_init(&w);
        progress_seen = 0;
        w.engine.progress = note_progress;
        assert_int_equal(world_enable(&w, "beta"), 0); /* makes the journal and the audit log */
        assert_int_equal(progress_seen, 3);

        seam_fault_reset(&w.fault);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_in_range(w.fault.n_calls, 1, 8 * 4 + 300);
        assert_int_equal(w.fault.n_kind[SEAM_CALL_FSYNC] + w.fault.n_kind[SEAM_CALL_FDATASYNC], 5);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_change_enable_and_disable),
          cmocka_unit_test(test_change_enable_twice_changes_nothing),
          cmocka_unit_test(test_change_dry_run_touches_nothing),
          cmocka_unit_test(test_change_only_replaces),
          cmocka_unit_test(test_change_rollback_to_origin_after_five),
          cmocka_unit_test(test_change_five_single_rollbacks),
          cmocka_unit_test(test_change_rollback_to_a_number),
          cmocka_unit_test(test_change_drift_needs_adopt),
          cmocka_unit_test(test_change_edited_fragment_needs_adopt),
          cmocka_unit_test(test_change_disable_leaves_a_foreign_value),
          cmocka_unit_test(test_change_pending_key_goes_to_the_fragment),
          cmocka_unit_test(test_change_counts_of_calls))
