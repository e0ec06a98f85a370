/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The last values of something that is looked at again and again, and a line of eighth blocks that shows them. Pure.
 */

#include "base/strbuf.h"

#define SPARKLINE_VALUES 256U

/* Zero initialised: empty. */
typedef struct Sparkline {
        uint64_t values[SPARKLINE_VALUES];
        bool known[SPARKLINE_VALUES];
        size_t n, next;
} Sparkline;

/* The oldest makes room. */
void sparkline_push(Sparkline *line, uint64_t value);
/* Nothing was seen this time. */
void sparkline_push_gap(Sparkline *line);
/* The highest of the last `n`; 0 when none is known. */
uint64_t sparkline_peak(const Sparkline *line, size_t n);
/* The last `width` values, oldest first, `width` columns wide with blanks at the left: from the lowest block for 0 to a
 * full one for the highest of them; a blank where nothing is known. */
void sparkline_render(const Sparkline *line, size_t width, StrBuf *out);
