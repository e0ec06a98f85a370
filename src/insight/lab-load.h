/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a run of the lab puts on the wire, and what is counted of it. Plain data without pointers: the tally lies in memory
 * that the processes of a run share; the client's process alone writes it.
 *
 * One exchange is a request of LAB_REQUEST_BYTES and an answer of LAB_ANSWER_BYTES. The last byte of a request tells the
 * server what to do then: LabOrder.
 */

#include <stdatomic.h>

#include "insight/lab-histogram.h"

#define LAB_REQUEST_BYTES    64U
#define LAB_ANSWER_BYTES     128U
#define LAB_SERVER_PORT      7000U /* the first; one more for each destination */
#define LAB_DESTINATIONS_MAX 64U
#define LAB_CONCURRENCY_MAX  256U
#define LAB_ERRORS_MAX       8U
#define LAB_COST_BINS        64U

typedef enum LabOrder {
        LAB_ORDER_KEEP = 'k',  /* more will come, or the client closes */
        LAB_ORDER_CLOSE = 'c', /* the server closes first */
        LAB_ORDER_LATE =
                        'l', /* the client closes; the server follows only after LabLoad.linger_ms */
} LabOrder;

typedef enum LabBind {
        LAB_BIND_NONE,    /* connect() alone chooses the port */
        LAB_BIND_ADDRESS, /* bind(address, port 0) first: the port is taken for every destination */
        LAB_BIND_NO_PORT, /* the same with IP_BIND_ADDRESS_NO_PORT: connect() chooses again */
} LabBind;

typedef struct LabLoad {
        LabOrder order;        /* of a connection's last request */
        uint32_t requests;     /* per connection, from 1 */
        uint32_t destinations; /* ports of the server, in turn; 1 to LAB_DESTINATIONS_MAX */
        LabBind bind;
        uint32_t concurrency;     /* connections at once, 1 to LAB_CONCURRENCY_MAX */
        uint32_t linger_ms;       /* of LAB_ORDER_LATE */
        uint32_t per_second;      /* connections are tried at this pace; 0: as fast as it goes */
        uint64_t max_connections; /* the run ends after so many; 0: it lasts duration_ms */
        uint32_t duration_ms;
        bool returning_clients; /* lab-nat.h instead of the churn */
} LabLoad;

typedef struct LabFailure {
        int32_t error; /* errno; ETIMEDOUT: no answer until the run ended */
        uint64_t n;
} LabFailure;

typedef struct LabTally {
        _Atomic uint64_t connections; /* complete: all requests answered, closed */
        _Atomic uint64_t requests;
        uint64_t opened;                     /* connect() was accepted */
        uint64_t refused;                    /* connect() or bind() failed at once */
        uint64_t opened_before_refusal;      /* of opened; means something when refused > 0 */
        uint64_t started_ns, ended_ns;       /* CLOCK_MONOTONIC */
        uint64_t refusal_ns, last_opened_ns; /* the first refusal, the last success; 0 for none */
        uint32_t ports;                      /* of the client's range, without the reserved ones */
        LabFailure failures[LAB_ERRORS_MAX]; /* those with n > 0, in order of appearance */
        LabHistogram connect_call;           /* bind() and connect(), also those that failed */
        LabHistogram exchange;               /* from connect() or the request to the whole answer */
        LabHistogram cost
                        [LAB_COST_BINS]; /* connect_call of those accepted, by share of the range used */
} LabTally;

void lab_tally_add_failure(LabTally *tally, int error);

/* Connections per second over the whole run; 0 when it took no time. */
double lab_tally_rate(const LabTally *tally);
/* From the first refusal to the last success: what the supply of ports sustains. <0: ports never ran out, or nothing
 * succeeded afterwards. */
double lab_tally_sustained_rate(const LabTally *tally);
/* The share of the range, in thousandths, from where on connect() costs three times as much (median) as in the first
 * quarter; 0 when it never does, or when fewer than half of the range was used. */
unsigned lab_tally_knee(const LabTally *tally);

uint64_t lab_now_ns(void);
