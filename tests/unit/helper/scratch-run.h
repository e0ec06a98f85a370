/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A root directory of its own with run/twprofile in it, and one file to put there. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

typedef struct ScratchRun {
        char path[64];
        int root_fd, run_fd;
} ScratchRun;

static inline void scratch_run_open(ScratchRun *scratch) {
        (void) snprintf(scratch->path, sizeof(scratch->path), "/tmp/twprofile-helper.XXXXXX");
        assert_non_null(mkdtemp(scratch->path));
        scratch->root_fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(scratch->root_fd, "run", 0755), 0);
        assert_int_equal(mkdirat(scratch->root_fd, "run/twprofile", 0755), 0);
        scratch->run_fd = openat(
                        scratch->root_fd, "run/twprofile", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(scratch->run_fd >= 0);
}

static inline void scratch_run_close(ScratchRun *scratch) {
        static const char *const files[] = { "armed", "pending", "status.json" };
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlinkat(scratch->run_fd, files[i], 0);
        (void) close(scratch->run_fd);
        (void) unlinkat(scratch->root_fd, "run/twprofile", AT_REMOVEDIR);
        (void) unlinkat(scratch->root_fd, "run", AT_REMOVEDIR);
        (void) close(scratch->root_fd);
        assert_int_equal(rmdir(scratch->path), 0);
}

static inline void scratch_run_write(
                const ScratchRun *scratch, const char *name, mode_t mode, const char *text) {
        int fd = openat(scratch->run_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
        assert_true(fd >= 0);
        assert_int_equal(fchmod(fd, mode), 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        (void) close(fd);
}

static inline bool scratch_run_has(const ScratchRun *scratch, const char *name) {
        return faccessat(scratch->run_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
