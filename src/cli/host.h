/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the command line reads of a host, below a root directory: the public status, profiles, live values,
 * the fragment. Nothing here needs privilege, nothing changes anything.
 *
 *         Host host;
 *         host_open(&host, context, HOST_STATUS | HOST_INSTANCE);
 *         …
 *         host_close(&host);
 *
 * With --root=DIR everything is read below DIR, and no live value at all: a /proc below DIR would be that of the
 * machine that builds the image. Keys count as the helper counts them there. (The tests have trees with values
 * of their own: with TWPROFILE_ROOT_LIVE in the environment they are read.)
 */

#include "cli/context.h"
#include "model/plan.h"
#include "record/status-format.h"
#include "system/instance.h"
#include "system/profile-dirs.h"
#include "system/sysctl-live.h"

typedef enum HostStatus {
        HOST_STATUS_NONE,       /* nothing of ours was ever made live here */
        HOST_STATUS_CURRENT,    /* of this boot and namespace */
        HOST_STATUS_OTHER_BOOT, /* written before a reboot: twprofile-boot.service has not run yet */
        HOST_STATUS_OTHER_NETNS, /* another network namespace's */
} HostStatus;

/* A file that was replaced has another inode, or another time where the number comes again. Zeros: there is none. */
typedef struct HostMark {
        uint64_t inode;
        int64_t changed_ns;
} HostMark;

typedef struct Host {
        const Seam *seam;
        int root_fd; /* owned */
        bool files_only;
        ProfileDirs dirs;
        Instance instance;
        KernelVersion kernel;
        bool initial_netns;
        HostStatus status_state;
        Status status; /* valid unless HOST_STATUS_NONE */
        HostMark mark; /* which public view it is */
} Host;

#define HOST_EMPTY ((Host){ .root_fd = FD_EMPTY })

/* Opens the root and finds out where we are; reads the status. 0 or <0. */
NODISCARD int host_open(Host *ret, Context *context, Error *reterr);
void host_close(Host *host);
/* Only the root and the profile directories: no status, no instance, nothing of /proc. */
NODISCARD int host_open_files(Host *ret, const Context *context, Error *reterr);

/* The view tells of a change that awaits confirmation: its values are live already. */
bool host_awaits_confirmation(const Host *host);

/* Somebody may be in the middle of a change: values and fragment are new then, and the public view comes last. Who found
 * that they do not fit together waits here, for two seconds at most, and looks again when there is another view. Whether there
 * is one; never with files_only or a view of another boot or namespace, where nobody is expected. */
bool host_has_news(const Host *host);
/* So often at most, while one change follows the other: on a slow machine the next one may begin within each look. */
#define HOST_LOOKS 100

/* What is enabled here: NULL when nothing is. A status of another boot counts (the generation is stored and
 * will be made live), one of another namespace does not. */
const Generation *host_generation(const Host *host);

/* Live values of sorted specs; with files_only none is read. */
NODISCARD int host_read_live(
                const Host *host, const SysctlSpec *const *specs, size_t n_specs, Arena *arena,
                LiveSnapshot *ret, Error *reterr);

/* What the safety rules ask of the machine when the keys of `live` are planned; with files_only all is unknown. */
NODISCARD int host_read_machine(
                const Host *host, const LiveSnapshot *live, Arena *arena, MachineFacts *ret,
                Error *reterr);

/* The fragment's file as it is. */
NODISCARD int host_read_fragment(const Host *host, PlanFragment *ret, Error *reterr);

/* Whether the profile on disk (with its includes) is no longer what generation holds. A profile that cannot be
 * loaded any more counts as changed. */
NODISCARD int host_profile_is_changed(
                const Host *host, const GenerationProfile *profile, bool *ret, Error *reterr);

/* Whether the profile on disk, with its includes, is one that was taken back by itself: enable refuses it. */
NODISCARD int host_profile_is_quarantined(
                const Host *host, const char *name, bool *ret, Error *reterr);
