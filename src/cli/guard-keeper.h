/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What twprofile-guard.path does where systemd runs, for `twprofile sandbox`: a process beside the command that starts
 * `twprofile-helper guard` whenever a change awaits confirmation, and again when it was killed. It is no child of the
 * command, which may wait for its own, and it ends with it; so does the guard.
 */

#include "base/error.h"

/* Called in the process that becomes the command. `run_dir` is "/run/twprofile", but for tests. 0 or <0. */
NODISCARD int guard_keeper_start(const char *run_dir, const char *helper, Error *reterr);
