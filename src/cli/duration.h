/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Lengths of time as people write and read them.
 */

#include "base/strbuf.h"

/* "90s", "2min", "1h", "1h30min": numbers with a unit, without blanks, larger units first, each once. A number alone is
 * refused: nobody knows whether it means seconds or minutes. 0 or -EINVAL. */
NODISCARD int duration_parse(const char *text, uint64_t *ret_seconds);

/* "45 s", "2 min", "1 min 30 s", "24 h", "1 h 5 min"; from an hour on without seconds. */
void duration_add(uint64_t seconds, StrBuf *out);
