/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sysstat's archive of a day (sar(1)): found where distributions keep it, read by its own sadf(1), for its format is its
 * own. Nobody needs it: a host without it has a report without it.
 */

#include "base/arena.h"
#include "base/error.h"
#include "insight/report-archive-format.h"

#define SYSSTAT_TIMEOUT_MS 20000U

/* The archive of the day that `time_us` (CLOCK_REALTIME) is in, local time, below the root: a path in the arena, relative to
 * it. NULL when there is none. 0 or -ENOMEM. */
NODISCARD int sysstat_find(int root_fd, int64_t time_us, Arena *arena, const char **ret);

/* A file of sysstat, or what sadf -j printed of one. 0; <0 with a sentence. */
NODISCARD int sysstat_read(const char *path, Arena *arena, ReportArchive *ret, Error *reterr);
