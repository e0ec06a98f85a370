/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A planted fault of tests/crash/power-cut: a library that every program of the virtual machine loads first, with which
 * no flush reaches the disk and each says that it did.
 */

#include <sys/types.h>

int fsync(int fd);
int fdatasync(int fd);
int syncfs(int fd);
void sync(void);
int sync_file_range(int fd, off_t offset, off_t n, unsigned flags);

int fsync(int fd) {
        (void) fd;
        return 0;
}

int fdatasync(int fd) {
        (void) fd;
        return 0;
}

int syncfs(int fd) {
        (void) fd;
        return 0;
}

void sync(void) {
}

int sync_file_range(int fd, off_t offset, off_t n, unsigned flags) {
        (void) fd;
        (void) offset;
        (void) n;
        (void) flags;
        return 0;
}
