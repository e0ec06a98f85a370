/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seam/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_PATH_MAX 512U

static void scratch_require(bool fine, const char *what, const char *path) {
        if (fine)
                return;
        (void) fprintf(stderr, "scratch: cannot %s '%s': %s\n", what, path, strerror(errno));
        abort();
}

void scratch_init(Scratch *scratch) {
        static const char *const bases[] = { "/dev/shm", "/tmp" };
        for (size_t i = 0; i < ELEMENTSOF(bases); i++) {
                (void) snprintf(scratch->path, sizeof(scratch->path), "%s/twprofile-test.XXXXXX",
                                bases[i]);
                if (mkdtemp(scratch->path))
                        break;
                scratch->path[0] = '\0';
        }
        scratch_require(scratch->path[0] != '\0', "make a directory below", "/tmp");

        scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        scratch_require(scratch->fd >= 0, "open", scratch->path);
        scratch_require(fchmod(scratch->fd, 0755) == 0, "chmod", scratch->path);
}

static int scratch_visit_remove(
                const char *path, const struct stat *st UNUSED, int type UNUSED,
                struct FTW *ftw UNUSED) {
        return remove(path);
}

static void scratch_remove_tree(const char *path) {
        int r = nftw(path, scratch_visit_remove, 16, FTW_DEPTH | FTW_PHYS);
        scratch_require(r == 0 || errno == ENOENT, "remove", path);
}

void scratch_deinit(Scratch *scratch) {
        if (scratch->path[0] == '\0')
                return;
        scratch->fd = fd_close(scratch->fd);
        scratch_remove_tree(scratch->path);
        scratch->path[0] = '\0';
}

/* Makes the parents of `path`, and `path` itself when it ends in a slash. */
static void scratch_make_parents(const Scratch *scratch, const char *path) {
        char part[SCRATCH_PATH_MAX];
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                (void) snprintf(part, sizeof(part), "%.*s", (int) (slash - path), path);
                int r = mkdirat(scratch->fd, part, 0755);
                scratch_require(r == 0 || errno == EEXIST, "make directory", part);
        }
}

void scratch_mkdir(const Scratch *scratch, const char *path) {
        char whole[SCRATCH_PATH_MAX];
        (void) snprintf(whole, sizeof(whole), "%s/", path);
        scratch_make_parents(scratch, whole);
}

void scratch_write_bytes(const Scratch *scratch, const char *path, const void *bytes, size_t n) {
        scratch_make_parents(scratch, path);
        cleanup_close int fd = openat(
                        scratch->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        scratch_require(fd >= 0, "open", path);
        scratch_require(write(fd, bytes, n) == (ssize_t) n, "write", path);
}

void scratch_write(const Scratch *scratch, const char *path, const char *text) {
        scratch_write_bytes(scratch, path, text, strlen(text));
}

void scratch_link(const Scratch *scratch, const char *path, const char *target) {
        scratch_make_parents(scratch, path);
        (void) unlinkat(scratch->fd, path, 0);
        scratch_require(symlinkat(target, scratch->fd, path) == 0, "link", path);
}

void scratch_chmod(const Scratch *scratch, const char *path, mode_t mode) {
        scratch_require(fchmodat(scratch->fd, path, mode, 0) == 0, "chmod", path);
}

void scratch_remove(const Scratch *scratch, const char *path) {
        char whole[SCRATCH_PATH_MAX];
        (void) snprintf(whole, sizeof(whole), "%s/%s", scratch->path, path);
        if (scratch_has(scratch, path))
                scratch_remove_tree(whole);
}

bool scratch_has(const Scratch *scratch, const char *path) {
        struct stat st;
        return fstatat(scratch->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

off_t scratch_size(const Scratch *scratch, const char *path) {
        struct stat st;
        scratch_require(fstatat(scratch->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0, "look at", path);
        return st.st_size;
}

char *scratch_read(const Scratch *scratch, const char *path, size_t *ret_n) {
        cleanup_close int fd = openat(scratch->fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return NULL;

        struct stat st;
        scratch_require(fstat(fd, &st) == 0, "look at", path);
        size_t size = (size_t) st.st_size;
        char *bytes = calloc(1, size + 1);
        scratch_require(bytes != NULL, "read", path);
        scratch_require(read(fd, bytes, size) == (ssize_t) size, "read", path);
        if (ret_n)
                *ret_n = size;
        return bytes;
}

size_t scratch_count(const Scratch *scratch, const char *path, const char *prefix) {
        int fd = openat(scratch->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        DIR *dir = fdopendir(fd);
        scratch_require(dir != NULL, "list", path);

        size_t n = 0;
        for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, "..") &&
                    startswith(entry->d_name, prefix))
                        n++;
        (void) closedir(dir);
        return n;
}
