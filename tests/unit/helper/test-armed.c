/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/armed.h"

#include <sys/wait.h>

#include "scratch-run.h"

#define TX    "0b0e4c9e-0000-4000-8000-000000000001"
#define OTHER "0b0e4c9e-0000-4000-8000-000000000002"

static int wait_for(const ScratchRun *scratch, const char *tx, int timeout_ms, Error *error) {
        ArmedWait wait = { .root_fd = scratch->root_fd, .timeout_ms = timeout_ms };
        return armed_wait(&wait, tx, error);
}

/* The guard: announces one id after the other and holds the lock until the pipe ends. */
static void be_guard(const ScratchRun *scratch, const char *const *ids, int end) {
        Armed armed = ARMED_EMPTY;
        int r = armed_open(scratch->run_fd, &armed, NULL);
        for (; r >= 0 && *ids; ids++)
                r = armed_announce(&armed, *ids, NULL);
        char byte;
        (void) !read(end, &byte, 1);
        _exit(r < 0 ? 1 : 0);
}

static void test_wait_for_a_guard(void **state) {
        (void) state;
        ScratchRun scratch;
        scratch_run_open(&scratch);
        int end[2];
        assert_int_equal(pipe2(end, O_CLOEXEC), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) close(end[1]);
                be_guard(&scratch, (const char *const[]){ OTHER, TX, NULL }, end[0]);
        }
        Error error = {};
        assert_int_equal(wait_for(&scratch, TX, 5000, &error), 0);
        /* it watches something else */
        assert_int_equal(wait_for(&scratch, OTHER, 30, &error), -ETIMEDOUT);
        assert_non_null(strstr(error.text, "30 ms"));

        int status;
        (void) close(end[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        /* the file of a dead guard does not lie */
        assert_true(scratch_run_has(&scratch, "armed"));
        assert_int_equal(wait_for(&scratch, TX, 30, NULL), -ETIMEDOUT);
        (void) close(end[0]);
        scratch_run_close(&scratch);
}

static void test_wait_trusts_nobody(void **state) {
        (void) state;
        static const struct {
                mode_t mode;
                const char *text;
                int want;
        } rows[] = {
                { 0600, TX "\n", -ETIMEDOUT }, /* no lock */
                { 0600, "", -ETIMEDOUT },
                { 0600, "something that is longer than an id can be, and no id either\n",
                  -ETIMEDOUT },
                { 0644, TX "\n", -EPERM },
                { 0620, TX "\n", -EPERM },
        };
        TEST_EACH(row, rows) {
                ScratchRun scratch;
                scratch_run_open(&scratch);
                scratch_run_write(&scratch, "armed", row->mode, row->text);
                assert_int_equal(wait_for(&scratch, TX, 20, NULL), row->want);
                scratch_run_close(&scratch);
        }
        ScratchRun scratch;
        scratch_run_open(&scratch);
        assert_int_equal(symlinkat("/dev/null", scratch.run_fd, "armed"), 0);
        assert_int_equal(wait_for(&scratch, TX, 20, NULL), -ELOOP);
        Armed armed = ARMED_EMPTY;
        assert_int_equal(armed_open(scratch.run_fd, &armed, NULL), -ELOOP);
        scratch_run_close(&scratch);

        ArmedWait nowhere = { .root_fd = -1 };
        assert_true(armed_wait(&nowhere, TX, NULL) < 0);
}

/* Another guard holds it: no second one says that it does. */
static void test_announce_only_with_the_lock(void **state) {
        (void) state;
        ScratchRun scratch;
        scratch_run_open(&scratch);
        int end[2];
        assert_int_equal(pipe2(end, O_CLOEXEC), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) close(end[1]);
                be_guard(&scratch, (const char *const[]){ OTHER, NULL }, end[0]);
        }
        assert_int_equal(wait_for(&scratch, OTHER, 5000, NULL), 0);
        CLEANUP(armed_close) Armed armed = ARMED_EMPTY;
        assert_int_equal(armed_open(scratch.run_fd, &armed, NULL), 0);
        assert_int_equal(armed_announce(&armed, TX, NULL), -EAGAIN);
        assert_false(armed.is_locked);
        assert_int_equal(wait_for(&scratch, OTHER, 5000, NULL), 0);

        (void) close(end[1]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(armed_announce(&armed, TX, NULL), 0);
        assert_true(armed.is_locked);
        assert_int_equal(armed_announce(&armed, OTHER, NULL), 0);
        (void) close(end[0]);
        scratch_run_close(&scratch);
}

TEST_MAIN(cmocka_unit_test(test_wait_for_a_guard), cmocka_unit_test(test_wait_trusts_nobody),
          cmocka_unit_test(test_announce_only_with_the_lock))
