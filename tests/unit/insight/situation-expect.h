/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The whole of what is found in a situation, as one text, so that a finding too many fails as one too few does.
 */

#include "base/strbuf.h"

#include "situation.h"

/* "SRV-1 info, TWB-3 warning": rules with severities, the worst first; "": nothing. */
static inline void situation_expect(const Situation *s, const char *wanted) {
        const Advice advice = situation_judge(s);
        CLEANUP(strbuf_deinit) StrBuf found = {};
        for (size_t i = 0; i < advice.n_findings; i++) {
                const AdviceFinding *f = &advice.findings[i];
                strbuf_addf(&found, "%s%s %s", i > 0 ? ", " : "", f->rule->id,
                            advice_severity_name(f->severity));
        }
        assert_string_equal(strbuf_text(&found), wanted);
}

/* Why the rule was not judged; NULL when it was. */
static inline const char *situation_skipped(const Situation *s, const char *rule) {
        const Advice advice = situation_judge(s);
        for (size_t i = 0; i < advice.n_skipped; i++)
                if (streq(advice.skipped[i].rule->id, rule))
                        return advice.skipped[i].why;
        return NULL;
}

/* A counter that grows by so many in the second between the samples; after situation_earlier(). */
static inline void situation_grow(Situation *s, SnapshotCounterId id, uint64_t by) {
        s->now.counters[id] = s->before.counters[id] + by;
}

/* One listening port with what was accepted there; borrowed. */
static inline void situation_incoming(Situation *s, const SnapshotListener *listener) {
        SnapshotSockets *sockets = &s->now.sockets;
        sockets->listeners = listener;
        sockets->n_listeners = 1;
        sockets->sides[SNAPSHOT_INCOMING] = listener->use;
        sockets->states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT] = listener->use.n_time_wait;
        sockets->n_buckets = listener->use.n_time_wait + listener->use.n_fin_wait2;
}
