/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/pending-file.h"

#include "seam/engine-world.h"
#include "test.h"

static const JournalKey keys[] = { { "net.core.somaxconn", "4000", "8192" } };

static Pending sample(const World *w) {
        return (Pending){
                .tx = "0f2c5a1e-7b1d-4c8e-9a54-3f0b6d2e8c11",
                .deadline_ms = 60000,
                .instance = w->engine.instance,
                .keys = keys,
                .n_keys = 1,
        };
}

static void test_pending_file_there_and_back(void **state UNUSED) {
        World w;
        world_init(&w);
        const Seam *seam = w.engine.seam;
        int root = w.engine.root_fd;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Pending pending = sample(&w), got;

        assert_false(pending_file_exists(seam, root));
        assert_int_equal(pending_file_read(seam, root, arena, &got, &w.error), -ENOENT);
        assert_int_equal(pending_file_write(seam, root, &pending, &w.error), 0);
        assert_true(pending_file_exists(seam, root));
        assert_int_equal(pending_file_read(seam, root, arena, &got, &w.error), 0);
        assert_string_equal(got.keys[0].want, "8192");
        pending_file_remove(seam, root);
        pending_file_remove(seam, root);
        assert_false(scratch_has(&w.scratch, WORLD_PENDING));
        world_deinit(&w);
}

static void test_pending_file_is_whole_or_not_there(void **state UNUSED) {
        for (uint64_t at = 1;; at++) {
                World w;
                world_init(&w);
                Pending pending = sample(&w);
                w.fault.at = at;
                w.fault.kind = SEAM_FAULT_ERROR;
                w.fault.error = ENOSPC;
                int r = pending_file_write(w.engine.seam, w.engine.root_fd, &pending, &w.error);
                bool over = w.fault.n_faults == 0;
                assert_true(r == 0 || !scratch_has(&w.scratch, WORLD_PENDING));
                world_deinit(&w);
                if (over)
                        break;
        }
}

static void test_pending_file_follows_no_link(void **state UNUSED) {
        World w;
        world_init(&w);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Pending got;
        scratch_mkdir(&w.scratch, "run/twprofile");
        scratch_link(&w.scratch, WORLD_PENDING, "/etc/passwd");
        assert_int_equal(
                        pending_file_read(w.engine.seam, w.engine.root_fd, arena, &got, &w.error),
                        -ELOOP);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_pending_file_there_and_back),
          cmocka_unit_test(test_pending_file_is_whole_or_not_there),
          cmocka_unit_test(test_pending_file_follows_no_link))
