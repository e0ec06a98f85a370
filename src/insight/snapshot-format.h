/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A snapshot as JSON: what `observe --json` prints as its result, and what `observe --from=FILE` and the tests of advice
 * read again. Both directions give the same snapshot.
 *
 * For the reader there are members that follow from others (`pool`, `use_per_mille`): they are not read. Settings and
 * counters that this program does not know are passed over: a newer one recorded them. Every other surprise is an error.
 */

#include "base/error.h"
#include "insight/snapshot.h"
#include "record/strict-json.h"

#define SNAPSHOT_FORMAT_VERSION   1
#define SNAPSHOT_FORMAT_MAX_BYTES ((size_t) 1024 * 1024)

/* A new reference, or NULL when out of memory. */
json_t *snapshot_to_json(const Snapshot *snapshot);
/* Texts and lists go into the arena. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int snapshot_from_json(json_t *object, Arena *arena, Snapshot *ret, Error *reterr);
/* From a document of `n` bytes: the snapshot itself, or what observe --json printed, with the snapshot as its result. */
NODISCARD int snapshot_decode(
                const char *bytes, size_t n, Arena *arena, Snapshot *ret, Error *reterr);
