/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Anchors of the audit log from systemd's journal, where the helper sends a copy of each record with its number and
 * hash (TWPROFILE_AUDIT_SEQ, TWPROFILE_AUDIT_HEAD).
 *
 * Anybody may write such fields. Compared are entries that journald itself says came from uid 0 (_UID), so that no
 * user can make a whole log look broken; and none of --root, which writes the log of another tree.
 *
 * libsystemd is loaded here and nowhere else: no other verb pays for it.
 */

#include "cli/audit-anchors.h"

/* Adds the anchors of this machine's journal, or with `root` of the one below that directory. `*ret_n` is how many;
 * 0, also when the journal has none; -EOPNOTSUPP without libsystemd; -errno with a sentence. */
NODISCARD int audit_journald_add(
                AuditAnchors *anchors, const char *root, size_t *ret_n, Error *reterr);
