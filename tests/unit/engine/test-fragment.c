/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/fragment.h"

#include <sys/stat.h>
#include <unistd.h>

#include "seam/engine-world.h"
#include "test.h"

static int read_fragment(World *w, PlanFragment *ret) {
        return fragment_read(w->engine.seam, w->engine.root_fd, ret, &w->error);
}

static void test_fragment_read(void **state UNUSED) {
        World w;
        world_init(&w);
        PlanFragment found;
        assert_int_equal(read_fragment(&w, &found), 0);
        assert_false(found.exists);

        scratch_write(&w.scratch, WORLD_FRAGMENT, "abc");
        assert_int_equal(read_fragment(&w, &found), 0);
        assert_true(found.exists);
        Sha256 want = sha256_of("abc", 3);
        assert_true(sha256_equal(&found.digest, &want));

        w.fault.at = w.fault.n_calls + 1;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EIO;
        assert_int_equal(read_fragment(&w, &found), -EIO);
        world_deinit(&w);
}

/* A link, a directory, a giant, a pipe: something is there, and it is not what we wrote. */
static void test_fragment_read_strangers(void **state UNUSED) {
        World w;
        world_init(&w);
        PlanFragment found;
        Sha256 nothing = { 0 };

        scratch_link(&w.scratch, WORLD_FRAGMENT, "/dev/zero");
        assert_int_equal(read_fragment(&w, &found), 0);
        assert_true(found.exists && sha256_equal(&found.digest, &nothing));
        scratch_remove(&w.scratch, WORLD_FRAGMENT);

        scratch_mkdir(&w.scratch, WORLD_FRAGMENT);
        assert_int_equal(read_fragment(&w, &found), 0);
        assert_true(found.exists);
        scratch_remove(&w.scratch, WORLD_FRAGMENT);

        assert_int_equal(mkfifoat(w.scratch.fd, WORLD_FRAGMENT, 0644), 0);
        assert_int_equal(read_fragment(&w, &found), 0);
        assert_true(found.exists);
        scratch_remove(&w.scratch, WORLD_FRAGMENT);

        scratch_write(&w.scratch, WORLD_FRAGMENT, "");
        char path[128];
        (void) snprintf(path, sizeof(path), "%s/" WORLD_FRAGMENT, w.scratch.path);
        assert_int_equal(truncate(path, (off_t) FRAGMENT_MAX_BYTES + 1), 0);
        assert_int_equal(read_fragment(&w, &found), 0);
        assert_true(found.exists);
        world_deinit(&w);
}

static void test_fragment_prepare_and_install(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_remove(&w.scratch, "etc/sysctl.d"); /* a system without one gets one */
        Fragment fragment = { .dir = SEAM_FD_EMPTY };
        assert_int_equal(
                        fragment_prepare(
                                        w.engine.seam, w.engine.root_fd, "a = 1\n", 6, &fragment,
                                        &w.error),
                        0);
        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
        assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ".60-twprofile."), 1);
        assert_int_equal(fragment_install(&fragment, &w.error), 0);
        fragment_deinit(&fragment);
        cleanup_free char *text = scratch_read(&w.scratch, WORLD_FRAGMENT, NULL);
        assert_string_equal(text, "a = 1\n");

        assert_int_equal(
                        fragment_prepare(
                                        w.engine.seam, w.engine.root_fd, NULL, 0, &fragment,
                                        &w.error),
                        0);
        assert_int_equal(fragment_install(&fragment, &w.error), 0);
        fragment_deinit(&fragment);
        assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ""), 0);
        world_deinit(&w);
}

static void test_fragment_deinit_takes_the_temporary_file_away(void **state UNUSED) {
        World w;
        world_init(&w);
        Fragment fragment = { .dir = SEAM_FD_EMPTY };
        assert_int_equal(
                        fragment_prepare(
                                        w.engine.seam, w.engine.root_fd, "a = 1\n", 6, &fragment,
                                        &w.error),
                        0);
        fragment_deinit(&fragment);
        assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ""), 0);
        world_deinit(&w);
}

static void test_fragment_sweep_takes_only_ours(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_write(&w.scratch, "etc/sysctl.d/.60-twprofile.0badcafe", "x");
        scratch_write(&w.scratch, "etc/sysctl.d/.99-other.0badcafe", "x");
        scratch_write(&w.scratch, WORLD_FRAGMENT, "x");
        fragment_sweep(w.engine.seam, w.engine.root_fd);
        assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ""), 2);
        assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ".60-"), 0);
        scratch_remove(&w.scratch, "etc/sysctl.d");
        fragment_sweep(w.engine.seam, w.engine.root_fd); /* nothing there: nothing to do */
        world_deinit(&w);
}

static bool flushes_dir(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_FSYNC && endswith(call->path, "etc/sysctl.d");
}

static void test_fragment_flush(void **state UNUSED) {
        World w;
        world_init(&w);
        Error error = { 0 };
        w.fault.matches = flushes_dir;
        assert_int_equal(fragment_flush(w.engine.seam, w.engine.root_fd, &error), 0);
        assert_int_equal(w.fault.n_calls, 1);
        w.fault.at = 2;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EIO;
        assert_int_equal(fragment_flush(w.engine.seam, w.engine.root_fd, &error), -EIO);
        scratch_remove(&w.scratch, "etc/sysctl.d");
        assert_int_equal(fragment_flush(w.engine.seam, w.engine.root_fd, &error), 0);
        world_deinit(&w);
}

/* /etc is read-only: refused before the first live write. */
static bool opens_fragment(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_OPEN_AT && strstr(call->path, "/.60-twprofile.") != NULL;
}

static void test_fragment_read_only_etc_refuses(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        w.fault.matches = opens_fragment;
        w.fault.at = 1;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EROFS;
        assert_int_equal(world_enable(&w, "alpha"), 2);
        assert_true(world_has_finding(&w, DIAG_FRAGMENT_UNWRITABLE));
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_fragment_read), cmocka_unit_test(test_fragment_read_strangers),
          cmocka_unit_test(test_fragment_prepare_and_install),
          cmocka_unit_test(test_fragment_deinit_takes_the_temporary_file_away),
          cmocka_unit_test(test_fragment_sweep_takes_only_ours),
          cmocka_unit_test(test_fragment_flush),
          cmocka_unit_test(test_fragment_read_only_etc_refuses))
