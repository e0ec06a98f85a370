/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The health gate inside the window: GuardGate of the guard. Each call takes one sample and judges it by the baseline of
 * the change that is watched.
 *
 *         GateWatcher watcher = { .seam = seam, .root_fd = fd, .log = log };
 *         guard.gate = gate_watcher_ask;
 *         guard.gate_userdata = &watcher;
 *         … gate_watcher_close(&watcher);
 *
 * What cannot be understood or read ends no window early: the deadline is still there. It is logged, once for each change.
 */

#include "base/strbuf.h"
#include "helper/gate-sample.h"
#include "record/journal-format.h"

typedef struct GateWatcher {
        GateSampler sampler; /* seam and root_fd are the caller's to set */
        void (*log)(const char *line);
        char tx[TX_ID_SIZE]; /* of the change that is watched; "" before the first */
        bool is_usable;      /* its baseline could be understood */
        bool is_complained;
        GateWatch watch;
} GateWatcher;

void gate_watcher_close(GateWatcher *watcher);

/* Whether the change made things worse; then `ret_evidence` gets the sentence. userdata is a GateWatcher. */
bool gate_watcher_ask(void *userdata, const char *tx, const char *baseline, StrBuf *ret_evidence);
