/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of sysctl.d in the order in which systemd-sysctl applies them (sysctl.d(5), peers.md part 1): all directories
 * together, sorted by the bytes of the file name; of two files with one name the one in the higher directory counts;
 * a link to /dev/null masks; hidden names and other endings than ".conf" are skipped.
 *
 * Files of others are hostile: at most 1 MiB each, read once, links followed as systemd-sysctl does.
 */

#include "model/sysctl-conf.h"
#include "system/seam-io.h"

#define SYSCTL_FILE_MAX ((size_t) 1024 * 1024)

typedef struct SysctlFile {
        const char *name; /* "99-sysctl.conf" */
        const char *path; /* "/etc/sysctl.d/99-sysctl.conf" */
        SysctlConf conf;
        int error; /* positive errno when it could not be read: it counts as empty */
} SysctlFile;

typedef struct SysctlFiles {
        SysctlFile *files; /* in the order of application */
        size_t n_files;
} SysctlFiles;

/* Reads every file whose name sorts behind `after` (NULL: all). Everything lives in the arena. */
NODISCARD int sysctl_dirs_read(
                const Seam *seam, int root_fd, const char *after, Arena *arena, SysctlFiles *ret,
                Error *reterr);

/* The last explicit assignment of a key (by its path below /proc/sys), or NULL. Globs never beat an explicit
 * assignment, whatever the order. */
const SysctlAssignment *sysctl_files_find_last(
                const SysctlFiles *files, const char *path, const SysctlFile **ret_file);
