/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/apply.h"

#include "seam/engine-world.h"
#include "test.h"

/* --- the kernel refuses --------------------------------------------------------------------------------------- */

#define PAIR "alpha delta" /* three keys: somaxconn, tcp_keepalive_time, the port range */

/* The write of the target at each key, whatever the errno: undone, and everything as before. */
static void test_apply_undoes_what_the_kernel_refuses(void **state UNUSED) {
        static const struct {
                WorldTrouble trouble;
                int code;
                const char *outcome;
        } rows[] = {
                /* the first write of all: nothing to undo but the attempt itself */
                { { .path = "net/core/somaxconn", .value = "8192", .error = EINVAL }, 6, "undone" },
                { { .path = "net/core/somaxconn", .value = "8192", .error = EPERM }, 6, "undone" },
                { { .path = "net/ipv4/tcp_keepalive_time", .value = "1200", .error = EINVAL },
                  6,
                  "undone" },
                { { .path = "net/ipv4/tcp_keepalive_time", .value = "1200", .error = EIO },
                  6,
                  "undone" },
                { { .path = "net/ipv4/ip_local_port_range",
                    .value = "20000\t60999",
                    .error = EPERM },
                  6,
                  "undone" },
        };
        TEST_EACH(row, rows) {
                World w;
                world_init(&w);
                cleanup_free char *origin = world_view(&w);
                w.troubles[0] = row->trouble;
                assert_int_equal(world_enable(&w, PAIR), row->code);
                assert_string_equal(world_outcome(&w), row->outcome);
                assert_true(world_view_is(&w, origin));
                assert_int_equal(w.result.generation, 0);
                assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ""), 0);

                w.troubles[0] = (WorldTrouble){ 0 };
                assert_int_equal(world_recover(&w), 0);
                assert_string_equal(world_outcome(&w), "unchanged");
                assert_int_equal(world_enable(&w, PAIR), 0);
                world_deinit(&w);
        }
}

static void test_apply_refuses_when_rehearsal_fails(void **state UNUSED) {
        static const WorldTrouble rows[] = {
                { .path = "net/core/somaxconn", .value = "4000", .error = EINVAL },
                { .path = "net/ipv4/tcp_keepalive_time", .value = "7100", .error = EPERM },
        };
        TEST_EACH(row, rows) {
                World w;
                world_init(&w);
                cleanup_free char *origin = world_view(&w);
                w.troubles[0] = *row;
                assert_int_equal(world_enable(&w, PAIR), 4);
                assert_true(world_has_finding(&w, DIAG_REHEARSAL_FAILED));
                assert_true(world_view_is(&w, origin));
                assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
                world_deinit(&w);
        }
}

/* A kernel that makes another value of the old one, and does not take the old one back: nobody can say it is well. */
static void test_apply_rehearsal_that_cannot_be_mended(void **state UNUSED) {
        World w;
        world_init(&w);
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .instead = "17" };
        assert_int_equal(world_enable(&w, "alpha"), 8);
        assert_string_equal(world_outcome(&w), "unknown");
        assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
        world_deinit(&w);
}

