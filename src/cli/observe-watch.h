/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The end of `observe --watch`: looks again and again until Ctrl-C, SIGTERM, or --count. On a terminal one picture with
 * sparklines, drawn over again; elsewhere one line for each look, as vmstat(8) does.
 */

#include "cli/context.h"

/* Prints by itself, errors too; the exit code. */
int observe_watch(const Context *context);
