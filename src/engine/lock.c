/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "engine/paths.h"

#define LOCK_POLL_MS 10

/* Measured, not counted: on a busy machine a sleep of 10 ms takes 16 and more. */
static int64_t lock_now_ms(void) {
        struct timespec now = { 0 };
        (void) clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int lock_wait(const SeamFd *fd, int operation, int wait_ms, Error *reterr) {
        for (int64_t end = lock_now_ms() + wait_ms;;) {
                int r = fd->seam->ops->flock(fd->seam, fd->fd, operation | LOCK_NB);
                if (r >= 0)
                        return 0;
                if (r != -EWOULDBLOCK && r != -EINTR)
                        return error_set(reterr, r, "cannot take the lock");
                if (lock_now_ms() >= end)
                        return error_set(reterr, -EBUSY, "another change is running");
                (void) nanosleep(&(struct timespec){ .tv_nsec = LOCK_POLL_MS * 1000000L }, NULL);
        }
}

static int lock_fail_open(int r, Error *reterr) {
        return error_set(reterr, r, "cannot open the lock '/%s/%s'", ENGINE_STATE_DIR, ENGINE_LOCK);
}

int lock_take(const Seam *seam, int state_fd, int wait_ms, SeamFd *ret, Error *reterr) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(seam, state_fd, ENGINE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, &fd);
        if (r < 0)
                return lock_fail_open(r, reterr);
        r = lock_wait(&fd, LOCK_EX, wait_ms, reterr);
        if (r < 0)
                return r;

        *ret = fd;
        fd = SEAM_FD_EMPTY;
        return 0;
}

int lock_share(const Seam *seam, int state_fd, int wait_ms, SeamFd *ret, Error *reterr) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(seam, state_fd, ENGINE_LOCK, O_RDONLY | O_NOFOLLOW, 0, &fd);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return lock_fail_open(r, reterr);
        r = lock_wait(&fd, LOCK_SH, wait_ms, reterr);
        if (r < 0)
                return r;

        *ret = fd;
        fd = SEAM_FD_EMPTY;
        return 0;
}
