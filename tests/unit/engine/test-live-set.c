/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/live-set.h"

#include "model/catalogue.h"
#include "seam/engine-world.h"
#include "test.h"

static const SysctlSpec *spec(const char *key) {
        const SysctlSpec *found = catalogue_find(key);
        assert_non_null(found);
        return found;
}

static void test_live_set_open(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_remove(&w.scratch, "proc/sys/net/ipv4/tcp_fin_timeout");
        scratch_chmod(&w.scratch, "proc/sys/net/ipv4/tcp_keepalive_time", 0444);
        world_set_live(&w, "net/ipv4/tcp_retries2", "few");
        const SysctlSpec *specs[] = {
                spec("net.core.somaxconn"),
                spec("net.ipv4.tcp_fin_timeout"),
                spec("net.ipv4.tcp_keepalive_time"),
                spec("net.ipv4.tcp_retries2"),
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        LiveSet set = { 0 };
        assert_int_equal(
                        live_set_open(&(SeamFd){ w.engine.seam, w.engine.root_fd }, specs,
                                      ELEMENTSOF(specs), arena, &set, &w.error),
                        0);
        assert_int_equal(set.snapshot.keys[0].state, LIVE_PRESENT);
        assert_int_equal(set.snapshot.keys[1].state, LIVE_ABSENT);
        assert_int_equal(set.snapshot.keys[2].state, LIVE_PRESENT); /* for reading */
        assert_int_equal(set.snapshot.keys[3].state, LIVE_STRANGE);
        assert_non_null(live_set_find(&set, specs[0]));
        assert_null(live_set_find(&set, specs[1]));
        assert_null(live_set_find(&set, spec("net.ipv4.tcp_mem"))); /* not asked for */

        SysctlValue value = set.snapshot.keys[2].value;
        assert_int_equal(live_file_write(live_set_find(&set, specs[2]), &value, arena), -EBADF);
        live_set_close(&set);
        assert_int_equal(w.fault.n_kind[SEAM_CALL_CLOSE], 3);
        world_deinit(&w);
}

static void test_live_set_no_descriptors_left(void **state UNUSED) {
        static const int errors[] = { EMFILE, ENFILE, ENOMEM };
        TEST_EACH(error, errors) {
                World w;
                world_init(&w);
                w.fault.at = 3; /* open, read of the first, open of the second */
                w.fault.kind = SEAM_FAULT_ERROR;
                w.fault.error = *error;
                const SysctlSpec *specs[] = { spec("net.core.somaxconn"),
                                              spec("net.ipv4.tcp_retries2") };
                CLEANUP(arena_freep) Arena *arena = arena_new();
                LiveSet set = { 0 };
                assert_int_equal(
                                live_set_open(&(SeamFd){ w.engine.seam, w.engine.root_fd }, specs,
                                              ELEMENTSOF(specs), arena, &set, &w.error),
                                -*error);
                assert_null(set.files);
                world_deinit(&w);
        }
}

/* --- below --root --------------------------------------------------------------------------------------------- */

static void test_live_set_assume(void **state UNUSED) {
        const SysctlSpec *specs[] = {
                spec("net.core.somaxconn"),
                spec("net.ipv4.tcp_tw_reuse_delay"), /* since 6.14 */
                spec("net.ipv4.tcp_tw_timeout"),     /* a vendor's */
                spec("net.netfilter.nf_conntrack_max"),
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        LiveSet set = { 0 };
        Error error = { 0 };
        assert_int_equal(live_set_assume(specs, ELEMENTSOF(specs), arena, &set, &error), 0);
        assert_int_equal(set.snapshot.keys[0].state, LIVE_ASSUMED);
        for (size_t i = 1; i < ELEMENTSOF(specs); i++)
                assert_int_equal(set.snapshot.keys[i].state, LIVE_ABSENT);
        assert_null(live_set_find(&set, specs[0]));
        live_set_close(&set);
}

static void test_live_set_image_is_adopted_at_its_first_boot(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.files_only = true;
        assert_int_equal(world_enable(&w, "alpha delta"), 0);
        assert_string_equal(world_outcome(&w), "applied");
        assert_int_equal(w.kernel.n_writes, 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_true(scratch_has(&w.scratch, WORLD_STATE "/enabled"));
        cleanup_free char *fragment = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_non_null(strstr(fragment, "net.core.somaxconn = 8192"));
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_string_equal(world_outcome(&w), "unchanged");

        w.engine.files_only = false;
        world_reboot(&w); /* the image boots */
        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        /* origin unknown: the kernel's default where that is a constant */
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4096");
        assert_string_equal(world_live(&w, "net/ipv4/ip_local_port_range"), "32768\t60999");
        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
        world_deinit(&w);
}

static int enable_alpha(World *w) {
        return world_enable(w, "alpha");
}

static bool renames_fragment(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_RENAME_AT && endswith(call->to, "/60-twprofile.conf");
}

static bool begins_commit(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_PWRITE && endswith(call->path, "/journal") &&
               ((const unsigned char *) call->bytes)[12] == 3;
}

static void test_live_set_image_recovers_without_a_kernel(void **state UNUSED) {
        static const struct {
                SeamFaultMatch death;
                uint64_t generation;
        } rows[] = { { begins_commit, 0 }, { renames_fragment, 1 } };
        TEST_EACH(row, rows) {
                World w;
                world_init(&w);
                w.engine.files_only = true;
                assert_true(world_die_when(&w, enable_alpha, row->death));
                assert_int_equal(world_recover(&w), 0);
                assert_int_equal(w.result.generation, row->generation);
                assert_int_equal(scratch_has(&w.scratch, WORLD_FRAGMENT), row->generation == 1);
                assert_int_equal(w.kernel.n_writes, 0);
                world_deinit(&w);
        }
}

TEST_MAIN(cmocka_unit_test(test_live_set_open), cmocka_unit_test(test_live_set_no_descriptors_left),
          cmocka_unit_test(test_live_set_assume),
          cmocka_unit_test(test_live_set_image_is_adopted_at_its_first_boot),
          cmocka_unit_test(test_live_set_image_recovers_without_a_kernel))
