/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/guard-state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/posix-lock.h"
#include "test.h"

#define TX    "0b0e4c9e-0000-4000-8000-000000000001"
#define OTHER "0b0e4c9e-0000-4000-8000-000000000002"

static void make_tree(char *path, int *ret_fd) {
        assert_non_null(mkdtemp(path));
        *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(*ret_fd, "run", 0755), 0);
        assert_int_equal(mkdirat(*ret_fd, "run/twprofile", 0755), 0);
}

static void remove_tree(const char *path, int fd) {
        (void) unlinkat(fd, "run/twprofile/armed", 0);
        assert_int_equal(unlinkat(fd, "run/twprofile", AT_REMOVEDIR), 0);
        assert_int_equal(unlinkat(fd, "run", AT_REMOVEDIR), 0);
        (void) close(fd);
        assert_int_equal(rmdir(path), 0);
}

static void write_armed(int root_fd, const char *tx) {
        cleanup_close int fd = openat(
                        root_fd, "run/twprofile/armed", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                        0600);
        assert_int_equal(write(fd, tx, strlen(tx)), (ssize_t) strlen(tx));
        assert_int_equal(write(fd, "\n", 1), 1);
}

/* A process that holds the lock until the pipe ends. */
static pid_t start_guard(int root_fd, const int end[2]) {
        int ready[2];
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) close(end[1]);
                int fd = openat(root_fd, "run/twprofile/armed", O_RDWR | O_CLOEXEC);
                char byte = fd >= 0 && posix_lock_take(fd) == 0 ? 'y' : 'n';
                (void) !write(ready[1], &byte, 1);
                (void) !read(end[0], &byte, 1);
                _exit(0);
        }
        char byte = 0;
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(byte, 'y');
        (void) close(ready[0]);
        (void) close(ready[1]);
        return pid;
}

static void test_read(void **state) {
        (void) state;
        char path[] = "/tmp/guard-state.XXXXXX";
        int root_fd = -1, end[2];
        make_tree(path, &root_fd);
        assert_int_equal(guard_state_read(root_fd, TX), GUARD_STATE_ABSENT);
        write_armed(root_fd, TX);
        assert_int_equal(guard_state_read(root_fd, TX), GUARD_STATE_ABSENT);

        assert_int_equal(pipe2(end, O_CLOEXEC), 0);
        pid_t pid = start_guard(root_fd, end);
        assert_int_equal(guard_state_read(root_fd, TX), GUARD_STATE_ALIVE);
        assert_int_equal(guard_state_read(root_fd, OTHER), GUARD_STATE_ABSENT);
        (void) close(end[1]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(guard_state_read(root_fd, TX), GUARD_STATE_ABSENT);
        (void) close(end[0]);

        assert_int_equal(unlinkat(root_fd, "run/twprofile/armed", 0), 0);
        assert_int_equal(symlinkat("/dev/null", root_fd, "run/twprofile/armed"), 0);
        assert_int_equal(guard_state_read(root_fd, TX), GUARD_STATE_UNKNOWN);
        remove_tree(path, root_fd);
}

static void test_name(void **state) {
        (void) state;
        assert_string_equal(guard_state_name(GUARD_STATE_ALIVE), "alive");
        assert_string_equal(guard_state_name(GUARD_STATE_ABSENT), "absent");
        assert_string_equal(guard_state_name(GUARD_STATE_UNKNOWN), "unknown");
}

TEST_MAIN(cmocka_unit_test(test_read), cmocka_unit_test(test_name))
