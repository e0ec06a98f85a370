/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Samples of the TCP sockets for the verbs: taken here and now, or recorded before.
 *
 *         CLEANUP(sampling_close) Sampling sampling = SAMPLING_EMPTY;
 *         r = sampling_open(&sampling, context);
 *         r = sampling_look_at_counts(&sampling, &snapshot);    cheap
 *         r = sampling_look_around(&sampling, &snapshot);       what advice asks for beside
 *         r = sampling_look_at_sockets(&sampling, &snapshot);   every socket
 *
 * Everything lives in the context's arena. <0 with context->error set.
 */

#include "cli/context.h"
#include "insight/advice.h"
#include "insight/collect.h"

typedef struct Sampling {
        Context *context; /* borrowed */
        int root_fd;      /* owned */
        SocketDiag diag;  /* owned */
} Sampling;

#define SAMPLING_EMPTY ((Sampling){ .root_fd = FD_EMPTY, .diag = SOCKET_DIAG_EMPTY })

NODISCARD int sampling_open(Sampling *ret, Context *context);
void sampling_close(Sampling *sampling);

NODISCARD int sampling_look_at_counts(const Sampling *sampling, Snapshot *ret);
NODISCARD int sampling_look_around(const Sampling *sampling, Snapshot *snapshot);
/* Sockets that cannot be listed are a finding, and 0: the counters are worth something without them. */
NODISCARD int sampling_look_at_sockets(Sampling *sampling, Snapshot *snapshot);

void sampling_sleep(uint32_t seconds);

/* The same; on a terminal with a line on standard error that says how long, and is taken away. */
void sampling_wait(const Context *context, uint32_t seconds);

/* What `advise --json` or `observe --json` printed, from a file or "-": two samples, or one. 0, an exit code with a finding,
 * or <0. */
NODISCARD int sampling_load_input(Context *context, const char *path, AdviceInput *ret);
/* The later one of them. */
NODISCARD int sampling_load(Context *context, const char *path, Snapshot *ret);
