/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reading one line of the audit log, without trust: what audit_record_encode() writes is accepted and nothing
 * else, except that a newer format version is said to be one.
 *
 * Whether the line follows its predecessor (`prev`, `seq`) is the caller's comparison.
 */

#include "record/audit-format.h"
#include "record/strict-json.h"

typedef struct AuditLine {
        uint64_t seq;
        Sha256 prev;
        Sha256 hash; /* of this line */
        AuditEvent event;
        json_t *object; /* owned by the caller: json_decref() */
} AuditLine;

/* `bytes` is the line without its newline. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int audit_line_decode(const char *bytes, size_t n, AuditLine *ret, Error *reterr);
