/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A curve in one line of text: eight heights of block characters (U+2581 to U+2588), 0 at the bottom.
 */

#include "base/strbuf.h"

/* `width` characters for `n` values; each shows the largest of the values that fall on it, and where there are fewer values
 * than characters there are as many characters as values. `top` is the full height; 0: the largest of the values. */
void sparkline_add(const uint64_t *values, size_t n, size_t width, uint64_t top, StrBuf *out);
