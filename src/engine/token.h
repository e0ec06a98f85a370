/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The word by which a change is confirmed: the beginning of its transaction, to be recognised, and 128 random bits, so
 * that nobody confirms what he was not told of. "1f0c2a9b-" and 32 hexadecimal digits.
 */

#include "record/journal-format.h"

#define TOKEN_SIZE 42U /* with the NUL */

void token_new(const char *tx, char ret[static TOKEN_SIZE]);
/* Takes the same time whatever differs. */
bool token_equal(const char *a, const char *b);
/* Whether the token is of a transaction, by its beginning: for messages about what became of it, never for a right. */
bool token_is_of(const char *token, const char *tx);
