/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seam/seam-sysctl.h"

#include <fcntl.h>
#include <unistd.h>

static SeamSysctl *sysctl_of(const Seam *seam) {
        return seam->userdata;
}

static char *sysctl_path(const SeamSysctl *sysctl, int fd) {
        return fd >= 0 && fd < SEAM_SYSCTL_FDS ? sysctl->paths[fd] : NULL;
}

/* --- files below proc/sys ------------------------------------------------------------------------------------ */

static int sysctl_check_mode(const Seam *inner, int fd) {
        struct stat st;
        int r = inner->ops->fstat(inner, fd, &st);
        if (r >= 0 && (st.st_mode & S_IWUSR) == 0)
                r = -EACCES;
        return r;
}

static int sysctl_open_at(const Seam *seam, int dir_fd, const char *path, int flags, mode_t mode) {
        SeamSysctl *sysctl = sysctl_of(seam);
        const Seam *inner = sysctl->inner;

        int fd = inner->ops->open_at(inner, dir_fd, path, flags, mode);
        const char *below = startswith(path, "proc/sys/");
        if (fd < 0 || !below)
                return fd;

        int r = (flags & O_ACCMODE) == O_RDONLY ? 0 : sysctl_check_mode(inner, fd);
        if (r >= 0 && fd >= SEAM_SYSCTL_FDS)
                r = -EMFILE;
        if (r >= 0) {
                sysctl->paths[fd] = strdup(below);
                r = sysctl->paths[fd] ? 0 : -ENOMEM;
        }
        if (r < 0)
                (void) inner->ops->close(inner, fd);
        return r < 0 ? r : fd;
}

/* The first line with its words one tab apart. */
static void sysctl_spell(const char *bytes, size_t n, char ret[static SEAM_SYSCTL_TEXT_MAX]) {
        size_t length = 0;
        bool gap = false;
        for (size_t i = 0; i < n && bytes[i] != '\n' && bytes[i] != '\0'; i++) {
                if (bytes[i] == ' ' || bytes[i] == '\t') {
                        gap = length > 0;
                        continue;
                }
                if (gap)
                        ret[length++] = '\t';
                ret[length++] = bytes[i];
                gap = false;
        }
        ret[length] = '\0';
}

static int sysctl_store(const Seam *inner, int fd, const char *text) {
        char line[SEAM_SYSCTL_TEXT_MAX + 1];
        size_t n = strlen(text);
        memcpy(line, text, n);
        line[n++] = '\n';

        int r = inner->ops->ftruncate(inner, fd, 0);
        if (r < 0)
                return r;
        ssize_t written = inner->ops->pwrite(inner, fd, line, n, 0);
        return written < 0 ? (int) written : 0;
}

static ssize_t sysctl_pwrite(const Seam *seam, int fd, const void *bytes, size_t n, off_t offset) {
        SeamSysctl *sysctl = sysctl_of(seam);
        const Seam *inner = sysctl->inner;
        const char *path = sysctl_path(sysctl, fd);
        if (!path)
                return inner->ops->pwrite(inner, fd, bytes, n, offset);
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
                return -EBADF;
        if (offset != 0 || n == 0)
                return (ssize_t) n;
        if (n >= SEAM_SYSCTL_TEXT_MAX / 2)
                return -EINVAL;

        char text[SEAM_SYSCTL_TEXT_MAX];
        sysctl_spell(bytes, n, text);
        sysctl->n_writes++;
        int r = sysctl->takes ? sysctl->takes(sysctl->userdata, path, text) : 0;
        if (r >= 0)
                r = sysctl_store(inner, fd, text);
        return r < 0 ? r : (ssize_t) n;
}

static int sysctl_close(const Seam *seam, int fd) {
        SeamSysctl *sysctl = sysctl_of(seam);
        if (sysctl_path(sysctl, fd)) {
                free(sysctl->paths[fd]);
                sysctl->paths[fd] = NULL;
        }
        return sysctl->inner->ops->close(sysctl->inner, fd);
}

static int sysctl_fstat(const Seam *seam, int fd, struct stat *ret) {
        const Seam *inner = sysctl_of(seam)->inner;
        int r = inner->ops->fstat(inner, fd, ret);
        if (r >= 0 && ret->st_uid == geteuid())
                ret->st_uid = 0;
        return r;
}

/* --- everything else is the inner seam's ---------------------------------------------------------------------- */

static ssize_t sysctl_pread(const Seam *seam, int fd, void *buffer, size_t n, off_t offset) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->pread(inner, fd, buffer, n, offset);
}

static int sysctl_fsync(const Seam *seam, int fd) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->fsync(inner, fd);
}

static int sysctl_fdatasync(const Seam *seam, int fd) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->fdatasync(inner, fd);
}

static int sysctl_fallocate(const Seam *seam, int fd, off_t offset, off_t length) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->fallocate(inner, fd, offset, length);
}

static int sysctl_ftruncate(const Seam *seam, int fd, off_t length) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->ftruncate(inner, fd, length);
}

static int sysctl_fchmod(const Seam *seam, int fd, mode_t mode) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->fchmod(inner, fd, mode);
}

static int sysctl_fchown(const Seam *seam, int fd, uid_t uid, gid_t gid) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->fchown(inner, fd, uid, gid);
}

static int sysctl_mkdir_at(const Seam *seam, int dir_fd, const char *path, mode_t mode) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->mkdir_at(inner, dir_fd, path, mode);
}

static int sysctl_rename_at(
                const Seam *seam, int from_fd, const char *from, int to_fd, const char *to) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->rename_at(inner, from_fd, from, to_fd, to);
}

static int sysctl_unlink_at(const Seam *seam, int dir_fd, const char *path, int flags) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->unlink_at(inner, dir_fd, path, flags);
}

static int sysctl_readlink_at(
                const Seam *seam, int dir_fd, const char *path, char *buffer, size_t n) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->readlink_at(inner, dir_fd, path, buffer, n);
}

static int sysctl_flock(const Seam *seam, int fd, int operation) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->flock(inner, fd, operation);
}

static int sysctl_list(const Seam *seam, int dir_fd, SeamDirVisit visit, void *userdata) {
        const Seam *inner = sysctl_of(seam)->inner;
        return inner->ops->list(inner, dir_fd, visit, userdata);
}

void seam_sysctl_init(SeamSysctl *sysctl, const Seam *inner) {
        static const SeamOps ops = {
                .open_at = sysctl_open_at,
                .pread = sysctl_pread,
                .pwrite = sysctl_pwrite,
                .fsync = sysctl_fsync,
                .fdatasync = sysctl_fdatasync,
                .fallocate = sysctl_fallocate,
                .ftruncate = sysctl_ftruncate,
                .fstat = sysctl_fstat,
                .fchmod = sysctl_fchmod,
                .fchown = sysctl_fchown,
                .mkdir_at = sysctl_mkdir_at,
                .rename_at = sysctl_rename_at,
                .unlink_at = sysctl_unlink_at,
                .readlink_at = sysctl_readlink_at,
                .flock = sysctl_flock,
                .list = sysctl_list,
                .close = sysctl_close,
        };
        *sysctl = (SeamSysctl){ .inner = inner };
        sysctl->seam = (Seam){ .ops = &ops, .userdata = sysctl };
}

void seam_sysctl_deinit(SeamSysctl *sysctl) {
        for (size_t i = 0; i < SEAM_SYSCTL_FDS; i++)
                free(sysctl->paths[i]);
        memset(sysctl->paths, 0, sizeof(sysctl->paths));
}
