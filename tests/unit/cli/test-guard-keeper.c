/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/guard-keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

#define WAIT_MS 10000

/* Stands for the helper: says what it was asked, and lets the change be decided. */
static void write_helper(const char *path, const char *dir) {
        cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
        char text[512];
        int n = snprintf(
                        text, sizeof(text),
                        "#!/bin/sh\nrm %s/pending\necho \"$1 $#\" >%s/new\nmv %s/new %s/started\n",
                        dir, dir, dir, dir);
        assert_int_equal(write(fd, text, (size_t) n), n);
}

static void touch(int dir_fd, const char *name) {
        cleanup_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
}

static bool wait_for_file(int dir_fd, const char *name) {
        for (int waited = 0; waited < WAIT_MS; waited += 5) {
                if (faccessat(dir_fd, name, F_OK, 0) == 0)
                        return true;
                (void) poll(NULL, 0, 5);
        }
        return false;
}

static void test_start_whenever_a_change_awaits(void **state) {
        (void) state;
        char dir[] = "/tmp/guard-keeper.XXXXXX", helper[64];
        assert_non_null(mkdtemp(dir));
        (void) snprintf(helper, sizeof(helper), "%s/helper", dir);
        write_helper(helper, dir);
        int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        /* it ends with this process */
        assert_int_equal(guard_keeper_start(dir, helper, NULL), 0);
        for (int i = 0; i < 2; i++) {
                touch(dir_fd, "pending");
                assert_true(wait_for_file(dir_fd, "started"));
                char text[16] = "";
                cleanup_close int fd = openat(dir_fd, "started", O_RDONLY | O_CLOEXEC);
                assert_true(read(fd, text, sizeof(text) - 1) > 0);
                assert_string_equal(text, "guard 1\n");
                assert_true(faccessat(dir_fd, "pending", F_OK, 0) < 0);
                assert_int_equal(unlinkat(dir_fd, "started", 0), 0);
        }
        assert_int_equal(unlinkat(dir_fd, "helper", 0), 0);
        (void) close(dir_fd);
        assert_int_equal(rmdir(dir), 0);
}

static void test_start_without_a_directory(void **state) {
        (void) state;
        Error error = {};
        assert_int_equal(guard_keeper_start("/nonexistent/run", "/bin/true", &error), -ENOENT);
        assert_non_null(strstr(error.text, "/nonexistent/run"));
}

TEST_MAIN(cmocka_unit_test(test_start_whenever_a_change_awaits),
          cmocka_unit_test(test_start_without_a_directory))