static void test_apply_refuses_a_read_only_key(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        scratch_chmod(&w.scratch, "proc/sys/net/ipv4/tcp_keepalive_time", 0444);
        assert_int_equal(world_enable(&w, "alpha"), 4);
        assert_true(world_has_finding(&w, DIAG_KEY_READ_ONLY));
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

static void test_apply_undoes_when_read_back_differs(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        w.troubles[0] = (WorldTrouble){ .path = "net/ipv4/tcp_keepalive_time",
                                        .value = "1200",
                                        .instead = "1100" };
        assert_int_equal(world_enable(&w, PAIR), 6);
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

/* The kernel takes the new value and then neither the old one: attention, and the others are back. */
static void test_apply_says_when_undo_is_stuck(void **state UNUSED) {
        World w;
        world_init(&w);
        /* rehearsal is the first write of 4000, undo the second and third */
        w.troubles[0] = (WorldTrouble){
                .path = "net/core/somaxconn", .value = "4000", .error = EBUSY, .from = 2
        };
        w.troubles[1] = (WorldTrouble){ .path = "net/ipv4/tcp_keepalive_time",
                                        .value = "1200",
                                        .error = EIO };
        assert_int_equal(world_enable(&w, PAIR), 8);
        assert_string_equal(world_outcome(&w), "unknown");
        assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        assert_string_equal(world_live(&w, "net/ipv4/ip_local_port_range"), "32000\t60000");
        const EngineChange *change = world_change(&w, "net.core.somaxconn");
        assert_non_null(change);
        assert_string_equal(change->outcome, "stuck");

        w.troubles[0] = (WorldTrouble){
                0
        }; /* what the finding asks for: recover, until it works */
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

/* --- somebody else writes --------------------------------------------------------------------------------------- */

typedef struct Intruder {
        World *world;
        const char *trigger; /* a value of ours: when it is about to be written … */
        const char *path;    /* … this key changes */
        const char *value;
        const char *trigger_path;
        unsigned nth; /* such write */
        unsigned seen;
} Intruder;

static bool intruder_is_called(Intruder *intruder, const SeamCall *call) {
        if (call->kind != SEAM_CALL_PWRITE || !endswith(call->path, intruder->trigger_path))
                return false;
        size_t n = strlen(intruder->trigger);
        if (call->n < n || memcmp(call->bytes, intruder->trigger, n) != 0)
                return false;
        return ++intruder->seen == intruder->nth;
}

static void intruder_hook(void *userdata, const SeamCall *call) {
        Intruder *intruder = userdata;
        if (intruder_is_called(intruder, call))
                world_set_live(intruder->world, intruder->path, intruder->value);
}

/* Between rehearsal and write: refused at that key, the foreign value stays, ours are taken back. */
static void test_apply_meets_a_foreign_write(void **state UNUSED) {
        World w;
        world_init(&w);
        Intruder intruder = {
                .world = &w,
                .trigger_path = "somaxconn",
                .trigger = "8192",
                .path = "net/ipv4/tcp_keepalive_time",
                .value = "3333",
                .nth = 1,
        };
        w.fault.before = intruder_hook;
        w.fault.userdata = &intruder;
        assert_int_equal(world_enable(&w, "alpha"), 6);
        assert_int_equal(intruder.seen, 1);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "3333");
        assert_int_equal(w.result.generation, 0);
        world_deinit(&w);
}

/* Between plan and rehearsal, which would write the value of the plan over it. */
static bool opens_audit(const SeamCall *call) {
        return call->kind == SEAM_CALL_OPEN_AT && strstr(call->path, "log/twprofile/audit-");
}

static void early_hook(void *userdata, const SeamCall *call) {
        if (opens_audit(call))
                world_set_live(userdata, "net/core/somaxconn", "3333");
}

static void test_apply_rehearses_over_no_foreign_write(void **state UNUSED) {
        World w;
        world_init(&w);
        w.fault.before = early_hook;
        w.fault.userdata = &w;
        assert_int_equal(world_enable(&w, "alpha"), 4);
        assert_true(world_has_finding(&w, DIAG_REHEARSAL_FAILED));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "3333");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        world_deinit(&w);
}

/* Between the rehearsal's write and its reading back: the kernel takes the old value, so the other one is somebody's. */
typedef struct Between {
        World *world;
        bool is_written, is_done;
} Between;

static void between_hook(void *userdata, const SeamCall *call) {
        Between *between = userdata;
        if (between->is_done || !endswith(call->path, "somaxconn"))
                return;
        if (call->kind == SEAM_CALL_PWRITE)
                between->is_written = true;
        else if (between->is_written && call->kind == SEAM_CALL_PREAD) {
                world_set_live(between->world, "net/core/somaxconn", "3333");
                between->is_done = true;
        }
}

static void test_apply_rehearsal_keeps_a_foreign_value(void **state UNUSED) {
        World w;
        world_init(&w);
        Between between = { .world = &w };
        w.fault.before = between_hook;
        w.fault.userdata = &between;
        assert_int_equal(world_enable(&w, "alpha"), 4);
        assert_true(between.is_done);
        assert_true(world_has_finding(&w, DIAG_REHEARSAL_FAILED));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "3333");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        world_deinit(&w);
}

/* After our write and before the undo: three-way, the foreign value is kept and told. */
static void test_apply_undo_keeps_a_foreign_value(void **state UNUSED) {
        World w;
        world_init(&w);
        Intruder intruder = {
                .world = &w,
                .trigger_path = "tcp_keepalive_time",
                .trigger = "1200",
                .path = "net/core/somaxconn",
                .value = "3333",
                .nth = 1,
        };
        w.fault.before = intruder_hook;
        w.fault.userdata = &intruder;
        w.troubles[0] = (WorldTrouble){ .path = "net/ipv4/tcp_keepalive_time",
                                        .value = "1200",
                                        .error = EIO };
        assert_int_equal(world_enable(&w, "alpha"), 6);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "3333");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        const EngineChange *change = world_change(&w, "net.core.somaxconn");
        assert_non_null(change);
        assert_string_equal(change->outcome, "left");
        world_deinit(&w);
}

