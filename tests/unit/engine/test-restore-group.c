/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/restore-group.h"

#include "seam/engine-world.h"
#include "test.h"

static void test_group_ports_are_put_back_together(void **state UNUSED) {
        World w;
        world_init(&w);
        world_profile(&w, "ports",
                      "  net.ipv4.ip_local_port_range: [20000, 60999]\n"
                      "  net.ipv4.ip_local_reserved_ports: [8080]\n");
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "ports", 60), 0);
        /* all of the range that will be restored */
        world_set_live(&w, "net/ipv4/ip_local_reserved_ports", "30000-65535");

        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_true(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_false(world_has_finding(&w, DIAG_FOREIGN_VALUE_KEPT));
        assert_string_equal(
                        world_change(&w, "net.ipv4.ip_local_reserved_ports")->outcome, "forced");
        assert_true(world_view_is(&w, origin));
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "30000-65535"));
        world_deinit(&w);
}

static void test_group_harmless_foreign_value_is_kept(void **state UNUSED) {
        World w;
        world_init(&w);
        world_profile(&w, "ports",
                      "  net.ipv4.ip_local_port_range: [20000, 60999]\n"
                      "  net.ipv4.ip_local_reserved_ports: [8080]\n");
        assert_int_equal(world_try(&w, "ports", 60), 0);
        world_set_live(&w, "net/ipv4/ip_local_reserved_ports", "9090");
        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_false(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_string_equal(world_live(&w, "net/ipv4/ip_local_reserved_ports"), "9090");
        world_deinit(&w);
}

static void test_group_range_and_start(void **state UNUSED) {
        World w;
        world_init(&w);
        w.pairs_bound = true;
        world_profile(&w, "low",
                      "  net.ipv4.ip_local_port_range: [40000, 60999]\n"
                      "  net.ipv4.ip_unprivileged_port_start: 1024\n");
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "low", 60), 0);
        world_set_live(&w, "net/ipv4/ip_unprivileged_port_start", "35000");
        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_true(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

static void test_group_reuse_and_timestamps(void **state UNUSED) {
        World w;
        world_init(&w);
        world_set_live(&w, "net/ipv4/tcp_timestamps", "0");
        world_set_live(&w, "net/ipv4/tcp_tw_reuse", "0");
        world_profile(&w, "reuse", "  net.ipv4.tcp_timestamps: 1\n  net.ipv4.tcp_tw_reuse: 2\n");
        assert_int_equal(world_try(&w, "reuse", 60), 0);
        world_set_live(&w, "net/ipv4/tcp_tw_reuse", "1");
        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_true(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_string_equal(world_live(&w, "net/ipv4/tcp_tw_reuse"), "0");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_timestamps"), "0");
        world_deinit(&w);
}

/* A foreign list that takes only a part of the range leaves ports to connect from. */
static void test_group_part_of_the_range_is_no_mix(void **state UNUSED) {
        World w;
        world_init(&w);
        world_profile(&w, "ports",
                      "  net.ipv4.ip_local_port_range: [20000, 60999]\n"
                      "  net.ipv4.ip_local_reserved_ports: [8080]\n");
        assert_int_equal(world_try(&w, "ports", 60), 0);
        world_set_live(&w, "net/ipv4/ip_local_reserved_ports", "10000-30000,50000-50001");
        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_false(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_string_equal(
                        world_live(&w, "net/ipv4/ip_local_reserved_ports"),
                        "10000-30000,50000-50001");
        world_deinit(&w);
}

/* Somebody put one key back already, and spoils it with the other. */
static void test_group_with_a_key_that_is_back(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *range = strdup(world_live(&w, "net/ipv4/ip_local_port_range"));
        world_profile(&w, "ports",
                      "  net.ipv4.ip_local_port_range: [20000, 60999]\n"
                      "  net.ipv4.ip_local_reserved_ports: [8080]\n");
        cleanup_free char *origin = world_view(&w);
        assert_int_equal(world_try(&w, "ports", 60), 0);
        world_set_live(&w, "net/ipv4/ip_local_port_range", range);
        world_set_live(&w, "net/ipv4/ip_local_reserved_ports", "1024-65535");
        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_true(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

static void test_group_key_that_is_gone_is_in_no_mix(void **state UNUSED) {
        World w;
        world_init(&w);
        world_profile(&w, "ports",
                      "  net.ipv4.ip_local_port_range: [20000, 60999]\n"
                      "  net.ipv4.ip_local_reserved_ports: [8080]\n");
        assert_int_equal(world_try(&w, "ports", 60), 0);
        scratch_remove(&w.scratch, "proc/sys/net/ipv4/ip_local_reserved_ports");
        assert_int_equal(world_rollback(&w, NULL), 0);
        assert_false(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        world_deinit(&w);
}

/* Reuse with timestamps is fine; and what was a mix before the change is put back as it was. */
static void test_group_mix_of_before_is_put_back(void **state UNUSED) {
        World w;
        world_init(&w);
        world_profile(&w, "reuse", "  net.ipv4.tcp_timestamps: 1\n  net.ipv4.tcp_tw_reuse: 2\n");
        world_set_live(&w, "net/ipv4/tcp_timestamps", "0");
        world_set_live(&w, "net/ipv4/tcp_tw_reuse", "1");
        assert_int_equal(world_try(&w, "reuse", 60), 0);
        world_set_live(&w, "net/ipv4/tcp_timestamps", "2");
        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_false(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_string_equal(world_live(&w, "net/ipv4/tcp_timestamps"), "2");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_tw_reuse"), "1");

        world_set_live(&w, "net/ipv4/tcp_timestamps", "2");
        world_set_live(&w, "net/ipv4/tcp_tw_reuse", "0");
        assert_int_equal(world_try(&w, "reuse", 60), 0);
        world_set_live(&w, "net/ipv4/tcp_tw_reuse", "1");
        assert_int_equal(world_rollback(&w, NULL), 7);
        assert_false(world_has_finding(&w, DIAG_UNSAFE_MIX_PREVENTED));
        assert_string_equal(world_live(&w, "net/ipv4/tcp_tw_reuse"), "1");
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_group_part_of_the_range_is_no_mix),
          cmocka_unit_test(test_group_key_that_is_gone_is_in_no_mix),
          cmocka_unit_test(test_group_with_a_key_that_is_back),
          cmocka_unit_test(test_group_mix_of_before_is_put_back),
          cmocka_unit_test(test_group_ports_are_put_back_together),
          cmocka_unit_test(test_group_harmless_foreign_value_is_kept),
          cmocka_unit_test(test_group_range_and_start),
          cmocka_unit_test(test_group_reuse_and_timestamps))
