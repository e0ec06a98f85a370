/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where live values exist: this boot, this network namespace, this kernel. Read below a root directory fd.
 *
 * Sources: proc/sys/kernel/random/boot_id, proc/self/ns/net (a link whose text holds the inode),
 * proc/sys/kernel/osrelease. The initial namespace is told by net/ipv4/tcp_mem, which exists only there
 * (measured on 4.4 to 7.2); no privilege is needed for that.
 */

#include "record/journal-payload.h"
#include "system/seam-io.h"

/* Fills the inode, and the boot id unless it is set already; leaves the cookie alone. 0 or <0. */
NODISCARD int instance_read(const Seam *seam, int root_fd, Instance *ret, Error *reterr);
NODISCARD int instance_read_kernel(
                const Seam *seam, int root_fd, KernelVersion *ret, Error *reterr);
/* The newest kernel that the tree below the root has modules for (usr/lib/modules, lib/modules): what an image will
 * boot. *ret stays as it is when there is none. 0 or <0. */
NODISCARD int instance_find_image_kernel(
                const Seam *seam, int root_fd, KernelVersion *ret, Error *reterr);
/* Whether this is the initial network namespace; doubt counts as yes. */
bool instance_is_initial_netns(const Seam *seam, int root_fd);
