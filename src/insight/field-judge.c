/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-judge.h"

#include <math.h>

#define TIME_WAIT_S     60.0 /* TCP_TIMEWAIT_LEN in include/net/tcp.h */
#define MADE_MAX_S      55.0
#define FIN_WAIT2_NEAR  0.2  /* the timer of a short life is coarse against it */
#define FIN_TIMEOUT_MAX 60.0 /* above it the life is another one: tcp_keepalive_timer() */

static double get(const FieldMeasured *measured, size_t trial, FieldMetricId id) {
        return field_measured_get(measured, trial, id);
}

static bool is_near(double a, double b, double share) {
        return fabs(a - b) <= share * fabs(b);
}

static FieldOutcome outcome(bool holds) {
        return holds ? FIELD_CONFIRMED : FIELD_CONTRADICTED;
}

FieldOutcome field_judge_length(const FieldMeasured *measured) {
        double life = get(measured, 0, FIELD_TIME_WAIT_LIFE);
        return isnan(life) ? FIELD_UNDECIDED : outcome(is_near(life, TIME_WAIT_S, FIELD_NEAR));
}

FieldOutcome field_judge_own_length(const FieldMeasured *measured) {
        double life = get(measured, 1, FIELD_TIME_WAIT_LIFE);
        return isnan(life) || isnan(measured->value)
                               ? FIELD_UNDECIDED
                               : outcome(is_near(life, measured->value, FIN_WAIT2_NEAR));
}

FieldOutcome field_judge_keep_alive(const FieldMeasured *measured) {
        return outcome(get(measured, 1, FIELD_REQUESTS_PER_SECOND) >
                                       get(measured, 0, FIELD_REQUESTS_PER_SECOND) &&
                       get(measured, 1, FIELD_CLIENT_TIME_WAIT) <
                                       get(measured, 0, FIELD_CLIENT_TIME_WAIT));
}

FieldOutcome field_judge_reuse_client(const FieldMeasured *measured) {
        double before = get(measured, 0, FIELD_FAILED);
        return before > 0 ? outcome(get(measured, 1, FIELD_FAILED) * 10 <= before &&
                                    get(measured, 1, FIELD_RECYCLED) > 0)
                          : FIELD_UNDECIDED;
}

FieldOutcome field_judge_reuse_server(const FieldMeasured *measured) {
        return outcome(is_near(get(measured, 1, FIELD_SERVER_TIME_WAIT),
                               get(measured, 0, FIELD_SERVER_TIME_WAIT), FIELD_NEAR) &&
                       get(measured, 1, FIELD_RECYCLED) <= 0);
}

static bool is_same(const FieldMeasured *measured, FieldMetricId id) {
        return is_near(get(measured, 1, id), get(measured, 0, id), FIELD_NEAR);
}

FieldOutcome field_judge_fin_timeout(const FieldMeasured *measured) {
        double time_wait = get(measured, 1, FIELD_TIME_WAIT_LIFE);
        double fin_wait2 = get(measured, 1, FIELD_FIN_WAIT2_LIFE);
        if (isnan(time_wait) || isnan(fin_wait2) || !(measured->value <= FIN_TIMEOUT_MAX))
                return FIELD_UNDECIDED;
        return outcome(is_same(measured, FIELD_TIME_WAIT_LIFE) &&
                       fabs(fin_wait2 - measured->value) <= FIN_WAIT2_NEAR * measured->value + 1);
}

FieldOutcome field_judge_unmoved(const FieldMeasured *measured) {
        static const FieldMetricId unmoved[] = {
                FIELD_BUCKETS,          FIELD_TIME_WAIT_LIFE,  FIELD_FIN_WAIT2_LIFE,
                FIELD_CLOSE_WAIT_FIRST, FIELD_CLOSE_WAIT_LAST, FIELD_KEEPALIVE_INTERVAL,
        };
        if (isnan(get(measured, 1, FIELD_TIME_WAIT_LIFE)))
                return FIELD_UNDECIDED;
        for (size_t i = 0; i < ELEMENTSOF(unmoved); i++)
                if (!is_same(measured, unmoved[i]))
                        return FIELD_CONTRADICTED;
        return FIELD_CONFIRMED;
}

FieldOutcome field_judge_close_wait(const FieldMeasured *measured) {
        for (size_t i = 0; i < measured->claim->n_trials; i++)
                if (get(measured, i, FIELD_CLOSE_WAIT_FIRST) <= 0 ||
                    get(measured, i, FIELD_CLOSE_WAIT_LAST) <
                                    get(measured, i, FIELD_CLOSE_WAIT_FIRST))
                        return FIELD_CONTRADICTED;
        return FIELD_CONFIRMED;
}

FieldOutcome field_judge_buckets(const FieldMeasured *measured) {
        if (!(get(measured, 1, FIELD_CONNECTIONS) > measured->value))
                return FIELD_UNDECIDED;
        return outcome(get(measured, 0, FIELD_RESETS) <= 0 &&
                       get(measured, 0, FIELD_OVERFLOW) <= 0 &&
                       get(measured, 1, FIELD_RESETS) > 0 && get(measured, 1, FIELD_OVERFLOW) > 0 &&
                       get(measured, 1, FIELD_CLIENT_TIME_WAIT) <= measured->value);
}

FieldOutcome field_judge_syn_backlog(const FieldMeasured *measured) {
        double kept = get(measured, 0, FIELD_HALF_OPEN);
        bool is_unused = is_near(get(measured, 1, FIELD_HALF_OPEN), kept, 0) &&
                         get(measured, 0, FIELD_LISTEN_DROPS) <= 0;
        bool is_used = get(measured, 2, FIELD_HALF_OPEN) < kept &&
                       get(measured, 2, FIELD_LISTEN_DROPS) > 0;
        return outcome(is_unused && is_used);
}

FieldOutcome field_judge_ports(const FieldMeasured *measured) {
        double fewer = get(measured, 0, FIELD_FIRST_REFUSAL);
        double more = get(measured, 1, FIELD_FIRST_REFUSAL);
        if (isnan(fewer) || isnan(more))
                return FIELD_UNDECIDED;
        return outcome(more > fewer);
}

FieldOutcome field_judge_table(const FieldMeasured *measured) {
        const FieldClaim *claim = measured->claim;
        /* on a machine that is too slow the first of them have gone when the last is made */
        if (!(get(measured, 2, FIELD_MADE) < MADE_MAX_S &&
              get(measured, 3, FIELD_MADE) < MADE_MAX_S))
                return FIELD_UNDECIDED;
        for (size_t i = 0; i < claim->n_metrics; i++) {
                double told = get(measured, 0, claim->metrics[i]);
                if (!isnan(told) && !is_near(get(measured, 2, claim->metrics[i]), told, 0))
                        return FIELD_CONTRADICTED;
        }
        return outcome(get(measured, 3, FIELD_STATE_TIME_WAIT) <
                                       get(measured, 2, FIELD_STATE_TIME_WAIT) &&
                       get(measured, 3, FIELD_OVERFLOW) > 0 && get(measured, 3, FIELD_RESETS) > 0 &&
                       get(measured, 2, FIELD_OVERFLOW) <= 0 &&
                       is_near(get(measured, 2, FIELD_LATE_TIME_WAIT),
                               get(measured, 2, FIELD_STATE_TIME_WAIT), 0));
}

FieldOutcome field_judge_removed(const FieldMeasured *measured) {
        (void) measured;
        return FIELD_UNDECIDED; /* it is there: then this is no kernel that anything is known about */
}
