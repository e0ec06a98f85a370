/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where records of the audit log were written down besides the log itself: number and hash. For audit_chain_init().
 *
 *         CLEANUP(audit_anchors_deinit) AuditAnchors anchors = {};
 *         r = audit_anchors_add_kept(&anchors, seam, root_fd, &kept);
 *         r = audit_anchors_add_text(&anchors, bytes, n, "the file", &error);
 *         audit_anchors_sort(&anchors);
 *
 * Anchors are read before the log: what is written meanwhile is then in the log and not in them.
 */

#include "base/error.h"
#include "record/audit-chain.h"
#include "system/seam-io.h"

typedef struct AuditAnchors {
        AuditAnchor *items; /* owned; their sources are the caller's */
        size_t n_items, capacity;
} AuditAnchors;

/* The head that the state directory keeps. */
typedef enum AuditKept {
        AUDIT_KEPT_READ,
        AUDIT_KEPT_NONE,    /* absent or empty: derived, so it may be */
        AUDIT_KEPT_DENIED,  /* root's alone */
        AUDIT_KEPT_STRANGE, /* not a head */
} AuditKept;

void audit_anchors_deinit(AuditAnchors *anchors);
/* 0 or -ENOMEM. */
NODISCARD int audit_anchors_add(
                AuditAnchors *anchors, uint64_t seq, const Sha256 *hash, const char *source);
void audit_anchors_sort(AuditAnchors *anchors);

/* 0, -ENOMEM, or another errno of reading it. */
NODISCARD int audit_anchors_add_kept(
                AuditAnchors *anchors, const Seam *seam, int root_fd, AuditKept *ret);

/* Lines: "NUMBER HASH", or records as `audit export` and the log have them. Blank lines and remains of torn
 * records are passed over. 0; -EBADMSG with a sentence that names the line; -ENOMEM. */
NODISCARD int audit_anchors_add_text(
                AuditAnchors *anchors, const char *bytes, size_t n, const char *source,
                Error *reterr);

/* "kept", … for JSON. */
const char *audit_kept_name(AuditKept kept);
