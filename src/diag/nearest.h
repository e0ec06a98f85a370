/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * "Did you mean …?": the known word that looks most like one that is not known. The distance counts inserted,
 * dropped, exchanged and swapped neighbouring bytes; a word counts as near when at most a third of the longer word
 * would have to change.
 */

#include "base/macro.h"

#define NEAREST_MAX_LENGTH 64U

/* SIZE_MAX for words longer than NEAREST_MAX_LENGTH. */
size_t nearest_distance(const char *a, const char *b);

/* Keeps *best, the nearest so far (NULL at first), or replaces it by `candidate`. */
void nearest_consider(const char *word, const char *candidate, const char **best);

/* NULL when none is near. The result is one of the words. */
const char *nearest_find(const char *word, const char *const *words, size_t n_words);
