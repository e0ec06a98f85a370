/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/change-record.h"

#include "audit-check.h"
#include "record/journal-format.h"
#include "seam/engine-world.h"
#include "test.h"

static size_t frames(World *w, Arena *arena, JournalScan *ret) {
        size_t n;
        cleanup_free char *bytes = scratch_read(&w->scratch, WORLD_JOURNAL, &n);
        assert_int_equal(journal_scan(bytes, n, arena, ret), 0);
        return ret->n_frames;
}

static void test_change_record_order_of_frames(void **state UNUSED) {
        World w;
        world_init(&w);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalScan scan;

        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(frames(&w, arena, &scan), 3);
        assert_int_equal(scan.frames[0].type, JOURNAL_PREPARED);
        assert_int_equal(scan.frames[1].type, JOURNAL_COMMIT);
        assert_int_equal(scan.frames[2].type, JOURNAL_DONE);

        assert_int_equal(world_try(&w, "beta", 60), 0);
        assert_int_equal(frames(&w, arena, &scan), 5);
        assert_int_equal(scan.frames[4].type, JOURNAL_APPLIED);
        assert_int_equal(world_rollback(&w, NULL), 0);
        assert_int_equal(frames(&w, arena, &scan), 7);
        assert_int_equal(scan.frames[5].type, JOURNAL_REVERT);
        assert_int_equal(scan.frames[6].type, JOURNAL_DONE);
        world_deinit(&w);
}

static void test_change_record_intent_comes_first(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_write(&w.scratch, "var/log/twprofile", "in the way\n");
        uint64_t n_writes = w.kernel.n_writes;
        assert_int_equal(world_enable(&w, "alpha"), 2);
        assert_true(world_has_finding(&w, DIAG_AUDIT_UNWRITABLE));
        assert_int_equal(w.kernel.n_writes, n_writes);
        world_deinit(&w);
}

static void test_change_record_undone_leads_nowhere(void **state UNUSED) {
        World w;
        world_init(&w);
        w.troubles[0] = (WorldTrouble){ .path = "net/ipv4/tcp_keepalive_time",
                                        .value = "1200",
                                        .error = EIO };
        assert_int_equal(world_enable(&w, "alpha"), 6);
        assert_string_equal(world_outcome(&w), "undone");
        assert_int_equal(check_count(&w, "\"ev\":\"intent\",\"gen\":{\"from\":0,\"to\":1}"), 1);
        assert_int_equal(check_count(&w, "\"ev\":\"outcome\",\"gen\":{\"from\":0,\"to\":0}"), 1);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_change_record_order_of_frames),
          cmocka_unit_test(test_change_record_intent_comes_first),
          cmocka_unit_test(test_change_record_undone_leads_nowhere))
