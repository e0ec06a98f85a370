/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * history --diff=A..B: what generation B asks for that A does not, and the other way round. Read from the stored
 * generations in the state directory, which is root's; what they held as values, not what a kernel made of them.
 * 0 is the state without anything of ours.
 */

#include "cli/host.h"

/* "3..5"; "3..": up to the newest. 0 or -EINVAL; *ret_to is UINT64_MAX for the newest. */
NODISCARD int history_diff_parse(const char *text, uint64_t *ret_from, uint64_t *ret_to);

/* An exit code, or <0 with context->error set. */
NODISCARD int history_diff_run(Context *context, const Host *host);
