/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Taking values back that a journal or /run tells of: three-way, in reverse order, group safety included
 * (engine/restore-group.h).
 *
 *         CLEANUP(restore_close) Restore restore = { 0 };
 *         restore_open()       the kernel files of the keys
 *         restore_add()        one for each key that shall go from one value to another
 *         restore_run()        does it, and adds the findings: foreign-value-kept, unsafe-mix-prevented, state-unknown
 *
 * restore_undo() does all of it for the keys of a transaction.
 */

#include "engine/apply.h"
#include "engine/session.h"

typedef struct Restore {
        Session *session;
        LiveSet live;
        Apply apply;
        bool is_silent;       /* what is left to somebody else is nothing to tell */
        const AuditKey *keys; /* one for each item, after restore_run() */
        size_t n_keys;
        size_t n_stuck; /* that the kernel did not take back */
        size_t n_kept;  /* of somebody else */
} Restore;

NODISCARD int restore_open(
                Session *session, const JournalKey *keys, size_t n, Restore *ret, Error *reterr);
/* `from` and `to` as the kernel spells them. -ENOKEY for a key that this catalogue does not have. */
NODISCARD int restore_add(
                Restore *restore, const char *key, const char *from, const char *to, Error *reterr);
NODISCARD int restore_run(Restore *restore, Error *reterr);
void restore_close(Restore *restore);

/* Every key from `want` back to `before`. */
NODISCARD int restore_undo(
                Session *session, const JournalKey *keys, size_t n, Restore *ret, Error *reterr);

/* The same as changes of the result. 0 or -ENOMEM. */
NODISCARD int restore_report(const Restore *restore);
