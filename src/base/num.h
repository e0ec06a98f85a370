/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Strict decimal numbers: an optional '-', digits, no leading zero, no sign '+', no blank, nothing behind.
 * The kernel's own reader takes 010 as octal and 0x1e as hexadecimal, so whatever people write is refused
 * here rather than guessed.
 */

#include "base/macro.h"

/* 0, -EINVAL for another spelling, -ERANGE outside int64_t. */
NODISCARD int num_parse_i64(const char *text, int64_t *ret);
/* The same for values from 0. */
NODISCARD int num_parse_u64(const char *text, uint64_t *ret);
