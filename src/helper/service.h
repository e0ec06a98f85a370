/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One connection: reads calls, judges them, hands them to the engine, answers, until the caller hangs up.
 *
 *         Service service = { .engine = &engine, .connection = connection, .caller = &caller, … };
 *         r = service_run(&service, &error);
 *
 * The table of methods in service.c is the whole attack surface; beside it stands for each method why serving it
 * is safe. Nothing here trusts the command line: names, texts and types are checked again.
 *
 * A connection that is silent for SERVICE_IDLE_MS, or breaks the protocol, is dropped; that is a normal end.
 * Results are sent after the engine has let go of its lock; progress, which is sent before, never waits.
 */

#include "engine/engine.h"
#include "helper/caller.h"
#include "varlink/message.h"

#define SERVICE_IDLE_MS  2000
#define SERVICE_WRITE_MS 10000

typedef struct Service {
        Engine *engine; /* prepared; its progress functions are set here. Borrowed, as all that follows */
        VarlinkConnection *connection;
        const Caller *caller;
        const char *via; /* "socket", "direct", "root-dir" */
        /* Why this process must not act (a capability is left, no namespace could be read …), or NULL. Then
         * every method of ours is refused with it, so that the caller reads it too and not the journal alone. */
        const char *unfit;
        /* Samples the counters of the health gate and gives its baseline as JSON text, which the caller frees. Takes some
         * seconds, so it comes before the engine takes its lock. 0 or <0. NULL: there is no gate here. */
        int (*sample_gate)(void *userdata, char **ret, Error *reterr);
        void *gate_userdata;
        /* Told one line for the journal: a dropped connection, a denial that could not be recorded. */
        void (*log)(const char *line);
} Service;

/* 0 at every end that the caller chose. <0 when the engine could not tell what it did (out of memory): no answer
 * was sent, the process has to end with a failure, and recovery answers instead. */
NODISCARD int service_run(Service *service, Error *reterr);
