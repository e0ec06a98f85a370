/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the reader of a stream can see: the one place that decides about colour and width.
 *
 * Colour: only on a terminal, without NO_COLOR, and not when TERM is dumb or unset. Width: the terminal's,
 * else COLUMNS when it is sensible, else 80.
 */

#include "base/macro.h"

#define TERMINAL_DEFAULT_WIDTH 80U

typedef struct Terminal {
        bool is_terminal;
        bool colour;
        size_t width; /* columns */
} Terminal;

Terminal terminal_inspect(int fd);

/* The decision alone, for tests: values of the environment, NULL when unset. */
bool terminal_wants_colour(bool is_terminal, const char *no_color, const char *term);
