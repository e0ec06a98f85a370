/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One sample of everything that the health gate judges: the kernel's counters, and how full the pool of local ports is.
 *
 *         CLEANUP(gate_sampler_close) GateSampler sampler = { .seam = seam, .root_fd = fd };
 *         r = gate_sampler_take(&sampler, &sample, &error);
 *
 * Counting ports means listing sockets, which takes its time where there are very many (18 ms of a processor for 10417; 6.18).
 * So they are counted less often than the counters are read where that is dear, at most for one part in GATE_PORTS_SHARE of a
 * processor's time; the samples between say nothing of them.
 */

#include "base/error.h"
#include "model/gate.h"
#include "system/seam.h"
#include "system/socket-diag.h"

#define GATE_INTERVAL_MS 500 /* between two samples */
#define GATE_PORTS_SHARE 20  /* one of so many parts of a processor's time */

typedef struct GateSampler {
        const Seam *seam;
        int root_fd; /* borrowed */
        SocketDiag diag;
        PortPool pool;
        PortUse *use; /* owned; NULL before the first sample */
        int64_t next_ports_ms;
        Error ports_error; /* why the last count failed */
} GateSampler;

void gate_sampler_close(GateSampler *sampler);

/* 0 or <0: counters that are there cannot be read. That ports cannot be counted makes them unknown, no more. */
NODISCARD int gate_sampler_take(GateSampler *sampler, GateSample *ret, Error *reterr);

/* CLOCK_MONOTONIC in milliseconds: the time of samples. */
int64_t gate_now_ms(void);
