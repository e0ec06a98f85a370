/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"

#include <unistd.h>

int fd_close(int fd) {
        if (fd < 0)
                return FD_EMPTY;

        int saved = errno;
        /* Linux releases the descriptor even when close() reports EINTR or EIO. */
        (void) close(fd);
        errno = saved;
        return FD_EMPTY;
}
