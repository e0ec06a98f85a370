/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The group "adm", whose members may read the audit log.
 *
 * Without CAP_CHOWN a file can be given only to a group one is in. In the units SupplementaryGroups=adm sees to
 * that; a direct start joins it before the capabilities go. The number is read from etc/group of the tree that
 * is worked on, as bytes: name services would load foreign code and open sockets in a privileged process, and
 * an image that is prepared with --root has its own numbers.
 */

#include <sys/types.h>

#include "base/macro.h"

#define AUDIT_GROUP_NAME "adm"

/* 0; -ENOENT when there is no such file or no such group; <0. */
NODISCARD int audit_group_find(int root_fd, gid_t *ret);

/* The number of group `name` in the text of a group file (n bytes, hostile). */
bool audit_group_parse(const char *text, size_t n, const char *name, gid_t *ret);

/* Whether this process is in it. */
bool audit_group_is_joined(gid_t gid);

/* Makes it the only supplementary group. 0, or -EPERM where that is not allowed (no CAP_SETGID). */
NODISCARD int audit_group_join(gid_t gid);