static bool reads_somaxconn(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_PREAD && strstr(call->path, "somaxconn");
}

/* Nobody knows whose a value is that cannot be read: it is tried again, and is not written over. */
static void test_apply_undo_writes_over_nothing_unread(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;
        world_set_live(&w, "net/core/somaxconn", "3333");
        seam_fault_reset(&w.fault);
        w.fault.matches = reads_somaxconn;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EIO;
        w.fault.at = 1; /* behind the look at all keys */
        w.fault.for_ever = true;
        assert_int_equal(world_revert(&w, "deadline"), 8);
        assert_true(w.fault.n_faults > 1);
        assert_string_equal(world_change(&w, "net.core.somaxconn")->outcome, "stuck");

        w.fault.at = 0;
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "3333");
        assert_int_equal(world_recover(&w), 7);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "3333");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        world_deinit(&w);
}

/* --- two keys that bound each other ------------------------------------------------------------------------------ */

static void test_apply_tries_a_bounded_pair_again(void **state UNUSED) {
        World w;
        world_init(&w);
        w.pairs_bound = true;
        world_profile(&w, "high",
                      "  net.ipv4.ip_local_port_range: [40000, 60999]\n"
                      "  net.ipv4.ip_unprivileged_port_start: 35000\n");
        world_profile(&w, "low",
                      "  net.ipv4.ip_local_port_range: [20000, 60999]\n"
                      "  net.ipv4.ip_unprivileged_port_start: 900\n");
        cleanup_free char *origin = world_view(&w);

        assert_int_equal(world_enable(&w, "high"), 0);
        assert_string_equal(world_live(&w, "net/ipv4/ip_unprivileged_port_start"), "35000");
        /* the range cannot go below 35000 before the start has gone down: only the second pass can write it */
        assert_int_equal(world_only(&w, "low"), 0);
        assert_string_equal(world_live(&w, "net/ipv4/ip_local_port_range"), "20000\t60999");
        assert_string_equal(world_live(&w, "net/ipv4/ip_unprivileged_port_start"), "900");
        assert_int_equal(world_only(&w, "high"), 0);
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

static void test_apply_undoes_a_bounded_pair(void **state UNUSED) {
        World w;
        world_init(&w);
        w.pairs_bound = true;
        world_profile(&w, "high",
                      "  net.ipv4.ip_local_port_range: [40000, 60999]\n"
                      "  net.ipv4.ip_unprivileged_port_start: 35000\n"
                      "  net.ipv4.tcp_retries2: 9\n");
        cleanup_free char *origin = world_view(&w);
        w.troubles[0] = (WorldTrouble){ .path = "net/ipv4/tcp_retries2",
                                        .value = "9",
                                        .error = EINVAL };
        assert_int_equal(world_enable(&w, "high"), 6);
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

static void test_apply_fault_names(void **state UNUSED) {
        assert_string_equal(apply_fault_name(APPLY_FAULT_NONE), "none");
        assert_string_equal(apply_fault_name(APPLY_FAULT_READ_BACK), "read-back-differs");
}

TEST_MAIN(cmocka_unit_test(test_apply_undoes_what_the_kernel_refuses),
          cmocka_unit_test(test_apply_refuses_when_rehearsal_fails),
          cmocka_unit_test(test_apply_rehearsal_that_cannot_be_mended),
          cmocka_unit_test(test_apply_refuses_a_read_only_key),
          cmocka_unit_test(test_apply_undoes_when_read_back_differs),
          cmocka_unit_test(test_apply_says_when_undo_is_stuck),
          cmocka_unit_test(test_apply_meets_a_foreign_write),
          cmocka_unit_test(test_apply_rehearses_over_no_foreign_write),
          cmocka_unit_test(test_apply_rehearsal_keeps_a_foreign_value),
          cmocka_unit_test(test_apply_undo_keeps_a_foreign_value),
          cmocka_unit_test(test_apply_undo_writes_over_nothing_unread),
          cmocka_unit_test(test_apply_tries_a_bounded_pair_again),
          cmocka_unit_test(test_apply_undoes_a_bounded_pair),
          cmocka_unit_test(test_apply_fault_names))
