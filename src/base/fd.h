/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * File descriptors as owned values. An empty one is -EBADF, never -1, so that it doubles as an error.
 * `cleanup_close int fd = …;` closes at the end of the scope and keeps errno.
 */

#include "base/macro.h"

#define FD_EMPTY (-EBADF)

/* Closes unless empty; errors of close() are ignored: data that must be safe is flushed before.
 * Returns FD_EMPTY: `fd = fd_close(fd);` */
int fd_close(int fd);

static inline void fd_closep(int *fd) {
        (void) fd_close(*fd);
}

#define cleanup_close CLEANUP(fd_closep)

#define TAKE_FD(fd)                          \
        ({                                   \
                int *take_fd_ = &(fd);       \
                int take_value_ = *take_fd_; \
                *take_fd_ = FD_EMPTY;        \
                take_value_;                 \
        })
