/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What one usually wants to do with files, in calls of the seam: EINTR is retried here and nowhere else, a
 * short write is an error, a file is read whole below a limit.
 *
 * A SeamFd is a descriptor that remembers its seam, so that its cleanup goes through the seam as well:
 * `cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;`. All functions return >= 0 or a negative errno.
 */

#include "base/error.h"
#include "system/seam.h"

typedef struct SeamFd {
        const Seam *seam;
        int fd;
} SeamFd;

#define SEAM_FD_EMPTY ((SeamFd){ NULL, FD_EMPTY })

void seam_fd_close(SeamFd *fd);
#define cleanup_seam_fd CLEANUP(seam_fd_close)

/* O_CLOEXEC is implied. */
NODISCARD int seam_open(
                const Seam *seam, int dir_fd, const char *path, int flags, mode_t mode,
                SeamFd *ret);
NODISCARD int seam_fstat(const SeamFd *fd, struct stat *ret);
NODISCARD int seam_fsync(const SeamFd *fd);
NODISCARD int seam_fdatasync(const SeamFd *fd);

/* Reads up to n bytes; fewer only at the end of the file. */
NODISCARD ssize_t seam_read(const SeamFd *fd, void *buffer, size_t n, off_t offset);
/* Writes all n bytes, in as many calls as it takes: for ordinary files. 0 or <0. */
NODISCARD int seam_write(const SeamFd *fd, const void *bytes, size_t n, off_t offset);
/* One write at offset 0 that must be taken whole: for kernel files, where a second write means another
 * thing. -EIO when it was short. */
NODISCARD int seam_write_once(const SeamFd *fd, const void *bytes, size_t n);

/* The whole file with a NUL behind it; *ret is freed by the caller. -EFBIG above `limit` bytes. */
NODISCARD int seam_read_file(const SeamFd *fd, size_t limit, char **ret, size_t *ret_length);
/* Opens (O_NOFOLLOW), checks that it is a regular file, reads. */
NODISCARD int seam_read_file_at(
                const Seam *seam, int dir_fd, const char *path, size_t limit, char **ret,
                size_t *ret_length);

/* Opens a directory, making it with that mode, and its parents with 0755, whatever the umask is. */
NODISCARD int seam_open_dir(
                const Seam *seam, int dir_fd, const char *path, mode_t mode, SeamFd *ret);
