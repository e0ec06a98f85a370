/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Characters of a text: strict decoding, how wide a terminal shows them, and which of them must never reach a
 * terminal or a line of a file as they are. No locale is used, so the answers are the same everywhere.
 *
 * Nothing here allocates or fails.
 */

#include "base/macro.h"

/* Reads one character from n > 0 bytes. The number of bytes it takes, or 0 when they are not UTF-8 (also overlong
 * forms, surrogates, and values over U+10FFFF). */
size_t utf8_decode(const char *bytes, size_t n, uint32_t *ret);
bool utf8_is_valid(const char *bytes, size_t n);
/* The number of characters; a byte that is not UTF-8 counts as one. */
size_t utf8_count(const char *bytes, size_t n);

/* Columns on a terminal: 0 for combining marks, 2 for East Asian wide and emoji, else 1. */
unsigned utf8_width(uint32_t character);

/* Control characters, line and paragraph separators, the byte order mark, and the characters that change the
 * direction of writing: a reader cannot see them, or sees another order than the program. */
bool utf8_is_hidden(uint32_t character);
