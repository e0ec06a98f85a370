/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/posix-lock.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

static const char example[] = "1: FLOCK  ADVISORY  WRITE 71 00:19:40 0 EOF\n"
                              "2: POSIX  ADVISORY  WRITE 72 00:19:41 0 EOF\n"
                              "2: -> POSIX  ADVISORY  WRITE 73 00:19:42 0 EOF\n"
                              "3: POSIX  ADVISORY  READ  74 00:19:43 0 EOF\n"
                              "4: POSIX  ADVISORY  WRITE 75 fe:01:123456789012 0 EOF";

static void test_is_listed_table(void **state) {
        (void) state;
        static const struct {
                unsigned major, minor;
                ino_t inode;
                bool listed;
        } rows[] = {
                { 0, 0x19, 40, false }, /* another kind of lock */
                { 0, 0x19, 41, true },           { 0, 0x19, 4, false },
                { 0, 0x1a, 41, false },          { 0, 0x19, 42, false }, /* waits for it */
                { 0, 0x19, 43, false }, /* shared: anybody can take that */
                { 0xfe, 1, 123456789012, true },
        };
        TEST_EACH(row, rows)
                assert_int_equal(
                                posix_lock_is_listed(
                                                example, makedev(row->major, row->minor),
                                                row->inode),
                                row->listed);
        assert_false(posix_lock_is_listed("", 0, 0));
}

typedef struct Pipes {
        int ready[2], end[2];
} Pipes;

/* Holds the lock until the other end of a pipe is closed. */
static void hold(const char *path, const Pipes *pipes) {
        (void) close(pipes->end[1]);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        char ok = fd >= 0 && posix_lock_take(fd) == 0 ? 'y' : 'n', end;
        (void) !write(pipes->ready[1], &ok, 1);
        (void) !read(pipes->end[0], &end, 1);
        _exit(0);
}

static void test_take_and_ask(void **state) {
        (void) state;
        char path[] = "/tmp/posix-lock.XXXXXX";
        cleanup_close int fd = mkostemp(path, O_CLOEXEC);
        assert_true(fd >= 0);
        cleanup_close int reader = open(path, O_RDONLY | O_CLOEXEC);
        pid_t holder = 0;
        assert_int_equal(posix_lock_find_holder(reader, &holder), 0);

        Pipes pipes;
        assert_int_equal(pipe2(pipes.ready, O_CLOEXEC), 0);
        assert_int_equal(pipe2(pipes.end, O_CLOEXEC), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                hold(path, &pipes);
        char ok = 0;
        assert_int_equal(read(pipes.ready[0], &ok, 1), 1);
        assert_int_equal(ok, 'y');

        assert_int_equal(posix_lock_find_holder(reader, &holder), 1);
        assert_int_equal(holder, pid);
        assert_int_equal(posix_lock_take(fd), -EAGAIN);

        /* it dies with its holder */
        (void) close(pipes.end[1]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(posix_lock_find_holder(reader, &holder), 0);
        assert_int_equal(posix_lock_take(fd), 0);
        assert_int_equal(posix_lock_take(fd), 0);
        assert_int_equal(unlink(path), 0);
        (void) close(pipes.end[0]);
        (void) close(pipes.ready[0]);
        (void) close(pipes.ready[1]);
}

static void test_bad_fd(void **state) {
        (void) state;
        pid_t holder;
        assert_int_equal(posix_lock_take(-1), -EBADF);
        assert_int_equal(posix_lock_find_holder(-1, &holder), -EBADF);
}

TEST_MAIN(cmocka_unit_test(test_is_listed_table), cmocka_unit_test(test_take_and_ask),
          cmocka_unit_test(test_bad_fd))
