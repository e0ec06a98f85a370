/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What kept a lab from being made: this host, which a user can be told how to change, or something else.
 */

#include "cli/context.h"

/* Of the context's error and its number: the exit code of the finding that was added, or `r`. */
int lab_refuse(Context *context, int r);
