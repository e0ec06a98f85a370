/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Advice as JSON: what `advise --json` prints as its result, and the two samples in it, which `advise --from=FILE` reads again
 * and judges anew.
 */

#include "insight/advice.h"
#include "record/strict-json.h"

#define ADVICE_FORMAT_VERSION   1
#define ADVICE_FORMAT_MAX_BYTES ((size_t) 2 * 1024 * 1024)

/* A new reference, or NULL when out of memory. */
json_t *advice_to_json(const AdviceInput *input, const Advice *advice);
/* One finding alone, as in `findings`. */
json_t *advice_finding_to_json(const AdviceFinding *finding);

/* From a document of `n` bytes: the result of advise, or only its `samples`; or a snapshot, which is taken for `now`. Arrays
 * and texts go into the arena; ret->before is NULL when there is one sample. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int advice_decode_samples(
                const char *bytes, size_t n, Arena *arena, AdviceInput *ret, Error *reterr);
