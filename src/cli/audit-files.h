/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of the audit log below a root, /var/log/twprofile/audit-<first number>.ndjson, walked line by line in the
 * order of their numbers. What a line holds is not looked at.
 *
 * A file that is pruned between being listed and being read is passed over: a later one says so.
 */

#include "base/arena.h"
#include "base/error.h"
#include "system/seam-io.h"

#define AUDIT_FILES_DIR "var/log/twprofile"

typedef struct AuditFileLine {
        const char *file; /* its name; lives as long as the arena */
        uint64_t first;   /* the number in it */
        size_t number;    /* of the line, from 1; 0: the file begins, and there is no line */
        const char *bytes;
        size_t n;         /* without the newline */
        bool has_newline; /* false: the last line of a file, and it lacks one */
} AuditFileLine;

/* 0, or <0 to stop. */
typedef int (*AuditFilesVisit)(void *userdata, const AuditFileLine *line, Error *reterr);

/* 0, also when there is no log; what `visit` returned; -EACCES or another errno with a sentence. */
NODISCARD int audit_files_walk(
                const Seam *seam, int root_fd, Arena *arena, AuditFilesVisit visit, void *userdata,
                Error *reterr);
