/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-metric.h"

#include <math.h>

#include "insight/field-flood.h"
#include "insight/field-scene.h"
#include "insight/lab-run.h"

/* --- of one result -------------------------------------------------------------------------------------- */

static double seconds(uint32_t ms) {
        return ms == 0 ? (double) NAN : ms / 1e3; /* 0: it did not come in time */
}

static double churn_both(const LabRunResult *run, LabCounterId id) {
        return (double) run->client.value[id] + (double) run->server.value[id];
}

static double churn_failed(const LabTally *tally) {
        double n = 0;
        for (size_t i = 0; i < LAB_ERRORS_MAX; i++)
                n += (double) tally->failures[i].n;
        return n;
}

static double churn_value(const LabRunResult *run, FieldMetricId id) {
        const LabTally *tally = &run->tally;
        double took_s = (double) (tally->ended_ns - tally->started_ns) / 1e9;
        switch ((int) id) {
        case FIELD_CONNECTIONS:
                return (double) tally->connections;
        case FIELD_REQUESTS_PER_SECOND:
                return took_s > 0 ? (double) tally->requests / took_s : NAN;
        case FIELD_FAILED:
                return churn_failed(tally);
        case FIELD_PORTS:
                return tally->ports;
        case FIELD_FIRST_REFUSAL:
                return tally->refused > 0 ? (double) tally->opened_before_refusal : NAN;
        case FIELD_CLIENT_TIME_WAIT:
                return run->client_peak;
        case FIELD_SERVER_TIME_WAIT:
                return run->server_peak;
        case FIELD_RESETS:
                return churn_both(run, LAB_OUT_RSTS);
        case FIELD_OVERFLOW:
                return churn_both(run, LAB_TW_OVERFLOW);
        case FIELD_RECYCLED:
                return churn_both(run, LAB_TW_RECYCLED);
        default:
                return NAN;
        }
}

static double life_value(const FieldLife *life, FieldMetricId id) {
        switch ((int) id) {
        case FIELD_BUCKETS:
                return life->time_wait;
        case FIELD_TIME_WAIT_LIFE:
                return seconds(life->time_wait_ms);
        case FIELD_FIN_WAIT2_LIFE:
                return seconds(life->fin_wait2_ms);
        case FIELD_CLOSE_WAIT_FIRST:
                return life->close_wait;
        case FIELD_CLOSE_WAIT_LAST:
                return life->close_wait_end;
        case FIELD_KEEPALIVE_IDLE:
                return life->keepalive_idle_s;
        case FIELD_KEEPALIVE_INTERVAL:
                return life->keepalive_interval_s;
        default:
                return NAN;
        }
}

static double flood_value(const FieldFlood *flood, FieldMetricId id) {
        switch ((int) id) {
        case FIELD_HALF_OPEN:
                return flood->kept;
        case FIELD_LISTEN_DROPS:
                return (double) flood->server.value[LAB_LISTEN_DROPS];
        case FIELD_COOKIES:
                return (double) flood->server.value[LAB_SYN_COOKIES];
        default:
                return NAN;
        }
}

static double scene_value(const FieldScene *scene, FieldMetricId id) {
        static const TcpState states[FIELD_METRICS] = {
                [FIELD_STATE_ESTABLISHED] = TCP_STATE_ESTABLISHED,
                [FIELD_STATE_SYN_RECV] = TCP_STATE_SYN_RECV,
                [FIELD_STATE_FIN_WAIT1] = TCP_STATE_FIN_WAIT1,
                [FIELD_STATE_FIN_WAIT2] = TCP_STATE_FIN_WAIT2,
                [FIELD_STATE_TIME_WAIT] = TCP_STATE_TIME_WAIT,
                [FIELD_STATE_CLOSE_WAIT] = TCP_STATE_CLOSE_WAIT,
                [FIELD_STATE_LAST_ACK] = TCP_STATE_LAST_ACK,
                [FIELD_STATE_LISTEN] = TCP_STATE_LISTEN,
                [FIELD_STATE_CLOSING] = TCP_STATE_CLOSING,
        };
        if (states[id] != 0)
                return scene->counts[states[id]];
        switch ((int) id) {
        case FIELD_RESETS:
                return (double) scene->server.value[LAB_OUT_RSTS];
        case FIELD_OVERFLOW:
                return (double) scene->server.value[LAB_TW_OVERFLOW];
        case FIELD_MADE:
                return scene->made_ms / 1e3;
        case FIELD_LATE_TIME_WAIT:
                return scene->was_late ? (double) scene->late_time_wait : NAN;
        default:
                return NAN;
        }
}

