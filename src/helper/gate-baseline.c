/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/gate-baseline.h"

#include <poll.h>
#include <stdio.h>

#include "record/gate-format.h"

static int interval_of(const GateBaselineTask *task) {
        return task->interval_ms > 0 ? task->interval_ms : GATE_INTERVAL_MS;
}

static void show(const GateBaselineTask *task, unsigned n_done) {
        const Engine *engine = task->engine;
        char text[64];
        int64_t left = (int64_t) (GATE_BASELINE_INTERVALS - n_done) * interval_of(task);
        (void) snprintf(text, sizeof(text), "counters before the change, %lld s left",
                        (long long) (left + 999) / 1000); /* fits */
        if (engine->progress)
                engine->progress(
                                engine->progress_userdata, "baseline", n_done,
                                GATE_BASELINE_INTERVALS, text);
}

/* Until then, on the clock of the samples. */
static int wait_until(const GateBaselineTask *task, int64_t end_ms, Error *reterr) {
        for (;;) {
                int64_t left = end_ms - gate_now_ms();
                if (left <= 0)
                        return 0;
                /* no events are asked for: a half-closed connection still waits for its answer */
                struct pollfd caller = { .fd = task->caller_fd };
                int n = poll(&caller, 1, (int) left);
                if (n < 0 && errno != EINTR)
                        return error_set(reterr, -errno, "cannot wait");
                if (n > 0)
                        return error_set(
                                        reterr, -ECANCELED,
                                        "the caller hung up before the change was begun");
        }
}

static int collect(
                const GateBaselineTask *task, GateSampler *sampler, GateBaseline *ret,
                Error *reterr) {
        GateBaseline baseline = { 0 };
        GateSample previous, now;
        int r = gate_sampler_take(sampler, &previous, reterr);
        if (r < 0)
                return r;
        int64_t start = previous.time_ms;
        for (unsigned i = 1; i <= GATE_BASELINE_INTERVALS; i++) {
                show(task, i - 1);
                r = wait_until(task, start + (int64_t) i * interval_of(task), reterr);
                if (r >= 0)
                        r = gate_sampler_take(sampler, &now, reterr);
                if (r < 0)
                        return r;
                gate_baseline_add(&baseline, &previous, &now);
                previous = now;
        }
        *ret = baseline;
        return 0;
}

static int check(const GateBaselineTask *task, const GateSampler *sampler, const GateBaseline *b) {
        unsigned n_known = 0;
        for (GateId id = 0; id < GATE_COUNTERS; id++)
                n_known += b->known[id];
        if (!b->known[GATE_PORTS] && task->log) {
                CLEANUP(strbuf_deinit) StrBuf line = { 0 };
                strbuf_addf(&line, "the health gate does not see local ports: %s",
                            sampler->ports_error.text);
                task->log(strbuf_text(&line));
        }
        return n_known > 0 ? 0 : -ENODATA;
}

int gate_baseline_sample(void *userdata, char **ret, Error *reterr) {
        const GateBaselineTask *task = userdata;
        CLEANUP(gate_sampler_close)
        GateSampler sampler = { .seam = task->engine->seam, .root_fd = task->engine->root_fd };
        GateBaseline baseline;
        int r = collect(task, &sampler, &baseline, reterr);
        if (r < 0)
                return r;
        r = check(task, &sampler, &baseline);
        if (r < 0)
                return error_set(reterr, r, "cannot find a counter that could be judged");

        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        r = gate_baseline_encode(&baseline, &text);
        if (r >= 0)
                r = strbuf_finish(&text, ret);
        return r < 0 ? error_set(reterr, r, "cannot note the baseline") : 0;
}
