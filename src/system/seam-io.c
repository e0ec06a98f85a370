/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/seam-io.h"

#include <fcntl.h>

/* A signal may interrupt any slow call once or twice; a seam that says EINTR for ever is a broken world. */
#define SEAM_EINTR_MAX 100U

#define SEAM_RETRY(expression)                                           \
        ({                                                               \
                typeof(expression) retry_;                               \
                unsigned retry_n_ = 0;                                   \
                do                                                       \
                        retry_ = (expression);                           \
                while (retry_ == -EINTR && ++retry_n_ < SEAM_EINTR_MAX); \
                retry_;                                                  \
        })

void seam_fd_close(SeamFd *fd) {
        if (fd->fd >= 0)
                (void) fd->seam->ops->close(fd->seam, fd->fd);
        *fd = SEAM_FD_EMPTY;
}

int seam_open(const Seam *seam, int dir_fd, const char *path, int flags, mode_t mode, SeamFd *ret) {
        int fd = SEAM_RETRY(seam->ops->open_at(seam, dir_fd, path, flags, mode));
        if (fd < 0)
                return fd;

        *ret = (SeamFd){ .seam = seam, .fd = fd };
        return 0;
}

int seam_fstat(const SeamFd *fd, struct stat *ret) {
        return fd->seam->ops->fstat(fd->seam, fd->fd, ret);
}

int seam_fsync(const SeamFd *fd) {
        return SEAM_RETRY(fd->seam->ops->fsync(fd->seam, fd->fd));
}

int seam_fdatasync(const SeamFd *fd) {
        return SEAM_RETRY(fd->seam->ops->fdatasync(fd->seam, fd->fd));
}

/* A short read that ends at `size` was the last one: no further call asks for the end. */
static ssize_t seam_read_sized(
                const SeamFd *fd, void *buffer, size_t n, off_t offset, size_t size) {
        size_t done = 0;
        while (done < n) {
                ssize_t r = SEAM_RETRY(fd->seam->ops->pread(
                                fd->seam, fd->fd, (char *) buffer + done, n - done,
                                offset + (off_t) done));
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                done += (size_t) r;
                if ((size_t) offset + done == size)
                        break;
        }
        return (ssize_t) done;
}

ssize_t seam_read(const SeamFd *fd, void *buffer, size_t n, off_t offset) {
        return seam_read_sized(fd, buffer, n, offset, SIZE_MAX);
}

int seam_write(const SeamFd *fd, const void *bytes, size_t n, off_t offset) {
        size_t done = 0;
        while (done < n) {
                ssize_t r = SEAM_RETRY(fd->seam->ops->pwrite(
                                fd->seam, fd->fd, (const char *) bytes + done, n - done,
                                offset + (off_t) done));
                if (r < 0)
                        return (int) r;
                if (r == 0)
                        return -EIO;
                done += (size_t) r;
        }
        return 0;
}

int seam_write_once(const SeamFd *fd, const void *bytes, size_t n) {
        ssize_t r = SEAM_RETRY(fd->seam->ops->pwrite(fd->seam, fd->fd, bytes, n, 0));
        if (r < 0)
                return (int) r;
        return (size_t) r == n ? 0 : -EIO;
}

int seam_read_file(const SeamFd *fd, size_t limit, char **ret, size_t *ret_length) {
        struct stat st;
        int r = seam_fstat(fd, &st);
        if (r < 0)
                return r;
        if (st.st_size > 0 && (size_t) st.st_size > limit)
                return -EFBIG;

        /* One byte more than the size tells a file that grew; /proc files say size 0. */
        size_t capacity = st.st_size > 0 ? (size_t) st.st_size + 1 : 4096;
        if (capacity > limit + 1)
                capacity = limit + 1;

        cleanup_free char *bytes = NULL;
        size_t length = 0;
        for (;;) {
                char *grown = realloc(bytes, capacity + 1);
                if (!grown)
                        return -ENOMEM;
                bytes = grown;

                ssize_t n = seam_read_sized(
                                fd, bytes + length, capacity - length, (off_t) length,
                                st.st_size > 0 ? (size_t) st.st_size : SIZE_MAX);
                if (n < 0)
                        return (int) n;
                length += (size_t) n;
                if (length > limit)
                        return -EFBIG;
                if (length < capacity)
                        break;
                capacity = capacity > limit / 2 ? limit + 1 : capacity * 2;
        }

        bytes[length] = '\0';
        *ret = TAKE_PTR(bytes);
        *ret_length = length;
        return 0;
}

int seam_read_file_at(
                const Seam *seam, int dir_fd, const char *path, size_t limit, char **ret,
                size_t *ret_length) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(
                        seam, dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, &fd);
        if (r < 0)
                return r;

        struct stat st;
        r = seam_fstat(&fd, &st);
        if (r < 0)
                return r;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        return seam_read_file(&fd, limit, ret, ret_length);
}

/* mkdir() takes the umask away from the mode, and ours is strict: who may look inside is decided here. */
static int seam_make_dir(const Seam *seam, int dir_fd, const char *path, mode_t mode) {
        int r = seam->ops->mkdir_at(seam, dir_fd, path, mode);
        if (r == -EEXIST)
                return 0;
        if (r < 0)
                return r;

        cleanup_seam_fd SeamFd made = SEAM_FD_EMPTY;
        r = seam_open(seam, dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &made);
        return r < 0 ? r : seam->ops->fchmod(seam, made.fd, mode);
}

int seam_open_dir(const Seam *seam, int dir_fd, const char *path, mode_t mode, SeamFd *ret) {
        int flags = O_RDONLY | O_DIRECTORY;
        int r = seam_open(seam, dir_fd, path, flags, 0, ret);
        if (r != -ENOENT)
                return r;

        cleanup_free char *copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        for (char *p = strchr(copy, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                /* What lies on the way is the system's, not ours. */
                r = seam_make_dir(seam, dir_fd, copy, 0755);
                if (r < 0)
                        return r;
                *p = '/';
        }
        r = seam_make_dir(seam, dir_fd, path, mode);
        return r < 0 ? r : seam_open(seam, dir_fd, path, flags, 0, ret);
}
