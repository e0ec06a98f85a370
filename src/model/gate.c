/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/gate.h"

#include <inttypes.h>

#define PER_MILLE INT64_C(1000)

/* The kernel's names are those of net/ipv4/proc.c (snmp4_tcp_list, snmp4_net_list). The thresholds are judgements: small
 * enough that a server which loses connections is seen in a second, large enough that a single scanner is not. */
static const GateCounter counters[GATE_COUNTERS] = {
        [GATE_LISTEN_OVERFLOWS] = { "TcpExt.ListenOverflows", "TcpExt", "ListenOverflows", NULL,
                                    GATE_RATE, 5 * PER_MILLE, 0,
                                    "connections refused because an accept queue was full" },
        [GATE_LISTEN_DROPS] = { "TcpExt.ListenDrops", "TcpExt", "ListenDrops", NULL, GATE_RATE,
                                5 * PER_MILLE, 0, "SYNs dropped by listening sockets" },
        [GATE_TIME_WAIT_OVERFLOW] = { "TcpExt.TCPTimeWaitOverflow", "TcpExt", "TCPTimeWaitOverflow",
                                      NULL, GATE_RATE, 5 * PER_MILLE, 0,
                                      "TIME_WAIT sockets thrown away at tcp_max_tw_buckets" },
        [GATE_PAWS_ACTIVE] = { "TcpExt.PAWSActive", "TcpExt", "PAWSActive", NULL, GATE_RATE,
                               5 * PER_MILLE, 0,
                               "answers to our SYNs dropped for their timestamps" },
        [GATE_PAWS_ESTAB] = { "TcpExt.PAWSEstab", "TcpExt", "PAWSEstab", NULL, GATE_RATE,
                              10 * PER_MILLE, 0,
                              "segments of open connections dropped for their timestamps" },
        [GATE_SYN_COOKIES] = { "TcpExt.SyncookiesSent", "TcpExt", "SyncookiesSent", NULL, GATE_RATE,
                               10 * PER_MILLE, 0, "SYNs answered without room to remember them" },
        [GATE_REQUEST_DROPS] = { "TcpExt.TCPReqQFullDrop", "TcpExt", "TCPReqQFullDrop", NULL,
                                 GATE_RATE, 5 * PER_MILLE, 0,
                                 "SYNs dropped because the request queue was full" },
        [GATE_ABORT_ON_MEMORY] = { "TcpExt.TCPAbortOnMemory", "TcpExt", "TCPAbortOnMemory", NULL,
                                   GATE_RATE, 1 * PER_MILLE, 0,
                                   "connections reset for lack of memory or orphan slots" },
        [GATE_RETRANSMITS] = { "Tcp.RetransSegs", "Tcp", "RetransSegs", "OutSegs", GATE_SHARE, 20,
                               200, "segments sent again, of all that were sent" },
        [GATE_RESETS_SENT] = { "Tcp.OutRsts", "Tcp", "OutRsts", NULL, GATE_RATE, 50 * PER_MILLE, 0,
                               "resets sent" },
        [GATE_ESTAB_RESETS] = { "Tcp.EstabResets", "Tcp", "EstabResets", NULL, GATE_RATE,
                                20 * PER_MILLE, 0, "open connections reset" },
        [GATE_ATTEMPT_FAILS] = { "Tcp.AttemptFails", "Tcp", "AttemptFails", NULL, GATE_RATE,
                                 20 * PER_MILLE, 0, "connections that were never established" },
        [GATE_PORTS] = { "ports.busiest", NULL, NULL, NULL, GATE_LEVEL, 50, 900,
                         "ports taken to one destination, of those there are" },
};

const GateCounter *gate_counter(GateId id) {
        assert((size_t) id < GATE_COUNTERS);
        return &counters[id];
}

GateId gate_counter_find(const char *name) {
        for (GateId id = 0; id < GATE_COUNTERS; id++)
                if (streq(counters[id].name, name))
                        return id;
        return GATE_COUNTERS;
}

/* What the interval shows of one counter; false when it shows nothing. A counter that fell was started anew. */
static bool gate_measure(
                GateId id, const GateSample *previous, const GateSample *now, int64_t *ret) {
        const GateCounter *counter = &counters[id];
        if (!now->known[id])
                return false;
        if (counter->kind == GATE_LEVEL) {
                *ret = now->value[id] < INT64_MAX ? (int64_t) now->value[id] : INT64_MAX;
                return true;
        }
        int64_t ms = now->time_ms - previous->time_ms;
        if (!previous->known[id] || ms <= 0 || now->value[id] < previous->value[id])
                return false;

        uint64_t events = now->value[id] - previous->value[id];
        uint64_t parts = (uint64_t) ms;
        uint64_t scale = (uint64_t) (1000 * PER_MILLE);
        if (counter->kind == GATE_SHARE) {
                if (now->whole[id] < previous->whole[id])
                        return false;
                parts = now->whole[id] - previous->whole[id];
                if (parts < (uint64_t) counter->floor)
                        return false;
                scale = PER_MILLE;
        }
        /* 2^63 / 10^6 events in one interval are more than any kernel counts */
        if (events > (uint64_t) INT64_MAX / scale)
                events = (uint64_t) INT64_MAX / scale;
        *ret = (int64_t) (events * scale / parts);
        return true;
}

