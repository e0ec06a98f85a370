/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How the guard shows that it holds a deadline, and how the helper sees it before it writes the first value.
 *
 *         guard     locks /run/twprofile/armed, then writes the transaction's id into it
 *         helper    waits until somebody holds the lock and the id is the right one
 *
 * The lock ends with its holder, so a file that a dead guard left cannot lie, and no bus is needed. The file is 0600: who
 * can read it could keep the guard from its lock by taking a shared one.
 */

#include "base/error.h"
#include "base/fd.h"
#include "record/journal-format.h"

#define ARMED_WAIT_MS 5000

/* --- the guard ------------------------------------------------------------------------------------------------ */

typedef struct Armed {
        int fd; /* opened once: closing any descriptor of the file would end the lock */
        bool is_locked;
} Armed;

#define ARMED_EMPTY ((Armed){ .fd = FD_EMPTY })

/* Opens or makes the file in the directory /run/twprofile. 0 or <0: -EPERM when it is not ours. */
NODISCARD int armed_open(int run_fd, Armed *ret, Error *reterr);
void armed_close(Armed *armed);
/* Takes the lock unless it is held already, and writes the id. -EAGAIN when another process holds it. */
NODISCARD int armed_announce(Armed *armed, const char *tx, Error *reterr);

/* --- the helper ----------------------------------------------------------------------------------------------- */

typedef struct ArmedWait {
        int root_fd;    /* the directory that stands for "/"; borrowed */
        int timeout_ms; /* 0: ARMED_WAIT_MS */
} ArmedWait;

/* EngineArm; userdata is an ArmedWait. */
NODISCARD int armed_wait(void *userdata, const char *tx, Error *reterr);
