/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Diagnostics as JSON, the `findings` of the result envelope: one object each with code, name, severity,
 * message, and where known key, profile, place {file, line, column, end_line, end_column}, labels, notes,
 * help. jansson does the encoding; text that is not UTF-8 is replaced, so encoding never fails for content.
 */

#include <jansson.h>

#include "diag/diag.h"

/* A JSON string in which every byte that is not UTF-8 became U+FFFD. New reference, NULL when out of memory. */
json_t *diag_json_text(const char *text);

/* A new array (the caller's reference), or NULL when out of memory. */
json_t *diag_json_encode(const DiagList *list);

/* Adds what such an array says to `list`; unknown names become DIAG_FOREIGN with the text kept. Used by
 * the command line for what the helper answers. -EINVAL when the shape is wrong. */
NODISCARD int diag_json_decode(json_t *array, DiagList *list);
