/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /var/lib/twprofile/quarantine/DIGEST: one profile that was taken back by itself, and why. A digest is of the bytes of
 * a profile and its includes, so an edited profile is another one.
 */

#include "diag/diag.h"
#include "model/generation.h"
#include "record/journal-payload.h"

#define QUARANTINE_FORMAT_VERSION 1
#define QUARANTINE_MAX_BYTES      ((size_t) 4096)

typedef struct Quarantine {
        const char *name; /* of the profile */
        Sha256 digest;
        const char *cause; /* kebab-case: "deadline", "gate", "reboot" */
        const char *tx;
        int64_t time_us;      /* CLOCK_REALTIME */
        const char *evidence; /* of the gate: one sentence with the numbers; NULL otherwise */
} Quarantine;

/* Appends. 0 or -ENOMEM. */
NODISCARD int quarantine_encode(const Quarantine *quarantine, StrBuf *out);
/* Strings live in the arena. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int quarantine_decode(
                const char *bytes, size_t n, Arena *arena, Quarantine *ret, Error *reterr);

/* Judges a plan: adds `profile-quarantined` for each profile of `next` that is quarantined and is not, with the same
 * bytes, in `current` (NULL: nothing) already. Whether there was one. */
bool quarantine_judge(
                const Quarantine *rows, size_t n_rows, const Generation *current,
                const Generation *next, DiagList *findings);

/* For the formats that list them. New reference, or NULL when out of memory. */
json_t *quarantine_to_json(const Quarantine *quarantine);
NODISCARD int quarantine_from_json(json_t *object, Arena *arena, Quarantine *ret, Error *reterr);
