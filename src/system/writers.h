/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who else sets keys of ours: the files of sysctl.d (system/winner.h), the active profile of TuneD (system/tuned.h), and
 * bpftune. From files and /proc alone: the helper's sandbox has no bus, and the command line needs no privilege.
 *
 * systemd-networkd is not among them: what it sets (net.ipv4.conf.LINK.*, net.ipv6.conf.LINK.*, ip_forward; systemd.network(5),
 * networkd.conf(5)) is in no row of the catalogue.
 */

#include "model/owners.h"
#include "system/winner.h"

typedef struct WritersRequest {
        const Seam *seam;
        int root_fd;
        bool files_only; /* below --root: which programs run here says nothing */
        const char *fragment; /* our own file's bytes as they will be, "" for none; NULL: as they are on disk */
        const SysctlSpec *const *specs;
        size_t n_specs;
} WritersRequest;

/* The owners of these keys, in the order of specs. All in the arena; *ret_files (may be NULL) is for winner_find(). */
NODISCARD int writers_find(
                const WritersRequest *request, Arena *arena, Owners *ret,
                const WinnerFiles **ret_files, Error *reterr);

/* For a plan: the keys that it will own, against the fragment that it will write. Of `where` the seam, the root and
 * files_only count. */
NODISCARD int writers_find_for_plan(
                const WritersRequest *where, const Plan *plan, Arena *arena, Owners *ret,
                Error *reterr);

/* Whether a program of that name (as in /proc/PID/comm; a script has its own name there) runs. Doubt counts as no. */
bool writers_program_runs(const Seam *seam, int root_fd, const char *name);
