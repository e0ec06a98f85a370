/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether the guard lives that holds a change's deadline: it has a lock on /run/twprofile/armed while it does
 * (helper/armed.h). Root asks for the lock; others may not open the file, and read /proc/locks.
 */

#include "base/macro.h"

typedef enum GuardState {
        GUARD_STATE_UNKNOWN,
        GUARD_STATE_ALIVE,
        GUARD_STATE_ABSENT,
} GuardState;

GuardState guard_state_read(int root_fd, const char *tx);
/* "unknown", "alive", "absent" */
const char *guard_state_name(GuardState state);
