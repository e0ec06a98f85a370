/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The health gate: whether a change made things worse, by what the kernel counts.
 *
 *         for each two samples before the change:   gate_baseline_add(&baseline, &previous, &sample);
 *         for each sample in the window:            if (gate_watch_add(&watch, &sample, &verdict)) …
 *
 * One row in gate.c for each counter, with its threshold. A counter is worse when it rises, in GATE_STRIKES intervals one
 * behind the other, faster than the row allows beyond twice the fastest rise of the baseline: the noise that was there
 * before is no reason. A share (retransmissions of all segments) and a level (ports taken to the busiest destination,
 * which no counter shows) are judged alike. What a kernel does not count is not judged.
 *
 * Rates are thousandths of an event per second, shares and levels thousandths of the whole. Pure: nothing is read here.
 */

#include "base/strbuf.h"

#define GATE_STRIKES 2U

typedef enum GateKind {
        GATE_RATE,  /* events per second */
        GATE_SHARE, /* of another counter's events, in intervals with enough of them */
        GATE_LEVEL, /* as it stands, in thousandths */
} GateKind;

typedef struct GateCounter {
        const char *name; /* in messages and JSON: "TcpExt.ListenOverflows" */
        const char *group; /* the line's name in /proc/net/netstat or /proc/net/snmp; NULL for a level of our own */
        const char *field;
        const char *whole; /* SHARE: the other field, of the same group */
        GateKind kind;
        int64_t rise; /* what is allowed beyond twice the baseline */
        int64_t floor; /* LEVEL: below it nothing is wrong; SHARE: fewer events in an interval say nothing */
        const char *means;
} GateCounter;

typedef enum GateId {
        GATE_LISTEN_OVERFLOWS,
        GATE_LISTEN_DROPS,
        GATE_TIME_WAIT_OVERFLOW,
        GATE_PAWS_ACTIVE,
        GATE_PAWS_ESTAB,
        GATE_SYN_COOKIES,
        GATE_REQUEST_DROPS,
        GATE_ABORT_ON_MEMORY,
        GATE_RETRANSMITS,
        GATE_RESETS_SENT,
        GATE_ESTAB_RESETS,
        GATE_ATTEMPT_FAILS,
        GATE_PORTS, /* of the busiest destination */
        GATE_COUNTERS,
} GateId;

const GateCounter *gate_counter(GateId id);
/* GATE_COUNTERS when there is no such name. */
GateId gate_counter_find(const char *name);

typedef struct GateSample {
        int64_t time_ms; /* any clock that only goes forward */
        bool known[GATE_COUNTERS];
        uint64_t value[GATE_COUNTERS];
        uint64_t whole[GATE_COUNTERS]; /* SHARE */
} GateSample;

typedef struct GateBaseline {
        int64_t span_ms;
        unsigned n_intervals;
        bool known[GATE_COUNTERS];
        int64_t peak[GATE_COUNTERS]; /* of one interval */
        int64_t mean[GATE_COUNTERS]; /* over the span; of a level the last */
} GateBaseline;

/* Both samples are of one network namespace, `now` the later one. */
void gate_baseline_add(GateBaseline *baseline, const GateSample *previous, const GateSample *now);

typedef struct GateVerdict {
        GateId id;
        int64_t before_mean, before_peak, now, allowed;
        int64_t after_ms; /* since the first sample of the window */
} GateVerdict;

typedef struct GateWatch {
        GateBaseline baseline;
        bool has_first;
        GateSample first, last;
        unsigned strikes[GATE_COUNTERS];
} GateWatch;

void gate_watch_start(GateWatch *watch, const GateBaseline *baseline);
/* Whether something is worse now; the first counter in the table's order that is. */
bool gate_watch_add(GateWatch *watch, const GateSample *sample, GateVerdict *ret);

/* One sentence with the numbers. */
void gate_verdict_render(const GateVerdict *verdict, StrBuf *out);
