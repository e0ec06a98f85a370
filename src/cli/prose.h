/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text filled into lines, between words. Words that are longer than a line stand alone. Control characters are
 * escaped.
 */

#include "base/strbuf.h"

/* Blanks and single newlines separate words, an empty line stays one. Every line starts with `indent` blanks, is
 * at most `width` columns with them, and ends with a newline. Nothing for an empty text. */
void prose_add(StrBuf *out, const char *text, size_t indent, size_t width);