double field_metric_value(const FieldResult *result, FieldMetricId id) {
        assert((size_t) id < FIELD_METRICS);
        if (!result->data)
                return NAN;
        switch (result->kind) {
        case FIELD_CHURN:
                return churn_value(result->data, id);
        case FIELD_LIFE:
                return life_value(result->data, id);
        case FIELD_FLOOD:
                return flood_value(result->data, id);
        case FIELD_SCENE:
                return scene_value(result->data, id);
        case FIELD_RECORDED:
                break;
        }
        return NAN;
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* clang-format off: one row, one line */
static const struct {
        const char *title, *key, *unit;
} rows[FIELD_METRICS] = {
        [FIELD_CONNECTIONS] = { "connections", "connections", "" },
        [FIELD_REQUESTS_PER_SECOND] = { "requests per second", "requests_per_second", "" },
        [FIELD_FAILED] = { "connections that failed", "failed", "" },
        [FIELD_PORTS] = { "ports to choose from", "ports", "" },
        [FIELD_FIRST_REFUSAL] = { "first refused after", "first_refusal_after", "" },
        [FIELD_CLIENT_TIME_WAIT] = { "TIME_WAIT at the client", "client_time_wait", "" },
        [FIELD_SERVER_TIME_WAIT] = { "TIME_WAIT at the server", "server_time_wait", "" },
        [FIELD_RESETS] = { "resets sent", "resets", "" },
        [FIELD_OVERFLOW] = { "TCPTimeWaitOverflow", "time_wait_overflow", "" },
        [FIELD_RECYCLED] = { "TWRecycled", "time_wait_recycled", "" },
        [FIELD_BUCKETS] = { "connections in TIME_WAIT", "time_wait", "" },
        [FIELD_TIME_WAIT_LIFE] = { "TIME_WAIT lasts", "time_wait_seconds", "s" },
        [FIELD_FIN_WAIT2_LIFE] = { "orphan in FIN_WAIT2 lasts", "fin_wait2_seconds", "s" },
        [FIELD_CLOSE_WAIT_FIRST] = { "CLOSE_WAIT at first", "close_wait_first", "" },
        [FIELD_CLOSE_WAIT_LAST] = { "CLOSE_WAIT at the end", "close_wait_last", "" },
        [FIELD_KEEPALIVE_IDLE] = { "first probe after", "keepalive_idle_seconds", "s" },
        [FIELD_KEEPALIVE_INTERVAL] = { "between two probes", "keepalive_interval_seconds", "s" },
        [FIELD_HALF_OPEN] = { "half-open requests kept", "half_open", "" },
        [FIELD_LISTEN_DROPS] = { "ListenDrops", "listen_drops", "" },
        [FIELD_COOKIES] = { "SyncookiesSent", "cookies_sent", "" },
        [FIELD_STATE_ESTABLISHED] = { "ESTABLISHED", "established", "" },
        [FIELD_STATE_SYN_RECV] = { "SYN_RECV", "syn_recv", "" },
        [FIELD_STATE_FIN_WAIT1] = { "FIN_WAIT1", "fin_wait1", "" },
        [FIELD_STATE_FIN_WAIT2] = { "FIN_WAIT2", "fin_wait2", "" },
        [FIELD_STATE_TIME_WAIT] = { "TIME_WAIT", "time_wait", "" },
        [FIELD_STATE_CLOSE_WAIT] = { "CLOSE_WAIT", "close_wait", "" },
        [FIELD_STATE_LAST_ACK] = { "LAST_ACK", "last_ack", "" },
        [FIELD_STATE_LISTEN] = { "LISTEN", "listen", "" },
        [FIELD_STATE_CLOSING] = { "CLOSING", "closing", "" },
        [FIELD_LATE_TIME_WAIT] = { "TIME_WAIT once it is set", "time_wait_once_set", "" },
        [FIELD_MADE] = { "made within", "made_seconds", "s" },
};
/* clang-format on */

const char *field_metric_title(FieldMetricId id) {
        assert((size_t) id < FIELD_METRICS);
        return rows[id].title;
}

const char *field_metric_key(FieldMetricId id) {
        assert((size_t) id < FIELD_METRICS);
        return rows[id].key;
}

const char *field_metric_unit(FieldMetricId id) {
        assert((size_t) id < FIELD_METRICS);
        return rows[id].unit;
}

bool field_metric_is_whole(double value) {
        if (!(value >= -1e15 && value <= 1e15))
                return false;
        double whole = (double) (int64_t) value;
        return whole <= value && whole >= value;
}
