/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * TIME_WAITs of a day as sysstat has archived them: what `sadf -j FILE -- -n SOCK` prints (sadf(1); sysstat 12.6,
 * json_stats.c, json_print_net_sock_stats()). Pure.
 */

#include "base/arena.h"
#include "base/error.h"

#define REPORT_ARCHIVE_MAX_BYTES  ((size_t) 16 * 1024 * 1024)
#define REPORT_ARCHIVE_MAX_POINTS 100000U /* a day of seconds is 86400 */

typedef struct ReportArchivePoint {
        int64_t time_us; /* CLOCK_REALTIME */
        uint64_t time_wait;
        bool is_after_restart; /* the kernel was started anew since the point before */
} ReportArchivePoint;

typedef struct ReportArchive {
        const char *file;                 /* where it is from */
        const ReportArchivePoint *points; /* oldest first */
        size_t n_points;
} ReportArchive;

/* Points go into the arena; `file` is the caller's to set. 0, also without any point; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int report_archive_decode(
                const char *bytes, size_t n, Arena *arena, ReportArchive *ret, Error *reterr);
