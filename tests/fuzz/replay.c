/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gives each file of the folders named to the target it is linked with. Exit 1 when a folder cannot be read or no file was
 * there: a corpus that is not found must not look like one that passed.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz.h"

static void close_dirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

static int replay_file(int dir_fd, const char *name) {
        cleanup_close int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return -1;

        /* exactly as long as the input, so that a sanitizer sees each byte read behind it */
        size_t n = (size_t) st.st_size;
        cleanup_free uint8_t *bytes = malloc(n > 0 ? n : 1);
        if (!bytes || read(fd, bytes, n) != (ssize_t) n)
                return -1;
        (void) LLVMFuzzerTestOneInput(bytes, n);
        return 0;
}

static int replay_folder(const char *path, size_t *count) {
        CLEANUP(close_dirp) DIR *dir = opendir(path);
        if (!dir)
                return -1;
        for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
                if (entry->d_name[0] == '.')
                        continue;
                if (replay_file(dirfd(dir), entry->d_name) < 0) {
                        fprintf(stderr, "cannot read '%s/%s'\n", path, entry->d_name);
                        return -1;
                }
                *count += 1;
        }
        return 0;
}

int main(int argc, char **argv) {
        size_t count = 0;
        for (int i = 1; i < argc; i++)
                if (replay_folder(argv[i], &count) < 0) {
                        fprintf(stderr, "cannot replay '%s'\n", argv[i]);
                        return 1;
                }
        printf("%zu inputs\n", count);
        return count > 0 ? 0 : 1;
}
