/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The copy of the audit log in systemd's journal: where administrators look, and where an intruder who rewrites
 * our file does not reach what is there already.
 *
 *         CLEANUP(journald_deinit) Journald journald = { 0 };
 *         engine.mirror = journald_mirror;
 *         engine.mirror_userdata = &journald;
 *
 * One entry for each record, with a MESSAGE_ID for its kind (units/twprofile.catalog explains each to
 * `journalctl -x`), a sentence, and TWPROFILE_ fields to search by. TWPROFILE_KEY and TWPROFILE_CHANGE are given
 * once for each key; a change is one text ("net.core.somaxconn: 4096 -> 8192 (set)") rather than an old and a
 * new field, because the journal stores equal values of a field once, so two lists would not stay in step.
 *
 * libsystemd is loaded at the first record and only where journald listens: it costs 0.4 to 0.7 ms, a third of
 * everything else that the program does at start. Where there is no journal, or it does not take the entry, the
 * record is not mirrored; the audit log says so and nothing else depends on it.
 */

#include <sys/uio.h>

#include "base/strbuf.h"
#include "record/audit-format.h"

typedef struct Journald {
        bool is_tried;
        void *library;
        int (*sendv)(const struct iovec *fields, int n); /* sd_journal_sendv() */
} Journald;

void journald_deinit(Journald *journald);

/* EngineMirror; userdata is a Journald. */
bool journald_mirror(void *userdata, const AuditRecord *record, const AuditHead *head);

/* --- the pure part --------------------------------------------------------------------------------------- */

/* What a record tells, by event and exit code. */
typedef struct JournaldKind {
        AuditEvent event;
        int exit_code; /* of AUDIT_OUTCOME; JOURNALD_ANY_EXIT for the rest */
        const char *message_id;
        int priority;         /* of syslog */
        const char *sentence; /* begins the message */
} JournaldKind;

#define JOURNALD_ANY_EXIT (-1)

const JournaldKind *journald_kind(const AuditRecord *record);
/* All kinds, for the test that compares them with the catalog. */
const JournaldKind *journald_kinds(size_t *ret_n);

/* "FIELD=value" entries; data of all of them lies in `text`. */
typedef struct JournaldEntry {
        StrBuf text;
        struct iovec *fields;
        size_t n_fields;
} JournaldEntry;

void journald_entry_deinit(JournaldEntry *entry);
/* `entry` is zero before. 0 or -ENOMEM. */
NODISCARD int journald_entry_render(
                const AuditRecord *record, const AuditHead *head, JournaldEntry *entry);
