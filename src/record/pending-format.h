/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /run/twprofile/pending, 0600 root: there while a change awaits confirmation and has a deadline. It starts the guard
 * (twprofile-guard.path), tells it what to watch, and holds what taking back needs when the state directory cannot be
 * read. It ends with the change or with the boot, so its version only has to be this program's.
 */

#include "record/journal-payload.h"

#define PENDING_FORMAT_VERSION 1
#define PENDING_MAX_BYTES      ((size_t) 4 * 1024 * 1024)

/* How long a window may be, in seconds: long enough for a login, and no longer than somebody remembers it. */
#define PENDING_WINDOW_MIN_S 5
#define PENDING_WINDOW_MAX_S INT64_C(86400)

typedef struct Pending {
        char tx[TX_ID_SIZE];
        int64_t deadline_ms; /* CLOCK_BOOTTIME */
        Instance instance;
        const JournalKey *keys; /* before, and what was written */
        size_t n_keys;
        const JournalProfile *profiles; /* to be quarantined when it is taken back by itself */
        size_t n_profiles;
        const char *gate; /* the baseline of the health gate as JSON text; NULL: no gate */
} Pending;

/* Appends. 0 or -ENOMEM. */
NODISCARD int pending_encode(const Pending *pending, StrBuf *out);
/* Strings live in the arena. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int pending_decode(
                const char *bytes, size_t n, Arena *arena, Pending *ret, Error *reterr);
