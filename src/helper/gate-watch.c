/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/gate-watch.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "record/gate-format.h"

void gate_watcher_close(GateWatcher *watcher) {
        gate_sampler_close(&watcher->sampler);
}

static void complain(GateWatcher *watcher, const Error *error) {
        if (!watcher->is_complained && watcher->log) {
                CLEANUP(strbuf_deinit) StrBuf line = { 0 };
                strbuf_addf(&line, "the health gate cannot judge: %s", error->text);
                watcher->log(strbuf_text(&line));
        }
        watcher->is_complained = true;
}

static void follow(GateWatcher *watcher, const char *tx, const char *text) {
        (void) snprintf(watcher->tx, sizeof(watcher->tx), "%s", tx); /* as long as any id */
        watcher->is_complained = false;
        Error error = { 0 };
        GateBaseline baseline;
        watcher->is_usable = gate_baseline_decode(text, strlen(text), &baseline, &error) >= 0;
        if (watcher->is_usable)
                gate_watch_start(&watcher->watch, &baseline);
        else
                complain(watcher, &error);
}

/* --- evidence ------------------------------------------------------------------------------------------- */

static void add_address(const TcpAddress *address, StrBuf *out) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        bool is_v4 = memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
        char text[INET6_ADDRSTRLEN] = "?";
        (void) inet_ntop(
                        is_v4 ? AF_INET : AF_INET6, address->bytes + (is_v4 ? 12 : 0), text,
                        sizeof(text)); /* fits */
        strbuf_addf(out, is_v4 ? "%s" : "[%s]", text);
}

static void add_destination(const GateSampler *sampler, StrBuf *out) {
        PortTuple busiest;
        if (!sampler->use || !port_use_busiest(sampler->use, &busiest))
                return;
        strbuf_addf(out, "; %u of %u ports, from ", busiest.n_taken, sampler->pool.size);
        add_address(&busiest.local, out);
        strbuf_add(out, " to ");
        add_address(&busiest.remote, out);
        strbuf_addf(out, ":%u", busiest.remote_port);
}

bool gate_watcher_ask(void *userdata, const char *tx, const char *baseline, StrBuf *ret_evidence) {
        GateWatcher *watcher = userdata;
        if (!streq(watcher->tx, tx))
                follow(watcher, tx, baseline);
        if (!watcher->is_usable)
                return false;

        Error error = { 0 };
        GateSample sample;
        if (gate_sampler_take(&watcher->sampler, &sample, &error) < 0) {
                complain(watcher, &error);
                return false;
        }
        GateVerdict verdict;
        if (!gate_watch_add(&watcher->watch, &sample, &verdict))
                return false;
        gate_verdict_render(&verdict, ret_evidence);
        if (verdict.id == GATE_PORTS)
                add_destination(&watcher->sampler, ret_evidence);
        return true;
}
