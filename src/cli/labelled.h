/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Facts for people, one below the other: a label at the left, and prose beside it, filled into lines.
 *
 *         Default:      2; 0 before Linux 4.18
 *
 * Control characters of the text are escaped.
 */

#include "base/strbuf.h"

/* Where the text starts. */
#define LABELLED_INDENT 14U

/* Nothing for a text that is NULL or empty. `label` is plain ASCII, at most LABELLED_INDENT - 2 bytes, without the
 * colon; "" continues the fact above. */
void labelled_add(StrBuf *out, const char *label, const char *text, size_t width);
/* One entry for each text, each beginning a line. */
void labelled_add_list(
                StrBuf *out, const char *label, const char *const *texts, size_t n_texts,
                size_t width);
