/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Something that can be killed without a process of its own: what it allocates comes from a region that is emptied when it
 * ends, however it ends, and its clock, its random numbers and its death are the test's.
 *
 *         bool done = sim_process_run(body, userdata);      false: it was killed
 *         …  sim_process_kill() inside body: does not return
 *
 * The program's malloc(), clock_gettime(), getrandom() and adjtimex() are replaced for the time of the body by putting functions
 * of these names before libc's. So the program cannot be built with a sanitizer that does the same. One at a time.
 */

#include "base/macro.h"

typedef void (*SimBody)(void *userdata);

bool sim_process_run(SimBody body, void *userdata);
_Noreturn void sim_process_kill(void);

/* Milliseconds of CLOCK_BOOTTIME; the other clocks follow. */
void sim_process_set_clock(int64_t now_ms);
/* Where the next random bytes come from. */
void sim_process_set_random(uint64_t *counter);

/* The at-th allocation of the next body fails (0: none), with `for_ever` all behind it too; and how many it made. */
void sim_process_fail_alloc(uint64_t at, bool for_ever);
uint64_t sim_process_count_alloc(void);
