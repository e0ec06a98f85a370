/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What advice asks of this machine beside counts and sockets (insight/snapshot.h): keys of the kernel that the catalogue
 * does not have, what twprofile made live, and how many tracked connections are in TIME_WAIT.
 *
 *         r = collect_counts(seam, root_fd, arena, &snapshot, &error);
 *         r = collect_settings(seam, root_fd, arena, &snapshot, &error);
 *         r = collect_surroundings(seam, root_fd, arena, &snapshot, &error);
 *
 * It costs more than the counts and changes seldom, so it is asked for on its own. Needs no privilege: what this process
 * may not read stays unknown. Only root may read the list of tracked connections; it is read when the table is
 * SURROUNDINGS_TRACKED_SHARE full, because only then does it matter who fills it.
 */

#include "base/error.h"
#include "insight/snapshot.h"
#include "system/seam.h"

#define SURROUNDINGS_STRANGE_MAX   32U /* keys */
#define SURROUNDINGS_TRACKED_SHARE 50U /* hundredths of nf_conntrack_max */

/* After collect_settings(). Adds to what looking cost. 0; -ENOMEM. */
NODISCARD int collect_surroundings(
                const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot, Error *reterr);

/* Counts the TCP entries of a piece of /proc/net/nf_conntrack (net/netfilter/nf_conntrack_standalone.c,
 * ct_seq_show()) and those of them in TIME_WAIT. How many bytes were whole lines; the rest belongs to the next piece. */
size_t surroundings_count_tracked(const char *bytes, size_t n, Snapshot *snapshot);
