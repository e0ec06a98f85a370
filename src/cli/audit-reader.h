/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The audit log read for people: all lines of /var/log/twprofile/audit-*.ndjson below a root, oldest first.
 * Lines that are no records are kept as such and told, never fatal: the log is evidence, also where it is
 * damaged. Chains and heads are audit-verify's.
 */

#include "cli/audit-files.h"
#include "record/audit-line.h"

typedef struct AuditEntry {
        const char *file; /* its name */
        size_t line;      /* 1-based */
        AuditLine record; /* object NULL: not a record */
        const char *why;  /* then: what is wrong */
} AuditEntry;

typedef struct AuditEntries {
        AuditEntry *items; /* owned */
        size_t n_items, capacity;
} AuditEntries;

/* 0, also when there is no log; -EACCES or another errno with a sentence. */
NODISCARD int audit_reader_load(
                const Seam *seam, int root_fd, Arena *arena, AuditEntries *ret, Error *reterr);
void audit_entries_deinit(AuditEntries *entries);
