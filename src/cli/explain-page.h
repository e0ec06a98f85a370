/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The page about one key for people: what is seen here, what values mean, where it exists, what to think of it, and
 * who sets it; explain-key.h finds all that.
 */

#include "cli/explain-key.h"

/* Appends it. 0 or -ENOMEM. */
NODISCARD int explain_page_render(const ExplainKey *key, Arena *arena, size_t width, StrBuf *out);
