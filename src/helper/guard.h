/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The dead man's switch: holds the deadline of the change that awaits confirmation, and takes it back when nobody
 * confirms (units.md part 4).
 *
 *         armed first:   lock /run/twprofile/armed, write the transaction's id, READY=1
 *         then waits:    the deadline (CLOCK_BOOTTIME), events in /run/twprofile, SIGTERM, a ping for the watchdog
 *         at every event what is to be watched is read anew, for removing and making a file may be one event
 *         at the deadline: ENGINE_REVERT; again with growing pauses until the answer is final
 *
 * It ends well when nothing is to be watched any more, and on SIGTERM: while the file is there the path unit starts the
 * next one. It keeps nothing that the next one would need.
 */

#include "base/strbuf.h"
#include "engine/engine.h"
#include "helper/notify.h"

/* The health gate: asked twice a second through a window that has a baseline. Returns whether the change has to be taken
 * back now, and why, in one sentence with the numbers. Called for one transaction after the other, never at once. */
typedef bool (*GuardGate)(
                void *userdata, const char *tx, const char *baseline, StrBuf *ret_evidence);

typedef struct Guard {
        Engine *engine; /* prepared; borrowed, as all that follows */
        const Notify *notify;
        GuardGate gate; /* NULL: no gate here */
        void *gate_userdata;
        void (*log)(const char *line);
        void (*tell)(const DiagList *findings); /* what a revert came to */
} Guard;

/* 0 at a good end. <0: it cannot watch, or what it watched could not be settled; the process has to end with a
 * failure. */
NODISCARD int guard_run(Guard *guard, Error *reterr);
