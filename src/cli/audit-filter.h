/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which records of the audit log somebody wants to see: --since, --until, --key, --profile, --verb, --tx, --user. All that
 * are given have to hold. What a record cannot tell, because its list was too long for the line, counts as holding:
 * leaving it out would hide it.
 *
 *         AuditFilter filter;
 *         r = audit_filter_init(&filter, context);        // reads the options
 *         for (…)                                         // oldest first
 *                 if (audit_filter_takes(&filter, record))
 */

#include <jansson.h>

#include "cli/context.h"

typedef struct AuditFilter {
        bool is_set;               /* any of the options was given */
        char since[32], until[32]; /* as a record's `t`; "" without */
        const char *key, *profile, *verb, *tx;
        bool has_user;
        int64_t uid;
        bool had_profile; /* the profile was enabled after the record before */
} AuditFilter;

/* 0, or the exit code of a finding: no time, no such user. */
NODISCARD int audit_filter_init(AuditFilter *filter, Context *context);

/* To be asked for each record, oldest first: a record concerns a profile also when it is the one that took it away. */
bool audit_filter_takes(AuditFilter *filter, json_t *record);
