/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/output-file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "system/atomic-file.h"

static int write_through(const char *path, const char *bytes, size_t n) {
        cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        for (size_t done = 0; done < n;) {
                ssize_t m = write(fd, bytes + done, n - done);
                if (m < 0 && errno == EINTR)
                        continue;
                if (m < 0)
                        return -errno;
                done += (size_t) m;
        }
        return 0;
}

/* One thread: nobody makes a file in between. */
static mode_t without_umask(mode_t mode) {
        mode_t mask = umask(0);
        (void) umask(mask);
        return mode & ~mask;
}

static int replace(char *path, const void *bytes, size_t n, mode_t mode) {
        char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path, *folder = slash ? path : ".";
        if (slash == path)
                folder = "/";
        else if (slash)
                *slash = '\0';
        if (*name == '\0')
                return -EISDIR;
        cleanup_close int dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        return atomic_file_replace(seam_real(), dir_fd, name, bytes, n, without_umask(mode));
}

int output_file_write(const char *path, const void *bytes, size_t n, mode_t mode, Error *reterr) {
        struct stat st;
        bool is_there = stat(path, &st) == 0;
        int r = 0;
        if (is_there && !S_ISREG(st.st_mode)) {
                r = S_ISDIR(st.st_mode) ? -EISDIR : write_through(path, bytes, n);
        } else {
                cleanup_free char *real = is_there ? realpath(path, NULL) : strdup(path);
                r = real ? replace(real, bytes, n, mode) : -errno;
        }
        return r < 0 ? error_set(reterr, r, "cannot write '%s'", path) : 0;
}
