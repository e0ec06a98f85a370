/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/posix-lock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

int posix_lock_take(int fd) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        if (fcntl(fd, F_SETLK, &lock) >= 0)
                return 0;
        return errno == EACCES ? -EAGAIN : -errno;
}

int posix_lock_find_holder(int fd, pid_t *ret) {
        struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
        if (fcntl(fd, F_GETLK, &lock) < 0)
                return -errno;
        if (lock.l_type == F_UNLCK)
                return 0;
        *ret = lock.l_pid > 0 ? lock.l_pid : 0;
        return 1;
}

/* "3: POSIX  ADVISORY  WRITE 1234 00:19:5678 0 EOF"; a line with "->" is of one that waits (fs/locks.c
 * lock_get_status()). Device numbers are hexadecimal, the inode is decimal. */
bool posix_lock_is_listed(const char *proc_locks, dev_t device, ino_t inode) {
        char place[64];
        int n = snprintf(
                        place, sizeof(place), " %02x:%02x:%" PRIuMAX " ", major(device),
                        minor(device), (uintmax_t) inode);
        assert(n > 0 && (size_t) n < sizeof(place));

        for (const char *line = proc_locks; *line;) {
                size_t length = strcspn(line, "\n");
                bool is_ours = memmem(line, length, place, (size_t) n) != NULL &&
                               memmem(line, length, ": POSIX ", 8) != NULL &&
                               memmem(line, length, " WRITE ", 7) != NULL &&
                               memmem(line, length, "->", 2) == NULL;
                if (is_ours)
                        return true;
                line += length + (line[length] == '\n' ? 1 : 0);
        }
        return false;
}
