/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of the audit log: /var/log/twprofile/audit-<number of the first record>.ndjson. Names never change; which
 * file follows which is in the names alone.
 *
 * A new file, and a new directory, is on disk before anything is written into it (audit_files_flush()): what a later
 * flush of the file makes durable can then be found after a power cut.
 */

#include "record/audit-format.h"
#include "system/seam-io.h"

/* When a file is followed by the next, and how many are kept: docs/audit.md has the reasons. Zeros: the defaults. */
typedef struct AuditLimits {
        size_t file_bytes;
        size_t files; /* at least 2 */
} AuditLimits;

#define AUDIT_FILE_BYTES     ((size_t) 8 * 1024 * 1024)
#define AUDIT_FILES_KEPT     ((size_t) 16)

#define AUDIT_FILE_NAME_SIZE 40U

/* By the numbers in their names, ascending. */
typedef struct AuditFiles {
        uint64_t *first;
        size_t n, allocated;
} AuditFiles;

/* Names that audit_files_name() would not give are left out. 0 or <0. */
NODISCARD int audit_files_list(const SeamFd *dir, AuditFiles *ret);
void audit_files_deinit(AuditFiles *files);
void audit_files_name(uint64_t first, char ret[static AUDIT_FILE_NAME_SIZE]);

/* Makes the directory and the file as needed: 0640, group `gid` unless -1. The file may be there already. 0 or <0. */
NODISCARD int audit_files_open_dir(const Seam *seam, int root_fd, SeamFd *ret, Error *reterr);
NODISCARD int audit_files_open(
                const SeamFd *dir, uint64_t first, gid_t gid, SeamFd *ret, Error *reterr);
/* The directory, for a new file in it; with `is_new` the one above too, which names it. 0 or <0. */
NODISCARD int audit_files_flush(const SeamFd *dir, bool is_new, Error *reterr);

/* What a file's first record says. */
typedef struct AuditBeginning {
        uint64_t seq;
        Sha256 prev;
        char log_id[TX_ID_SIZE]; /* "" where it is no `open` */
} AuditBeginning;

/* 0; -ENODATA when there is none; <0. */
NODISCARD int audit_files_read_first(const SeamFd *dir, uint64_t first, AuditBeginning *ret);
/* Number and hash of a file's last record. 0; -ENODATA when there is none near its end; <0. */
NODISCARD int audit_files_read_last(const SeamFd *dir, uint64_t first, AuditHead *ret);

/* Hands the lines of `bytes` to `take`, the last one first, each without its newline; the line's offset among the bytes
 * with it. Ends when `take` returns false. True when it never did. */
typedef bool (*AuditTakeLine)(void *userdata, const char *line, size_t n, size_t offset);
bool audit_files_walk_back(const char *bytes, size_t n, AuditTakeLine take, void *userdata);
