/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The seam: the one table of functions through which `system` and `engine` reach the world. Production is
 * libc (seam_real()); a test can count, fail, kill or simulate every single call.
 *
 * Every function returns a value >= 0 or a negative errno, never -1 with errno. Paths are relative to the
 * directory fd given first. EINTR is handled by the callers in seam-io.h, so a test can inject it.
 */

#include <dirent.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/fd.h"

typedef struct Seam Seam;

/* Called with each name ("." and ".." left out); a negative result ends the walk and is returned. */
typedef int (*SeamDirVisit)(void *userdata, const char *name);

typedef struct SeamOps {
        int (*open_at)(const Seam *seam, int dir_fd, const char *path, int flags, mode_t mode);
        ssize_t (*pread)(const Seam *seam, int fd, void *buffer, size_t n, off_t offset);
        ssize_t (*pwrite)(const Seam *seam, int fd, const void *bytes, size_t n, off_t offset);
        int (*fsync)(const Seam *seam, int fd);
        int (*fdatasync)(const Seam *seam, int fd);
        int (*fallocate)(const Seam *seam, int fd, off_t offset, off_t length);
        int (*ftruncate)(const Seam *seam, int fd, off_t length);
        int (*fstat)(const Seam *seam, int fd, struct stat *ret);
        int (*fchmod)(const Seam *seam, int fd, mode_t mode);
        int (*fchown)(const Seam *seam, int fd, uid_t uid, gid_t gid);
        int (*mkdir_at)(const Seam *seam, int dir_fd, const char *path, mode_t mode);
        int (*rename_at)(
                        const Seam *seam, int from_fd, const char *from, int to_fd, const char *to);
        int (*unlink_at)(const Seam *seam, int dir_fd, const char *path, int flags);
        int (*readlink_at)(const Seam *seam, int dir_fd, const char *path, char *buffer, size_t n);
        int (*flock)(const Seam *seam, int fd, int operation);
        int (*list)(const Seam *seam, int dir_fd, SeamDirVisit visit, void *userdata);
        int (*close)(const Seam *seam, int fd);
} SeamOps;

struct Seam {
        const SeamOps *ops;
        void *userdata; /* of the implementation */
};

/* The running system. Constant, never freed. */
const Seam *seam_real(void);
