/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/generation-store.h"

#include <fcntl.h>

#include "seam/engine-world.h"
#include "test.h"

#define GENERATIONS WORLD_STATE "/generations"

static int open_state(const World *w) {
        int fd = openat(w->scratch.fd, WORLD_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

static Generation *load(World *w, int state, uint64_t number, int want) {
        Generation *generation = NULL;
        assert_int_equal(
                        generation_store_load(
                                        w->engine.seam, state, number, &generation, &w->error),
                        want);
        assert_true((want == 0) == (generation != NULL));
        return generation;
}

static void test_generation_store_load(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_close int dir = open_state(&w);
        CLEANUP(generation_freep) Generation *one = load(&w, dir, 1, 0);
        assert_int_equal(one->number, 1);
        assert_int_equal(one->n_keys, 2);
        assert_string_equal(one->profiles[0].name, "alpha");
        (void) load(&w, dir, 2, -ENOENT);
        assert_true(generation_store_has(w.engine.seam, dir, 1));
        assert_false(generation_store_has(w.engine.seam, dir, 2));

        cleanup_free char *text = scratch_read(&w.scratch, GENERATIONS "/1.json", NULL);
        scratch_write(&w.scratch, GENERATIONS "/2.json", text); /* says 1 inside */
        (void) load(&w, dir, 2, -EBADMSG);
        assert_non_null(strstr(w.error.text, "the file says 1"));
        scratch_write(&w.scratch, GENERATIONS "/3.json", "{\"v\":1}");
        (void) load(&w, dir, 3, -EBADMSG);
        scratch_link(&w.scratch, GENERATIONS "/4.json", "1.json");
        (void) load(&w, dir, 4, -ELOOP);
        world_deinit(&w);
}

static void test_generation_store_find_highest(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_mkdir(&w.scratch, WORLD_STATE);
        cleanup_close int dir = open_state(&w);
        uint64_t highest = 77;
        const Seam *seam = w.engine.seam;
        assert_int_equal(generation_store_find_highest(seam, dir, &highest, &w.error), 0);
        assert_int_equal(highest, 0);

        static const char *const names[] = {
                "3.json",   "12.json",
                "9.json",   "012.json",
                "99.jso",   "x.json",
                ".55.json", "44.json.tmp",
                "0.json",   "123456789012345678901234567890123456789.json"
        };
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char path[128];
                (void) snprintf(path, sizeof(path), GENERATIONS "/%s", names[i]);
                scratch_write(&w.scratch, path, "");
        }
        assert_int_equal(generation_store_find_highest(seam, dir, &highest, &w.error), 0);
        assert_int_equal(highest, 12);

        w.fault.at = w.fault.n_calls + 2;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EIO;
        assert_int_equal(generation_store_find_highest(seam, dir, &highest, &w.error), -EIO);
        world_deinit(&w);
}

static void test_generation_store_checkpoint_flushes_each(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_close int dir = open_state(&w);
        scratch_write(&w.scratch, GENERATIONS "/notes", "");
        seam_fault_reset(&w.fault);
        assert_int_equal(generation_store_checkpoint(w.engine.seam, dir, &w.error), 0);
        assert_int_equal(w.fault.n_kind[SEAM_CALL_FSYNC], 3); /* two files, the directory */

        uint64_t n_calls = w.fault.n_calls;
        unsigned n_failed = 0;
        for (uint64_t at = 1; at <= n_calls; at++) {
                seam_fault_reset(&w.fault);
                w.fault.at = at;
                w.fault.kind = SEAM_FAULT_ERROR;
                w.fault.error = EIO;
                n_failed += generation_store_checkpoint(w.engine.seam, dir, &w.error) == -EIO;
        }
        assert_int_equal(n_failed, 1 + 1 + 2 * 2 + 1); /* all but close() */
        world_deinit(&w);
}

static void test_generation_store_prunes_the_oldest(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_close int dir = open_state(&w);
        CLEANUP(generation_freep) Generation *one = load(&w, dir, 1, 0);
        one->number = GENERATION_STORE_MAX + 1;
        assert_int_equal(generation_store_save(w.engine.seam, dir, one, &w.error), 0);
        assert_false(generation_store_has(w.engine.seam, dir, 1));
        assert_true(generation_store_has(w.engine.seam, dir, GENERATION_STORE_MAX + 1));
        cleanup_free char *enabled = scratch_read(&w.scratch, WORLD_STATE "/enabled", NULL);
        assert_string_equal(enabled, "501\n");
        world_deinit(&w);
}

static void test_generation_store_corrupt_target_refuses_a_rollback(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *view = world_view(&w);
        scratch_write(&w.scratch, GENERATIONS "/1.json", "{}");
        int code = world_rollback(&w, "1");
        assert_true(code == 2 || code == 8);
        assert_true(world_has_finding(&w, DIAG_GENERATION_CORRUPT));
        assert_true(world_view_is(&w, view));
        world_deinit(&w);
}

/* Without a journal the newest file says what is enabled; a bad one is never guessed around. */
static void test_generation_store_without_a_journal(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_remove(&w.scratch, WORLD_JOURNAL);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_string_equal(world_outcome(&w), "unchanged");

        scratch_write(&w.scratch, GENERATIONS "/1.json", "{}");
        cleanup_free char *view = world_view(&w);
        assert_int_not_equal(world_disable(&w, "alpha"), 0);
        assert_true(world_has_finding(&w, DIAG_GENERATION_CORRUPT));
        assert_string_equal(world_outcome(&w), "unknown");
        assert_true(world_view_is(&w, view));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_generation_store_load),
          cmocka_unit_test(test_generation_store_find_highest),
          cmocka_unit_test(test_generation_store_checkpoint_flushes_each),
          cmocka_unit_test(test_generation_store_prunes_the_oldest),
          cmocka_unit_test(test_generation_store_corrupt_target_refuses_a_rollback),
          cmocka_unit_test(test_generation_store_without_a_journal))
