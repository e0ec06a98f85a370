/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "seam/engine-world.h"
#include "test.h"

static void test_lock_excludes_and_releases(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        Error error = { 0 };
        SeamFd first = SEAM_FD_EMPTY, second = SEAM_FD_EMPTY;

        assert_int_equal(lock_take(seam_real(), scratch.fd, 0, &first, &error), 0);
        assert_int_equal(lock_take(seam_real(), scratch.fd, 20, &second, &error), -EBUSY);
        assert_string_equal(error.text, "another change is running: Device or resource busy");
        seam_fd_close(&first);
        assert_int_equal(lock_take(seam_real(), scratch.fd, 0, &second, &error), 0);
        seam_fd_close(&second);
        scratch_deinit(&scratch);
}

static void test_lock_follows_no_link(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        scratch_link(&scratch, "lock", "/dev/null");
        Error error = { 0 };
        SeamFd lock = SEAM_FD_EMPTY;
        assert_int_equal(lock_take(seam_real(), scratch.fd, 0, &lock, &error), -ELOOP);
        scratch_deinit(&scratch);
}

static void test_lock_survives_a_signal_and_not_an_error(void **state UNUSED) {
        static const struct {
                int error, want;
        } rows[] = { { EINTR, 0 }, { EWOULDBLOCK, 0 }, { ENOLCK, -ENOLCK } };
        TEST_EACH(row, rows) {
                Scratch scratch;
                scratch_init(&scratch);
                SeamFault fault;
                seam_fault_init(&fault, seam_real());
                fault.at = 2; /* open, flock */
                fault.kind = SEAM_FAULT_ERROR;
                fault.error = row->error;
                Error error = { 0 };
                SeamFd lock = SEAM_FD_EMPTY;
                assert_int_equal(lock_take(&fault.seam, scratch.fd, 50, &lock, &error), row->want);
                seam_fd_close(&lock);
                scratch_deinit(&scratch);
        }
}

static void test_lock_is_shared_by_those_who_look(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        Error error = { 0 };
        SeamFd writer = SEAM_FD_EMPTY, one = SEAM_FD_EMPTY, other = SEAM_FD_EMPTY;

        assert_int_equal(lock_share(seam_real(), scratch.fd, 0, &one, &error), 0);
        assert_int_equal(one.fd, -EBADF); /* nobody ever wrote */
        assert_false(scratch_has(&scratch, "lock"));

        assert_int_equal(lock_take(seam_real(), scratch.fd, 0, &writer, &error), 0);
        assert_int_equal(lock_share(seam_real(), scratch.fd, 20, &one, &error), -EBUSY);
        seam_fd_close(&writer);
        assert_int_equal(lock_share(seam_real(), scratch.fd, 0, &one, &error), 0);
        assert_int_equal(lock_share(seam_real(), scratch.fd, 0, &other, &error), 0);
        assert_int_equal(lock_take(seam_real(), scratch.fd, 20, &writer, &error), -EBUSY);
        seam_fd_close(&one);
        seam_fd_close(&other);
        scratch_deinit(&scratch);
}

static void test_lock_keeps_a_dry_run_waiting(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        w.engine.lock_wait_ms = 30;
        const char *names[] = { "beta" };
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .profiles = names,
                .n_profiles = 1,
                .dry_run = true,
                .via = "direct",
        };

        cleanup_close int fd = openat(w.scratch.fd, WORLD_STATE "/lock", O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        assert_int_equal(world_run(&w, &request), 4);
        assert_true(world_has_finding(&w, DIAG_BUSY));
        assert_int_equal(flock(fd, LOCK_SH), 0);
        assert_int_equal(world_run(&w, &request), 0);
        assert_string_equal(world_outcome(&w), "planned");
        world_deinit(&w);
}

static void test_lock_busy_refuses_a_request(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_free char *view = world_view(&w);
        w.engine.lock_wait_ms = 30;

        cleanup_close int fd = openat(w.scratch.fd, WORLD_STATE "/lock", O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        assert_int_equal(world_disable(&w, "alpha"), 4);
        assert_true(world_has_finding(&w, DIAG_BUSY));
        assert_string_equal(world_outcome(&w), "refused");
        assert_true(world_view_is(&w, view));

        assert_int_equal(flock(fd, LOCK_UN), 0);
        assert_int_equal(world_disable(&w, "alpha"), 0);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_lock_excludes_and_releases),
          cmocka_unit_test(test_lock_follows_no_link),
          cmocka_unit_test(test_lock_survives_a_signal_and_not_an_error),
          cmocka_unit_test(test_lock_is_shared_by_those_who_look),
          cmocka_unit_test(test_lock_keeps_a_dry_run_waiting),
          cmocka_unit_test(test_lock_busy_refuses_a_request))
