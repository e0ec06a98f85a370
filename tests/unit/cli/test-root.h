/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A scratch directory that stands for "/": made by root_new(), filled by root_write(), removed by root_remove().
 */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

static inline void root_new(char path[static 64]) {
        (void) snprintf(path, 64, "/tmp/twprofile-unit.XXXXXX");
        assert_non_null(mkdtemp(path));
        assert_int_equal(chmod(path, 0755), 0);
}

static inline void root_write(const char *root, const char *name, const char *text) {
        char path[512];
        (void) snprintf(path, sizeof(path), "%s/%s", root, name);
        for (char *p = path + strlen(root) + 1; *p; p++)
                if (*p == '/') {
                        *p = '\0';
                        assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
                        *p = '/';
                }
        cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline int root_remove_one(
                const char *path, const struct stat *st UNUSED, int type UNUSED,
                struct FTW *ftw UNUSED) {
        return remove(path);
}

static inline void root_remove(const char *root) {
        assert_non_null(startswith(root, "/tmp/twprofile-unit."));
        assert_int_equal(nftw(root, root_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
