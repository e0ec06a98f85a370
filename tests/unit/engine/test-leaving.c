/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/leaving.h"

#include "seam/engine-world.h"
#include "test.h"

static int disable_alpha(World *w) {
        return world_disable(w, "alpha");
}

static bool before_fragment_goes(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_UNLINK_AT && endswith(call->path, "/60-twprofile.conf");
}

/* Disabled up to COMMIT, and the power goes: the old fragment is applied once more. */
static void cut_disable(World *w) {
        assert_true(world_die_when(w, disable_alpha, before_fragment_goes));
        world_reboot(w);
        assert_string_equal(world_live(w, "net/ipv4/tcp_keepalive_time"), "1200");
}

static void check_gone(World *w, const char *somaxconn) {
        assert_int_equal(world_boot(w), 0);
        assert_true(world_has_finding(w, DIAG_REDONE));
        assert_string_equal(world_live(w, "net/core/somaxconn"), somaxconn);
        assert_string_equal(world_live(w, "net/ipv4/tcp_keepalive_time"), "7100");
        assert_false(scratch_has(&w->scratch, WORLD_FRAGMENT));
}

/* What disable left to somebody else is ours again after the boot, by our own old fragment. */
static void test_leaving_takes_back_what_was_left_to_somebody(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_set_live(&w, "net/core/somaxconn", "5555");
        cut_disable(&w);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        check_gone(&w, "4000");
        world_deinit(&w);
}

static void test_leaving_takes_back_what_was_written(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_remove(&w.scratch, WORLD_STATE "/generations"); /* the journal has it */
        cut_disable(&w);
        check_gone(&w, "4000");
        world_deinit(&w);
}

/* A value that is not the old fragment's was given by another file at boot. */
static void test_leaving_leaves_another_files_value(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_write(&w.scratch, "etc/sysctl.d/70-other.conf", "net.core.somaxconn = 777\n");
        cut_disable(&w);
        check_gone(&w, "777");
        world_deinit(&w);
}

/* The first change of all: there is nothing that could leave. */
static int enable_alpha(World *w) {
        return world_enable(w, "alpha");
}

static bool before_fragment_comes(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_RENAME_AT && endswith(call->to, "/60-twprofile.conf");
}

static void test_leaving_nothing(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_true(world_die_when(&w, enable_alpha, before_fragment_comes));
        world_reboot(&w);
        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "1200");
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_leaving_takes_back_what_was_left_to_somebody),
          cmocka_unit_test(test_leaving_takes_back_what_was_written),
          cmocka_unit_test(test_leaving_leaves_another_files_value),
          cmocka_unit_test(test_leaving_nothing))
