/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/restore.h"

#include "seam/engine-world.h"
#include "test.h"

typedef struct Bench {
        World w;
        Session session;
} Bench;

static void bench_init(Bench *b) {
        world_init(&b->w);
        b->w.result = (EngineResult){ .arena = arena_new(), .findings = diag_list_new() };
        b->session = (Session){
                .engine = &b->w.engine,
                .result = &b->w.result,
                .arena = b->w.result.arena,
        };
}

static const JournalKey keys[] = {
        { "net.core.somaxconn", "4000", "8192" },
        { "net.ipv4.tcp_keepalive_time", "7100", "1200" },
        { "net.ipv4.tcp_keepalive_intvl", "74", "30" },
};

static void test_restore_is_three_way(void **state UNUSED) {
        Bench b;
        bench_init(&b);
        world_set_live(&b.w, "net/core/somaxconn", "8192");
        world_set_live(&b.w, "net/ipv4/tcp_keepalive_time", "999");

        CLEANUP(restore_close) Restore restore = { 0 };
        assert_int_equal(restore_undo(&b.session, keys, 3, &restore, &b.w.error), 0);
        assert_int_equal(restore_report(&restore), 0);
        assert_int_equal(restore.n_kept, 1);
        assert_int_equal(restore.n_stuck, 0);
        assert_string_equal(world_live(&b.w, "net/core/somaxconn"), "4000");
        assert_string_equal(world_change(&b.w, "net.core.somaxconn")->outcome, "undone");
        assert_string_equal(world_change(&b.w, "net.ipv4.tcp_keepalive_time")->outcome, "left");
        assert_string_equal(world_change(&b.w, "net.ipv4.tcp_keepalive_intvl")->outcome, "undone");
        assert_true(world_has_finding(&b.w, DIAG_FOREIGN_VALUE_KEPT));
        restore_close(&restore);
        world_deinit(&b.w);
}

static void test_restore_vanished_and_stuck(void **state UNUSED) {
        Bench b;
        bench_init(&b);
        scratch_remove(&b.w.scratch, "proc/sys/net/core/somaxconn");
        world_set_live(&b.w, "net/ipv4/tcp_keepalive_time", "1200");
        b.w.troubles[0] = (WorldTrouble){ .path = "net/ipv4/tcp_keepalive_time", .error = EPERM };

        CLEANUP(restore_close) Restore restore = { 0 };
        assert_int_equal(restore_undo(&b.session, keys, 3, &restore, &b.w.error), 0);
        assert_int_equal(restore_report(&restore), 0);
        assert_int_equal(restore.n_stuck, 1);
        assert_string_equal(world_change(&b.w, "net.core.somaxconn")->outcome, "gone");
        assert_string_equal(world_change(&b.w, "net.ipv4.tcp_keepalive_time")->outcome, "stuck");
        assert_true(world_has_finding(&b.w, DIAG_STATE_UNKNOWN));
        restore_close(&restore);
        world_deinit(&b.w);
}

static void test_restore_unknown_key_is_an_error(void **state UNUSED) {
        Bench b;
        bench_init(&b);
        static const JournalKey unknown[] = { { "net.made.up", "1", "2" } };
        static const JournalKey bad[] = { { "net.core.somaxconn", "many", "8192" } };
        CLEANUP(restore_close) Restore restore = { 0 };
        assert_int_equal(restore_undo(&b.session, unknown, 1, &restore, &b.w.error), -ENOKEY);
        assert_int_equal(restore_undo(&b.session, bad, 1, &restore, &b.w.error), -EINVAL);
        static const JournalKey first[] = { { "net.made.up", "1", "2" },
                                            { "net.core.somaxconn", "4000", "8192" } };
        world_set_live(&b.w, "net/core/somaxconn", "8192");
        assert_int_equal(restore_undo(&b.session, first, 2, &restore, &b.w.error), -ENOKEY);
        assert_string_equal(world_live(&b.w, "net/core/somaxconn"), "8192");
        world_deinit(&b.w);
}

TEST_MAIN(cmocka_unit_test(test_restore_is_three_way),
          cmocka_unit_test(test_restore_vanished_and_stuck),
          cmocka_unit_test(test_restore_unknown_key_is_an_error))
