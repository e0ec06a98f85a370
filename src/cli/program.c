/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

static int64_t now_ms(void) {
        struct timespec now;
        if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
                return 0; /* cannot happen: the clock is there since Linux 2.6 */
        return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Null for input and errors, the pipe for output. posix_spawn() reports a program that is not there. */
static int spawn(const char *const *argv, int output_fd, pid_t *ret) {
        static char *const environment[] = { (char *) "LC_ALL=C", (char *) "TZ=UTC", NULL };
        posix_spawn_file_actions_t actions;
        int r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(
                                &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn(ret, argv[0], &actions, NULL, (char *const *) argv, environment);
        (void) posix_spawn_file_actions_destroy(&actions); /* frees memory, no more */
        return -r;
}

/* 0 at the end of the output. */
static int read_all(int fd, size_t limit, unsigned timeout_ms, StrBuf *out) {
        int64_t deadline = now_ms() + timeout_ms;
        size_t begin = out->length;
        char buffer[16384];
        for (;;) {
                int64_t left = deadline - now_ms();
                struct pollfd wait = { .fd = fd, .events = POLLIN };
                int r = left > 0 ? poll(&wait, 1, (int) left) : 0;
                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return r < 0 ? -errno : -ETIMEDOUT;
                ssize_t n = read(fd, buffer, sizeof(buffer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                strbuf_add_bytes(out, buffer, (size_t) n);
                if (out->failed)
                        return -ENOMEM;
                if (out->length - begin > limit)
                        return -EFBIG;
        }
}

/* 0 when it ended well; it is gone in any case. */
static int end(pid_t pid, bool by_force) {
        int status = 0;
        if (by_force)
                (void) kill(pid, SIGKILL); /* it may have ended by itself */
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* *ret_fd is the end of its output that is read; the other end is its alone. */
static int start(const char *const *argv, int *ret_fd, pid_t *ret_pid) {
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        cleanup_close int input = fds[0];
        cleanup_close int output = fds[1];
        int r = spawn(argv, output, ret_pid);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(input);
        return 0;
}

int program_read(const char *const *argv, size_t limit, unsigned timeout_ms, StrBuf *out) {
        cleanup_close int input = FD_EMPTY;
        pid_t pid = 0;
        int r = start(argv, &input, &pid);
        if (r < 0)
                return r;
        r = read_all(input, limit, timeout_ms, out);
        int ended = end(pid, r < 0);
        return r < 0 ? r : ended;
}
