/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The second of our three channels: what the world did wrong (I/O, permission, memory, busy).
 *
 * A function that can fail for more than one reason takes `Error *reterr` as its last parameter and
 * returns a negative errno together with one sentence. Failing is one statement,
 *
 *         return error_set(reterr, -errno, "cannot open '%s'", name);
 *
 * and so is adding context on the way up,
 *
 *         return error_prefix(reterr, r, "cannot load profile '%s'", name);
 *
 * The sentence starts in lower case, has no full stop, and error_set() appends the errno's text. The
 * caller of main() prints it once. Recording never fails: the text lives inside the object and is cut
 * when it is too long. Every function takes a NULL `reterr` and then only passes the number on.
 *
 * An Error is embedded (`Error error = {};`), needs no release, and may be reused after error_reset().
 * What the input did wrong goes into a DiagList (diag/diag.h), what the program did wrong into assert().
 */

#include "base/macro.h"

#define ERROR_TEXT_MAX 1024U

typedef struct Error {
        int number; /* positive errno, 0 when unset */
        char text[ERROR_TEXT_MAX];
} Error;

/* Both return `r`, which must be negative. */
NODISCARD int error_set(Error *reterr, int r, const char *format, ...) PRINTF_LIKE(3, 4);
NODISCARD int error_prefix(Error *reterr, int r, const char *format, ...) PRINTF_LIKE(3, 4);

void error_reset(Error *error);

static inline bool error_is_set(const Error *error) {
        return error->number != 0;
}
