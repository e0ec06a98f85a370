/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/armed.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/posix-lock.h"

#define ARMED_RUN_DIR "run/twprofile"
#define ARMED_FILE    "armed"
/* An event may be merged or lost; looking costs some microseconds. */
#define ARMED_LOOK_MS 250

static_assert(TX_ID_SIZE == 37, "an id and its end are what is written");

/* Only we write here. */
static int armed_check(int fd, Error *reterr) {
        struct stat st;
        if (fstat(fd, &st) < 0)
                return error_set(
                                reterr, -errno, "cannot look at '/%s/%s'", ARMED_RUN_DIR,
                                ARMED_FILE);
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0077) != 0)
                return error_set(
                                reterr, -EPERM, "cannot trust '/%s/%s', which others may use",
                                ARMED_RUN_DIR, ARMED_FILE);
        return 0;
}

/* --- the guard ------------------------------------------------------------------------------------------------ */

int armed_open(int run_fd, Armed *ret, Error *reterr) {
        cleanup_close int fd = openat(
                        run_fd, ARMED_FILE,
                        O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set(reterr, -errno, "cannot open '/%s/%s'", ARMED_RUN_DIR, ARMED_FILE);
        int r = armed_check(fd, reterr);
        if (r < 0)
                return r;
        *ret = (Armed){ .fd = TAKE_FD(fd) };
        return 0;
}

void armed_close(Armed *armed) {
        armed->fd = fd_close(armed->fd);
        armed->is_locked = false;
}

int armed_announce(Armed *armed, const char *tx, Error *reterr) {
        if (!armed->is_locked) {
                int r = posix_lock_take(armed->fd);
                if (r < 0)
                        return error_set(
                                        reterr, r, "cannot lock '/%s/%s'", ARMED_RUN_DIR,
                                        ARMED_FILE);
                armed->is_locked = true;
        }

        char text[TX_ID_SIZE + 1];
        (void) snprintf(text, sizeof(text), "%s\n", tx); /* fits */
        size_t n = strlen(text);
        ssize_t written = pwrite(armed->fd, text, n, 0);
        if (written != (ssize_t) n || ftruncate(armed->fd, (off_t) n) < 0)
                return error_set(
                                reterr, written < 0 || written == (ssize_t) n ? -errno : -EIO,
                                "cannot write '/%s/%s'", ARMED_RUN_DIR, ARMED_FILE);
        return 0;
}

/* --- the helper ----------------------------------------------------------------------------------------------- */

/* 1 when the guard watches `tx`, 0 when nobody does yet, <0. */
static int armed_ask(int run_fd, const char *tx, Error *reterr) {
        cleanup_close int fd = openat(
                        run_fd, ARMED_FILE,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0)
                return error_set(reterr, -errno, "cannot open '/%s/%s'", ARMED_RUN_DIR, ARMED_FILE);
        int r = armed_check(fd, reterr);
        if (r < 0)
                return r;

        char text[TX_ID_SIZE + 1] = "";
        ssize_t n = pread(fd, text, sizeof(text), 0);
        if (n < 0)
                return error_set(reterr, -errno, "cannot read '/%s/%s'", ARMED_RUN_DIR, ARMED_FILE);
        size_t id = strlen(tx);
        if ((size_t) n != id + 1 || memcmp(text, tx, id) != 0 || text[id] != '\n')
                return 0;

        pid_t holder;
        r = posix_lock_find_holder(fd, &holder);
        return r < 0 ? error_set(reterr, r, "cannot ask for the lock of '/%s/%s'", ARMED_RUN_DIR,
                                 ARMED_FILE)
                     : r;
}

static int64_t now_ms(void) {
        struct timespec now = { 0 };
        (void) clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int watch_open(int run_fd, Error *reterr) {
        char path[64];
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", run_fd); /* fits */
        cleanup_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (fd < 0 || inotify_add_watch(fd, path, IN_CREATE | IN_MODIFY | IN_MOVED_TO) < 0)
                return error_set(reterr, -errno, "cannot watch '/%s'", ARMED_RUN_DIR);
        return TAKE_FD(fd);
}

/* Sleeps until something happens there, at most ARMED_LOOK_MS. */
static void watch_wait(int fd, int64_t left_ms) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };
        char events[4096];
        (void) poll(&pollfd, 1, left_ms < ARMED_LOOK_MS ? (int) left_ms : ARMED_LOOK_MS);
        while (read(fd, events, sizeof(events)) > 0)
                ; /* that something happened is all there is to know */
}

int armed_wait(void *userdata, const char *tx, Error *reterr) {
        const ArmedWait *wait = userdata;
        int timeout_ms = wait->timeout_ms > 0 ? wait->timeout_ms : ARMED_WAIT_MS;
        int64_t end = now_ms() + timeout_ms;
        cleanup_close int run_fd = openat(
                        wait->root_fd, ARMED_RUN_DIR,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (run_fd < 0)
                return error_set(reterr, -errno, "cannot open '/%s'", ARMED_RUN_DIR);
        cleanup_close int watch_fd = watch_open(run_fd, reterr);
        if (watch_fd < 0)
                return watch_fd;

        for (;;) {
                int r = armed_ask(run_fd, tx, reterr);
                if (r != 0)
                        return r < 0 ? r : 0;
                int64_t left = end - now_ms();
                if (left <= 0)
                        return error_set(
                                        reterr, -ETIMEDOUT,
                                        "nobody took the deadline over in %d ms", timeout_ms);
                watch_wait(watch_fd, left);
        }
}
