/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the registry of diagnostics says about one code, for people and as JSON.
 */

#include "cli/context.h"

/* "TW451", "tw451" or "time-wait-below-rfc"; NULL when there is none. */
const DiagRow *explain_code_find(const char *word);
/* A code or name that looks like `word`, or NULL. */
const char *explain_code_find_nearest(const char *word);
/* Appends the text. */
void explain_code_render(const DiagRow *row, size_t width, StrBuf *out);
/* A new reference, or NULL when out of memory. */
json_t *explain_code_to_json(const DiagRow *row);
