/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-remedies.h"

#include "base/strbuf.h"

/* 20000 to 65535, of the profile outbound-proxy: beyond the services that are usual. */
#define WIDE_FIRST     20000U
#define WIDE_LAST      65535U
#define SHOWN_SERVICES 8U

/* "; reserve 30080, 50051", of what listens inside the wider range. */
static void add_services(const AdviceRun *run, StrBuf *out) {
        const SnapshotSockets *sockets = &run->now->sockets;
        size_t n = 0;
        for (size_t i = 0; i < sockets->n_listeners; i++) {
                uint16_t port = sockets->listeners[i].port;
                if (port < WIDE_FIRST)
                        continue;
                if (n < SHOWN_SERVICES)
                        strbuf_addf(out, n == 0 ? "; reserve %u" : ", %u", port);
                n++;
        }
        if (n > SHOWN_SERVICES)
                strbuf_addf(out, " and %zu more", n - SHOWN_SERVICES);
}

static void add_range(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        const PortPool *pool = &run->now->pool;
        uint32_t wide = WIDE_LAST - WIDE_FIRST + 1;
        if (t->ports >= wide)
                return;
        uint32_t time_wait_ms = snapshot_time_wait_ms(run->now);
        uint64_t rate = t->reuse_happens ? (uint64_t) wide * 1000000 / t->delay_ms
                                         : (uint64_t) wide * 1000000 / time_wait_ms;
        CLEANUP(strbuf_deinit) StrBuf services = {};
        add_services(run, &services);
        advice_remedy(run, f, ADVICE_REMEDY_PORT_RANGE,
                      "now %u to %u; %u to %u would be %s ports, and %s = %s connections/s%s",
                      pool->first, pool->last, WIDE_FIRST, WIDE_LAST, advice_count(run, wide),
                      t->reuse_happens ? "C1" : "C0", advice_decimal(run, rate),
                      strbuf_text(&services));
}

void advice_remedies_for_reuse(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        const Snapshot *now = run->now;
        if (!snapshot_value(now, "net.ipv4.tcp_tw_reuse") || t->reuse_is_on ||
            advice_ports_are_bound(run))
                return;
        if (snapshot_number(now, "net.ipv4.tcp_timestamps", 1) == 0) {
                advice_remedy(run, f, ADVICE_REMEDY_TIMESTAMPS_ON,
                              "tcp_tw_reuse does nothing without them");
                return;
        }
        const char *ceiling = advice_decimal(run, t->reuse_ceiling);
        if (t->is_loopback) {
                advice_remedy(run, f, ADVICE_REMEDY_TW_REUSE_LOOPBACK, "C1 = %s connections/s",
                              ceiling);
                return;
        }
        advice_remedy(run, f, ADVICE_REMEDY_TW_REUSE,
                      "C1 = %s connections/s; a firewall or NAT between the hosts that remembers "
                      "the old connection may drop the SYN, and several hosts behind one source "
                      "address confuse it",
                      ceiling);
}

static void add_delay(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        if (!snapshot_value(run->now, "net.ipv4.tcp_tw_reuse_delay") || t->is_loopback ||
            snapshot_number(run->now, "net.ipv4.tcp_timestamps", 1) == 0 ||
            (t->reuse_is_on && !t->reuse_happens))
                return;
        advice_remedy(run, f, ADVICE_REMEDY_TW_REUSE_DELAY, "now %u; at 100 C1 would be %s",
                      t->delay_ms, advice_decimal(run, t->ports * 10000));
}

/* It gives back what TIME_WAIT holds, not what open connections and orphans do; and where connections come near C0 there will
 * be TIME_WAITs. */
bool advice_reuse_would_help(const AdviceTuple *t) {
        bool is_most = t->n_blocked >= t->n_open && t->n_blocked >= t->n_orphans;
        return is_most || (t->has_rate && t->rate / 7 > t->ceiling / 10);
}

void advice_remedies_for_ports(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f) {
        advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_BIND_LATE, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_MORE_TUPLES,
                      "each brings %s ports and %s connections/s", advice_count(run, t->ports),
                      advice_decimal(run, t->reuse_happens ? t->reuse_ceiling : t->ceiling));
        add_range(run, t, f);
        if (!advice_reuse_would_help(t))
                return;
        advice_remedies_for_reuse(run, t, f);
        add_delay(run, t, f);
}
