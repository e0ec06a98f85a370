/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/install.h"

#include "seam/engine-world.h"
#include "test.h"

static int recover_keep(World *w) {
        EngineRequest request = {
                .verb = ENGINE_RECOVER, .choice = "keep", .reason = "disk", .via = "socket"
        };
        return world_run(w, &request);
}

/* By the way that leads to it with everything missing: a generation that somebody decided for. */
static void test_install_puts_fragment_and_marker_right(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *fragment = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        size_t n;
        cleanup_free char *bytes = scratch_read(&w.scratch, WORLD_JOURNAL, &n);
        bytes[130] ^= 1;
        scratch_write_bytes(&w.scratch, WORLD_JOURNAL, bytes, n);
        scratch_remove(&w.scratch, WORLD_FRAGMENT);
        scratch_remove(&w.scratch, WORLD_STATE "/enabled");

        assert_int_equal(recover_keep(&w), 0);
        cleanup_free char *again = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_string_equal(again, fragment);
        assert_true(scratch_has(&w.scratch, WORLD_STATE "/enabled"));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_install_puts_fragment_and_marker_right))
