/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/planning.h"

#include "seam/engine-world.h"
#include "test.h"

/* What is refused before anything is done: exit code, outcome and finding, and nothing written anywhere. */
static void test_planning_refusals(void **state UNUSED) {
        static const struct {
                EngineVerb verb;
                const char *name, *to;
                int code;
                const char *outcome;
                DiagId finding;
        } rows[] = {
                { ENGINE_ENABLE, "nowhere", NULL, 5, "not-found", DIAG_UNKNOWN_PROFILE },
                { ENGINE_DISABLE, "nowhere", NULL, 5, "not-found", DIAG_UNKNOWN_PROFILE },
                { ENGINE_ROLLBACK, NULL, "17", 5, "not-found", DIAG_UNKNOWN_GENERATION },
                { ENGINE_ROLLBACK, NULL, "0", 5, "not-found", DIAG_UNKNOWN_GENERATION },
                { ENGINE_ROLLBACK, NULL, "-1", 5, "not-found", DIAG_UNKNOWN_GENERATION },
                { ENGINE_ROLLBACK, NULL, "01", 5, "not-found", DIAG_UNKNOWN_GENERATION },
                { ENGINE_ROLLBACK, NULL, "last", 5, "not-found", DIAG_UNKNOWN_GENERATION },
                { ENGINE_ENABLE, "absent", NULL, 4, "refused", 0 },
                { ENGINE_ENABLE, "wrong", NULL, 3, "invalid", 0 },
                { ENGINE_ENABLE, "clash", NULL, 3, "invalid", 0 },
        };
        TEST_EACH(row, rows) {
                World w;
                world_init(&w);
                world_profile(&w, "absent", "  net.ipv4.tcp_tw_reuse_delay: 1000\n");
                world_profile(&w, "wrong", "  net.core.somaxconn: lots\n");
                world_profile(&w, "clash", "  net.core.somaxconn: 16384\n");
                assert_int_equal(world_enable(&w, "alpha"), 0);
                cleanup_free char *view = world_view(&w);
                cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
                uint64_t n_writes = w.kernel.n_writes;

                const char *names[] = { row->name };
                EngineRequest request = {
                        .verb = row->verb,
                        .profiles = names,
                        .n_profiles = row->name ? 1 : 0,
                        .to = row->to,
                        .via = "direct",
                };
                assert_int_equal(world_run(&w, &request), row->code);
                assert_string_equal(world_outcome(&w), row->outcome);
                assert_true(row->finding == 0 || world_has_finding(&w, row->finding));
                assert_false(w.result.changed);
                assert_true(world_view_is(&w, view));
                assert_int_equal(w.kernel.n_writes, n_writes);
                cleanup_free char *audit_now = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
                assert_string_equal(audit, audit_now);
                world_deinit(&w);
        }
}

static void test_planning_rollback_with_nothing_before(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_rollback(&w, NULL), 5);
        assert_int_equal(world_rollback(&w, "1"), 5);
        int code = world_rollback(&w, "origin");
        assert_true(code == 0 || code == 5);
        assert_int_equal(w.kernel.n_writes, 0);
        world_deinit(&w);
}

/* Only what is named is read from disk again; everything else is as it was stored. */
static void test_planning_uses_stored_bytes(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_profile(&w, "alpha", "  net.core.somaxconn: 16384\n");
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "1200");

        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "16384");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100"); /* let go */
        world_deinit(&w);
}

static void test_planning_verb_names(void **state UNUSED) {
        assert_string_equal(planning_verb_name(PLAN_ENABLE), "enable");
        assert_string_equal(planning_verb_name(PLAN_DISABLE), "disable");
        assert_string_equal(planning_verb_name(PLAN_ROLLBACK), "rollback");
}

TEST_MAIN(cmocka_unit_test(test_planning_refusals),
          cmocka_unit_test(test_planning_rollback_with_nothing_before),
          cmocka_unit_test(test_planning_uses_stored_bytes),
          cmocka_unit_test(test_planning_verb_names))
