/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/make-live.h"

#include "seam/engine-world.h"
#include "test.h"

static void test_make_live_nothing_enabled(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_outcome(&w), "unchanged");
        assert_int_equal(w.kernel.n_writes, 0);
        assert_true(scratch_has(&w.scratch, WORLD_STATUS));
        assert_false(scratch_has(&w.scratch, WORLD_AUDIT) &&
                     scratch_size(&w.scratch, WORLD_AUDIT) > 0);
        world_deinit(&w);
}

static void test_make_live_when_sysctl_did_its_part(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha delta"), 0);
        cleanup_free char *view = world_view(&w);
        world_reboot(&w); /* systemd-sysctl has read our fragment */
        uint64_t n_writes = w.kernel.n_writes;

        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_outcome(&w), "applied");
        assert_false(w.result.changed);
        assert_int_equal(w.kernel.n_writes, n_writes);
        assert_true(world_view_is(&w, view));
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"ev\":\"boot\""));
        world_deinit(&w);
}

static void test_make_live_writes_what_is_missing(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha delta"), 0);
        cleanup_free char *view = world_view(&w);
        world_reboot(&w);
        world_set_live(&w, "net/core/somaxconn", "4000"); /* as if systemd-sysctl were masked */
        world_set_live(&w, "net/ipv4/ip_local_port_range", "32000\t60000");

        assert_int_equal(world_boot(&w), 0);
        assert_true(w.result.changed);
        assert_true(world_view_is(&w, view));
        /* the origin is still the one from before the reboot */
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

static void test_make_live_leaves_a_key_to_a_later_file(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_write(&w.scratch, "etc/sysctl.d/99-site.conf", "net.core.somaxconn = 9999\n");
        world_reboot(&w);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "9999");

        assert_int_equal(world_boot(&w), 7);
        assert_true(world_has_finding(&w, DIAG_OTHER_FILE_WINS));
        assert_string_equal(world_outcome(&w), "partly");
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "9999");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "1200");
        world_deinit(&w);
}

/* An earlier file does not win, and a later one that says the same as we is no matter. */
static void test_make_live_other_files_that_do_not_matter(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_write(&w.scratch, "etc/sysctl.d/10-early.conf", "net.core.somaxconn = 9999\n");
        scratch_write(&w.scratch, "etc/sysctl.d/99-same.conf", "net/core/somaxconn=8192\n");
        world_reboot(&w);
        world_set_live(&w, "net/core/somaxconn", "4000");

        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        world_deinit(&w);
}

static void test_make_live_pending_key(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "pending"), 7);
        world_reboot(&w);
        assert_int_equal(world_boot(&w), 7);
        assert_true(world_has_finding(&w, DIAG_KEY_PENDING));

        world_set_live(&w, "net/netfilter/nf_conntrack_max", "65536"); /* the module came */
        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_live(&w, "net/netfilter/nf_conntrack_max"), "262144");
        world_deinit(&w);
}

static void test_make_live_tells_an_edited_fragment(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_write(&w.scratch, WORLD_FRAGMENT, "net.core.somaxconn = 17\n");
        world_reboot(&w);
        assert_int_equal(world_boot(&w), 4);
        assert_true(world_has_finding(&w, DIAG_FRAGMENT_EDITED));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        world_deinit(&w);
}

static void test_make_live_kernel_refuses(void **state UNUSED) {
        static const WorldTrouble rows[] = {
                { .path = "net/core/somaxconn", .value = "8192", .error = EPERM },
                { .path = "net/core/somaxconn", .value = "8192", .instead = "8191" },
        };
        TEST_EACH(row, rows) {
                World w;
                world_init(&w);
                assert_int_equal(world_enable(&w, "alpha"), 0);
                world_reboot(&w);
                world_set_live(&w, "net/core/somaxconn", "4000");
                w.troubles[0] = *row;
                assert_int_equal(world_boot(&w), 8);
                assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
                assert_string_equal(world_outcome(&w), "unknown");
                assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "1200");
                world_deinit(&w);
        }
}

static void test_make_live_value_of_another_type(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_reboot(&w);
        world_set_live(&w, "net/core/somaxconn", "many");
        assert_int_equal(world_boot(&w), 8);
        assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
        world_deinit(&w);
}

/* In the same boot a redo verifies only: what somebody changed since is left and told. */
static bool before_done_frame(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_PWRITE && endswith(call->path, "/journal") &&
               ((const unsigned char *) call->bytes)[12] == 5;
}

static int enable_alpha(World *w) {
        return world_enable(w, "alpha");
}

static void test_make_live_redo_in_the_same_boot_only_looks(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_true(world_die_when(&w, enable_alpha, before_done_frame));
        world_set_live(&w, "net/core/somaxconn", "5555");
        assert_int_equal(world_recover(&w), 7);
        assert_true(world_has_finding(&w, DIAG_FOREIGN_VALUE_KEPT));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "5555");
        assert_int_equal(w.result.generation, 1);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_make_live_nothing_enabled),
          cmocka_unit_test(test_make_live_when_sysctl_did_its_part),
          cmocka_unit_test(test_make_live_writes_what_is_missing),
          cmocka_unit_test(test_make_live_leaves_a_key_to_a_later_file),
          cmocka_unit_test(test_make_live_other_files_that_do_not_matter),
          cmocka_unit_test(test_make_live_pending_key),
          cmocka_unit_test(test_make_live_tells_an_edited_fragment),
          cmocka_unit_test(test_make_live_kernel_refuses),
          cmocka_unit_test(test_make_live_value_of_another_type),
          cmocka_unit_test(test_make_live_redo_in_the_same_boot_only_looks))