void gate_baseline_add(GateBaseline *baseline, const GateSample *previous, const GateSample *now) {
        baseline->span_ms += now->time_ms - previous->time_ms;
        baseline->n_intervals++;
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                int64_t seen;
                if (!gate_measure(id, previous, now, &seen)) {
                        /* too few segments to speak of a share is a share of none */
                        baseline->known[id] = baseline->known[id] ||
                                              (counters[id].kind == GATE_SHARE && now->known[id]);
                        continue;
                }
                baseline->known[id] = true;
                if (seen > baseline->peak[id])
                        baseline->peak[id] = seen;
                baseline->mean[id] =
                                counters[id].kind == GATE_LEVEL
                                                ? seen
                                                : baseline->mean[id] +
                                                                  (seen - baseline->mean[id]) /
                                                                                  (int64_t) baseline
                                                                                                  ->n_intervals;
        }
}

void gate_watch_start(GateWatch *watch, const GateBaseline *baseline) {
        *watch = (GateWatch){ .baseline = *baseline };
}

static int64_t gate_allowed(const GateWatch *watch, GateId id) {
        const GateCounter *counter = &counters[id];
        int64_t peak = watch->baseline.peak[id];
        if (counter->kind != GATE_LEVEL)
                return peak > INT64_MAX / 4 ? INT64_MAX : 2 * peak + counter->rise;
        return peak + counter->rise > counter->floor ? peak + counter->rise : counter->floor;
}

static bool gate_strike(GateWatch *watch, GateId id, const GateSample *sample, GateVerdict *ret) {
        int64_t seen;
        if (!watch->baseline.known[id])
                return false;
        if (!gate_measure(id, &watch->last, sample, &seen)) {
                /* a level is not measured in each sample; with a counter nothing seen is an end of the row */
                if (gate_counter(id)->kind != GATE_LEVEL)
                        watch->strikes[id] = 0;
                return false;
        }

        int64_t allowed = gate_allowed(watch, id);
        if (seen <= allowed) {
                watch->strikes[id] = 0;
                return false;
        }
        if (++watch->strikes[id] < GATE_STRIKES)
                return false;
        *ret = (GateVerdict){
                .id = id,
                .before_mean = watch->baseline.mean[id],
                .before_peak = watch->baseline.peak[id],
                .now = seen,
                .allowed = allowed,
                .after_ms = sample->time_ms - watch->first.time_ms,
        };
        return true;
}

bool gate_watch_add(GateWatch *watch, const GateSample *sample, GateVerdict *ret) {
        bool worse = false;
        if (!watch->has_first) {
                watch->has_first = true;
                watch->first = *sample;
        } else
                for (GateId id = 0; id < GATE_COUNTERS && !worse; id++)
                        worse = gate_strike(watch, id, sample, ret);
        watch->last = *sample;
        return worse;
}

/* "12.5/s", or "97.1 %" */
static void gate_add_number(StrBuf *out, GateKind kind, int64_t thousandths) {
        if (kind == GATE_RATE)
                strbuf_addf(out, "%" PRId64 ".%" PRId64 "/s", thousandths / 1000,
                            thousandths % 1000 / 100);
        else
                strbuf_addf(out, "%" PRId64 ".%" PRId64 " %%", thousandths / 10, thousandths % 10);
}

void gate_verdict_render(const GateVerdict *verdict, StrBuf *out) {
        const GateCounter *counter = gate_counter(verdict->id);
        strbuf_addf(out, "%s (%s) at ", counter->name, counter->means);
        gate_add_number(out, counter->kind, verdict->now);
        strbuf_add(out, ", before the change ");
        gate_add_number(out, counter->kind, verdict->before_mean);
        strbuf_add(out, " and at most ");
        gate_add_number(out, counter->kind, verdict->before_peak);
        strbuf_add(out, "; allowed was ");
        gate_add_number(out, counter->kind, verdict->allowed);
        strbuf_addf(out, "; seen %" PRId64 ".%" PRId64 " s into the window",
                    verdict->after_ms / 1000, verdict->after_ms % 1000 / 100);
}
