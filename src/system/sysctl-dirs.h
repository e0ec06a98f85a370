/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of sysctl.d in the order in which systemd-sysctl and procps apply them (sysctl.d(5), sysctl(8)): all directories
 * together, sorted by the bytes of the file name; of two files with one name the one in the higher directory counts, even
 * when it cannot be read; a link to /dev/null masks; other endings than ".conf" are skipped.
 *
 * Files of others are hostile: at most 4 MiB each and 16 MiB together, read once, nothing but regular files. Links are
 * followed one by one, absolute ones from the root directory given; only a directory of the way that is an absolute link
 * is followed by the kernel itself.
 */

#include "base/arena.h"
#include "system/seam-io.h"

#define SYSCTL_FILE_MAX     ((size_t) 4 * 1024 * 1024)
#define SYSCTL_FILES_MAX    (4 * SYSCTL_FILE_MAX)
#define SYSCTL_OWN_FRAGMENT "60-twprofile.conf"

typedef struct SysctlFile {
        const char *name; /* "99-sysctl.conf" */
        const char *path; /* "/etc/sysctl.d/99-sysctl.conf" */
        const char *text; /* "" when it could not be read */
        size_t length;
        bool is_hidden; /* its name starts with a dot: systemd-sysctl skips it, procps does not */
        int error;      /* positive errno when it could not be read: it counts as empty */
} SysctlFile;

typedef struct SysctlDirs {
        const SysctlFile *files; /* in the order of application */
        size_t n_files;
        const char *denied; /* the highest directory that may not be listed, or NULL */
        int denied_error;   /* positive errno */
} SysctlDirs;

/* Reads every file. `own_text` stands for the bytes of /etc/sysctl.d/60-twprofile.conf: NULL reads them from disk, "" means
 * that there is no such file. Everything lives in the arena. */
NODISCARD int sysctl_dirs_read(
                const Seam *seam, int root_fd, const char *own_text, Arena *arena, SysctlDirs *ret,
                Error *reterr);

/* Fills text, length and error of `file` from its path; -ENOMEM is the only failure. `budget` is what may still be read
 * of all files. */
NODISCARD int sysctl_file_read(
                const Seam *seam, int root_fd, Arena *arena, size_t *budget, SysctlFile *file);
