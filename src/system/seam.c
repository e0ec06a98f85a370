/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/seam.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int real_open_at(
                const Seam *seam UNUSED, int dir_fd, const char *path, int flags, mode_t mode) {
        int fd = openat(dir_fd, path, flags | O_CLOEXEC, mode);
        return fd < 0 ? -errno : fd;
}

static ssize_t real_pread(const Seam *seam UNUSED, int fd, void *buffer, size_t n, off_t offset) {
        ssize_t r = pread(fd, buffer, n, offset);
        return r < 0 ? -errno : r;
}

static ssize_t real_pwrite(
                const Seam *seam UNUSED, int fd, const void *bytes, size_t n, off_t offset) {
        ssize_t r = pwrite(fd, bytes, n, offset);
        return r < 0 ? -errno : r;
}

static int real_fsync(const Seam *seam UNUSED, int fd) {
        return fsync(fd) < 0 ? -errno : 0;
}

static int real_fdatasync(const Seam *seam UNUSED, int fd) {
        return fdatasync(fd) < 0 ? -errno : 0;
}

static int real_fallocate(const Seam *seam UNUSED, int fd, off_t offset, off_t length) {
        /* Unlike fallocate(2) this also works, by writing, where the file system has no such call; and it
         * gives the error number instead of setting errno. */
        return -posix_fallocate(fd, offset, length);
}

static int real_ftruncate(const Seam *seam UNUSED, int fd, off_t length) {
        return ftruncate(fd, length) < 0 ? -errno : 0;
}

static int real_fstat(const Seam *seam UNUSED, int fd, struct stat *ret) {
        return fstat(fd, ret) < 0 ? -errno : 0;
}

static int real_fchmod(const Seam *seam UNUSED, int fd, mode_t mode) {
        return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int real_fchown(const Seam *seam UNUSED, int fd, uid_t uid, gid_t gid) {
        return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

static int real_mkdir_at(const Seam *seam UNUSED, int dir_fd, const char *path, mode_t mode) {
        return mkdirat(dir_fd, path, mode) < 0 ? -errno : 0;
}

static int real_rename_at(
                const Seam *seam UNUSED, int from_fd, const char *from, int to_fd, const char *to) {
        return renameat(from_fd, from, to_fd, to) < 0 ? -errno : 0;
}

static int real_unlink_at(const Seam *seam UNUSED, int dir_fd, const char *path, int flags) {
        return unlinkat(dir_fd, path, flags) < 0 ? -errno : 0;
}

static int real_readlink_at(
                const Seam *seam UNUSED, int dir_fd, const char *path, char *buffer, size_t n) {
        ssize_t r = readlinkat(dir_fd, path, buffer, n);
        return r < 0 ? -errno : (int) r;
}

static int real_flock(const Seam *seam UNUSED, int fd, int operation) {
        return flock(fd, operation) < 0 ? -errno : 0;
}

static int real_list(const Seam *seam UNUSED, int dir_fd, SeamDirVisit visit, void *userdata) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        DIR *dir = fdopendir(fd);
        if (!dir) {
                int r = -errno;
                (void) fd_close(fd);
                return r;
        }

        int r = 0;
        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(dir);
                if (!entry) {
                        r = -errno;
                        break;
                }
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = visit(userdata, entry->d_name);
                if (r < 0)
                        break;
        }

        (void) closedir(dir);
        return r;
}

static int real_close(const Seam *seam UNUSED, int fd) {
        return close(fd) < 0 ? -errno : 0;
}

const Seam *seam_real(void) {
        static const SeamOps ops = {
                .open_at = real_open_at,
                .pread = real_pread,
                .pwrite = real_pwrite,
                .fsync = real_fsync,
                .fdatasync = real_fdatasync,
                .fallocate = real_fallocate,
                .ftruncate = real_ftruncate,
                .fstat = real_fstat,
                .fchmod = real_fchmod,
                .fchown = real_fchown,
                .mkdir_at = real_mkdir_at,
                .rename_at = real_rename_at,
                .unlink_at = real_unlink_at,
                .readlink_at = real_readlink_at,
                .flock = real_flock,
                .list = real_list,
                .close = real_close,
        };
        static const Seam seam = { .ops = &ops };
        return &seam;
}
