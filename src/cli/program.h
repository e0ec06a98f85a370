/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Another program's output: run with an empty environment but LC_ALL=C and TZ=UTC, without input, its errors thrown away.
 */

#include "base/strbuf.h"

/* Appends what argv[0], an absolute path, prints; it is ended when it takes longer than `timeout_ms` or prints more than
 * `limit` bytes. 0; -ENOENT: there is no such program; -ETIMEDOUT; -EFBIG; -EIO: it did not end with 0; another errno. */
NODISCARD int program_read(const char *const *argv, size_t limit, unsigned timeout_ms, StrBuf *out);
