/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The numbers that the field's claims are judged by, whatever experiment they come from: a table. Pure.
 */

#include "base/macro.h"

typedef enum FieldKind {
        FIELD_CHURN, /* LabRunResult */
        FIELD_LIFE,  /* FieldLife */
        FIELD_FLOOD, /* FieldFlood */
        FIELD_SCENE, /* FieldScene */
        FIELD_RECORDED, /* array of double, in the order of the claim's metrics: told or measured elsewhere */
} FieldKind;

typedef struct FieldResult {
        FieldKind kind;
        const void *data; /* borrowed; NULL: it was not tried */
} FieldResult;

typedef enum FieldMetricId {
        FIELD_CONNECTIONS,
        FIELD_REQUESTS_PER_SECOND,
        FIELD_FAILED,
        FIELD_PORTS,
        FIELD_FIRST_REFUSAL,
        FIELD_CLIENT_TIME_WAIT,
        FIELD_SERVER_TIME_WAIT,
        FIELD_RESETS,
        FIELD_OVERFLOW,
        FIELD_RECYCLED,
        FIELD_BUCKETS,
        FIELD_TIME_WAIT_LIFE,
        FIELD_FIN_WAIT2_LIFE,
        FIELD_CLOSE_WAIT_FIRST,
        FIELD_CLOSE_WAIT_LAST,
        FIELD_KEEPALIVE_IDLE,
        FIELD_KEEPALIVE_INTERVAL,
        FIELD_HALF_OPEN,
        FIELD_LISTEN_DROPS,
        FIELD_COOKIES,
        FIELD_STATE_ESTABLISHED,
        FIELD_STATE_SYN_RECV,
        FIELD_STATE_FIN_WAIT1,
        FIELD_STATE_FIN_WAIT2,
        FIELD_STATE_TIME_WAIT,
        FIELD_STATE_CLOSE_WAIT,
        FIELD_STATE_LAST_ACK,
        FIELD_STATE_LISTEN,
        FIELD_STATE_CLOSING,
        FIELD_LATE_TIME_WAIT,
        FIELD_MADE,
        FIELD_METRICS,
} FieldMetricId;

/* "TIME_WAIT lasts" */
const char *field_metric_title(FieldMetricId id);
/* "time_wait_seconds", as in JSON */
const char *field_metric_key(FieldMetricId id);
/* "s" or "" */
const char *field_metric_unit(FieldMetricId id);
/* NAN: this result has no such number. Not for FIELD_RECORDED. */
double field_metric_value(const FieldResult *result, FieldMetricId id);
/* Whether nothing stands behind its point; not for NAN. Beyond 10^15 it says no. */
bool field_metric_is_whole(double value);
