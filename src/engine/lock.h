/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One writer at a time: flock() on a file in the state directory. The kernel drops it with its holder, so it
 * cannot be left behind. Waiting is bounded; a waiter holds nothing else.
 */

#include "system/seam-io.h"

#define LOCK_WAIT_MS 20000

/* Waits up to wait_ms. 0; -EBUSY when the time ran out; <0. Closing *ret releases. */
NODISCARD int lock_take(const Seam *seam, int state_fd, int wait_ms, SeamFd *ret, Error *reterr);

/* Together with others who only look, never with a writer. 0, also when nobody ever wrote and there is no lock (*ret stays as
 * it is); -EBUSY; <0. Nothing is made. */
NODISCARD int lock_share(const Seam *seam, int state_fd, int wait_ms, SeamFd *ret, Error *reterr);
