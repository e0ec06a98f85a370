/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a user names on the command line to be read: a file of anybody, or "-", the standard input.
 */

#include "base/strbuf.h"

static inline bool input_is_stdin(const char *path) {
        return streq(path, "-");
}

/* Appends the bytes; `flags` are more of open(2)'s. Ends soon behind `limit`, so that whoever judges the bytes sees that
 * they are too many. 0 or <0. */
NODISCARD int input_read(const char *path, int flags, size_t limit, StrBuf *out);
