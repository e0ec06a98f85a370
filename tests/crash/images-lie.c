/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A library to preload, with which a program flushes or replaces files badly: planted faults that crash images have to
 * find.
 *
 *         LD_PRELOAD=images-lie.so TW_IMAGES_LIE=no-flush:PART|in-place:PART PROGRAM …
 *
 *         no-flush   fsync() and fdatasync() of what has PART in its path say that they did, and do nothing
 *         in-place   renameat() to a name with PART in it writes the bytes over the file of that name, in two parts, each
 *                    flushed, with 0.2 s between them as on a busy disk
 *
 * Only what the engine calls is covered.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BYTES_MAX 65536
#define VISIBLE   __attribute__((visibility("default")))

/* In place of the C library's. */
int lie_fsync(int fd) __asm__("fsync");
int lie_fdatasync(int fd) __asm__("fdatasync");
int lie_renameat(int from_fd, const char *from, int to_fd, const char *to) __asm__("renameat");

static bool lie_applies(const char *name, const char *path) {
        const char *lie = getenv("TW_IMAGES_LIE");
        size_t n = strlen(name);
        return lie && strncmp(lie, name, n) == 0 && lie[n] == ':' && strstr(path, lie + n + 1);
}

static bool flush_is_left_out(int fd) {
        char link[64], path[PATH_MAX];
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof(path) - 1);
        path[n > 0 ? n : 0] = '\0';
        return lie_applies("no-flush", path);
}

VISIBLE int lie_fsync(int fd) {
        return flush_is_left_out(fd) ? 0 : (int) syscall(SYS_fsync, fd);
}

VISIBLE int lie_fdatasync(int fd) {
        return flush_is_left_out(fd) ? 0 : (int) syscall(SYS_fdatasync, fd);
}

static bool write_flushed(int fd, const char *bytes, ssize_t n) {
        return write(fd, bytes, (size_t) n) == n && syscall(SYS_fsync, fd) == 0;
}

/* Closes both; whether all of the one is in the other. */
static bool copy_file(int from, int to) {
        static char bytes[BYTES_MAX];
        ssize_t n = from >= 0 && to >= 0 ? read(from, bytes, sizeof(bytes)) : -1;
        bool good = n >= 0 && syscall(SYS_fsync, to) == 0 && write_flushed(to, bytes, n / 2) &&
                    usleep(200000) == 0 && write_flushed(to, bytes + n / 2, n - n / 2);
        if (from >= 0)
                (void) close(from);
        if (to >= 0)
                (void) close(to);
        return good;
}

VISIBLE int lie_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        if (!lie_applies("in-place", to))
                return (int) syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);

        struct stat st;
        if (fstatat(from_fd, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -1;
        int source = openat(from_fd, from, O_RDONLY | O_CLOEXEC);
        int target = openat(
                        to_fd, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, st.st_mode & 07777);
        if (target >= 0)
                (void) fchmod(target, st.st_mode & 07777); /* whatever the umask is */
        if (!copy_file(source, target)) {
                errno = EIO;
                return -1;
        }
        return unlinkat(from_fd, from, 0);
}
