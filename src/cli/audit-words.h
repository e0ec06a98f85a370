/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a record of the audit log says, in words: for whoever shows records to people. Texts are as they stand in the
 * record, where somebody else may have chosen them: escaping is up to what shows them.
 */

#include "record/audit-line.h"

/* How something ended, as opposed to intents and the log's own bookkeeping. */
bool audit_words_is_told(AuditEvent event);
/* "alice", "alice as root": who logged in, and as whom it was done when that is another; "uid 1000" for users without a
 * name any more; "boot" for what nobody asked for. */
void audit_words_add_who(json_t *record, StrBuf *out);
/* "base, web": what is enabled from then on, without digests. */
void audit_words_add_profiles(json_t *record, StrBuf *out);
/* "applied"; the event's name where a record has no outcome. Lives as long as the record. */
const char *audit_words_outcome(json_t *record, AuditEvent event);
