/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lab's client: opens connections as fast as they complete, LabLoad.concurrency at once, and counts. One thread,
 * epoll. When connect() refuses, for want of a port, it tries again each millisecond: as often as a program that retries,
 * and rarely enough that a refusal, which walks the whole port range, does not become the load.
 */

#include "base/error.h"
#include "insight/lab-load.h"

/* In the client's namespace. Ends by itself at the end of the load. `tally` has its number of ports set and is otherwise
 * zero; it is complete when this returned 0. */
NODISCARD int lab_client_run(const LabLoad *load, LabTally *tally, Error *reterr);
