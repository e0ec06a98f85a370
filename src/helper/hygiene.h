/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a process inherits and must not trust, put right before anything else happens: environment, umask,
 * descriptors, signal dispositions, the right of others to look into it. No locale is ever set.
 */

#include "base/error.h"

/* What ExecStopPost= is told about the process that ended (systemd.exec(5)); "" where it is not set. Read before
 * the environment is cleared, and used for one thing: to do nothing after a good end. */
typedef struct Aftermath {
        char service_result[32];
        char exit_code[32];
        char exit_status[32];
} Aftermath;

/* Whether the main process ended by itself and well. A SIGTERM counts as success for systemd, but it may have
 * hit a change half way, so it is none here. */
bool aftermath_is_clean(const Aftermath *aftermath);
/* Whether systemd told anything. */
bool aftermath_is_set(const Aftermath *aftermath);

/* Standard descriptors that are closed are opened on /dev/null (else the next file opened would become standard
 * output); all others are closed. The environment is emptied. SIGPIPE, SIGINT, SIGQUIT, SIGHUP and SIGTSTP are
 * ignored: they are for the program at the terminal, and a change must not end, or stop with the lock held,
 * because somebody pressed a key. Core dumps and ptrace by others are off. 0 or <0. */
NODISCARD int hygiene_enter(Aftermath *ret, Error *reterr);
