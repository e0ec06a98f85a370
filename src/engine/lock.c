/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "engine/paths.h"

#define LOCK_POLL_MS 10

int lock_take(const Seam *seam, int state_fd, int wait_ms, SeamFd *ret, Error *reterr) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(seam, state_fd, ENGINE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, &fd);
        if (r < 0)
                return error_set(
                                reterr, r, "cannot open the lock '/%s/%s'", ENGINE_STATE_DIR,
                                ENGINE_LOCK);

        for (int waited = 0;; waited += LOCK_POLL_MS) {
                r = seam->ops->flock(seam, fd.fd, LOCK_EX | LOCK_NB);
                if (r >= 0)
                        break;
                if (r != -EWOULDBLOCK && r != -EINTR)
                        return error_set(reterr, r, "cannot take the lock");
                if (waited >= wait_ms)
                        return error_set(reterr, -EBUSY, "another change is running");
                (void) nanosleep(&(struct timespec){ .tv_nsec = LOCK_POLL_MS * 1000000L }, NULL);
        }

        *ret = fd;
        fd = SEAM_FD_EMPTY;
        return 0;
}
