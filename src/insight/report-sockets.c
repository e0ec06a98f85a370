/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-sockets.h"

#include <inttypes.h>

#include "insight/report-chart.h"
#include "insight/sockets-format.h"

/* --- states ---------------------------------------------------------------------------------------------- */

static void add_states(Html *html, const SnapshotSockets *sockets) {
        static const HtmlColumn columns[] = {
                { "State", false, false }, { "Sockets", true, false }, { "Share", false, false },
                { "IPv4", true, true },    { "IPv6", true, true },
        };
        SnapshotStateCount counts[TCP_STATES];
        size_t n = snapshot_states_by_count(sockets, counts);
        if (n == 0) {
                html_paragraph(html, NULL, "There is no TCP socket.");
                return;
        }
        html_table(html, "Sockets by state", columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < n; i++) {
                const uint64_t part = counts[i].n;
                html_row(html);
                html_cell_text(html, tcp_state_name(counts[i].state));
                html_cell_number(html, counts[i].n);
                html_cell(html);
                chart_bar(html, &part, 1, counts[0].n);
                html_cell_number(html, sockets->states[SNAPSHOT_IPV4][counts[i].state]);
                html_cell_number(html, sockets->states[SNAPSHOT_IPV6][counts[i].state]);
        }
        html_table_end(html);
}

/* --- destinations ---------------------------------------------------------------------------------------- */

static void add_address(Html *html, const TcpAddress *address, uint16_t port) {
        char text[TCP_ADDRESS_TEXT_MAX];
        tcp_address_to_text(address, text);
        bool is_ipv6 = strchr(text, ':') != NULL;
        html_textf(html, is_ipv6 ? "[%s]:%u" : "%s:%u", text, port);
}

/* TIME_WAITs that began in the last SNAPSHOT_RECENT_MS, in thousandths of one per second. */
static uint64_t recent_rate(const SnapshotUse *use) {
        return (uint64_t) use->n_recent * 1000 * 1000 / SNAPSHOT_RECENT_MS;
}

static void add_use_bar(Html *html, const SnapshotUse *use, uint64_t whole) {
        const uint64_t parts[] = { use->n_time_wait, use->n_fin_wait2, use->n_other };
        chart_bar(html, parts, ELEMENTSOF(parts), whole);
}

static void add_key(Html *html) {
        html_raw(html,
                 "<ul class=\"legend\">"
                 "<li><svg class=\"key\" viewBox=\"0 0 24 8\" aria-hidden=\"true\"><rect class=\"p0\" width=\"24\" height=\"8\"/></svg>TIME_WAIT</li>"
                 "<li><svg class=\"key\" viewBox=\"0 0 24 8\" aria-hidden=\"true\"><rect class=\"p1\" width=\"24\" height=\"8\"/></svg>FIN_WAIT2 without a process</li>"
                 "<li><svg class=\"key\" viewBox=\"0 0 24 8\" aria-hidden=\"true\"><rect class=\"p2\" width=\"24\" height=\"8\"/></svg>in use</li>"
                 "</ul>\n");
}

static void add_tuple(Html *html, const Snapshot *sample, const SnapshotTuple *tuple) {
        char local[TCP_ADDRESS_TEXT_MAX];
        tcp_address_to_text(&tuple->local, local);
        html_row(html);
        html_cell(html);
        add_address(html, &tuple->remote, tuple->remote_port);
        html_cell_text(html, local);
        html_cell(html);
        html_thousandths(html, (uint64_t) snapshot_use_level(sample, &tuple->use) * 100);
        html_cell(html);
        add_use_bar(html, &tuple->use, sample->pool.size);
        html_cell_number(html, tuple->use.n_time_wait);
        html_cell_number(html, tuple->use.n_fin_wait2);
        html_cell_number(html, tuple->use.n_other);
        html_cell(html);
        html_thousandths(html, recent_rate(&tuple->use));
}

static void add_more(Html *html, uint64_t shown, uint64_t all, const char *what) {
        if (all <= shown)
                return;
        html_raw(html, "<p class=\"note\">The largest ");
        html_number(html, shown);
        html_raw(html, " of ");
        html_number(html, all);
        html_rawf(html, " %s.</p>\n", what);
}

static void add_destinations(Html *html, const Snapshot *sample) {
        static const HtmlColumn columns[] = {
                { "Destination", false, false },  { "From", false, true },
                { "Ports used, %", true, false }, { "of the range", false, false },
                { "TIME_WAIT", true, false },     { "FIN_WAIT2", true, true },
                { "In use", true, true },         { "New per s", true, true },
        };
        const SnapshotSockets *sockets = &sample->sockets;
        size_t n = sockets->n_tuples < REPORT_TOP ? sockets->n_tuples : REPORT_TOP;
        html_raw(html, "<h3>Outgoing connections by destination</h3>\n");
        if (n == 0 || !sample->has_pool || sample->pool.size == 0) {
                html_paragraph(html, NULL, "There is no outgoing connection from the port range.");
                return;
        }
        html_raw(html, "<p>Each destination has the whole port range for itself: ");
        html_number(html, sample->pool.size);
        html_rawf(html,
                  " ports from %u to %u. From half of it on the search for a free one takes longer,"
                  " and at 100&nbsp;%% connect() fails with EADDRNOTAVAIL.</p>\n",
                  sample->pool.first, sample->pool.last);
        html_table(html, "Destinations that take most ports", columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < n; i++)
                add_tuple(html, sample, &sockets->tuples[i]);
        html_table_end(html);
        add_key(html);
        add_more(html, n, sockets->n_all_tuples, "destinations");
}

/* --- accepted -------------------------------------------------------------------------------------------- */

static void add_listener(Html *html, const SnapshotListener *listener) {
        html_row(html);
        html_cell(html);
        html_rawf(html, "%u", listener->port);
        html_cell_number(html, listener->use.n_other);
        html_cell_number(html, listener->use.n_time_wait);
        html_cell_number(html, listener->use.n_fin_wait2);
        html_cell(html);
        html_thousandths(html, recent_rate(&listener->use));
        html_cell_number(html, listener->queue);
        html_cell_number(html, listener->queue_limit);
}

static void add_listeners(Html *html, const SnapshotSockets *sockets) {
        static const HtmlColumn columns[] = {
                { "Port", false, false },       { "In use", true, false },
                { "TIME_WAIT", true, false },   { "FIN_WAIT2", true, true },
                { "New per s", true, true },    { "To be accepted", true, false },
                { "Queue limit", true, false },
        };
        size_t n = sockets->n_listeners < REPORT_TOP ? sockets->n_listeners : REPORT_TOP;
        if (n == 0)
                return;
        html_raw(html, "<h3>Accepted connections by listening port</h3>\n");
        html_paragraph(html, NULL,
                       "A TIME_WAIT here is in nobody's way: it takes no port, and a new connection replaces it.");
        html_table(html, "Listening ports", columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < n; i++)
                add_listener(html, &sockets->listeners[i]);
        html_table_end(html);
        add_more(html, n, sockets->n_all_listeners, "listening ports");
}

static void add_holders(Html *html, const SnapshotSockets *sockets) {
        static const HtmlColumn columns[] = {
                { "User", false, false },
                { "Connections", false, false },
                { "Port", true, false },
                { "CLOSE_WAIT", true, false },
        };
        size_t n = sockets->n_holders < REPORT_TOP ? sockets->n_holders : REPORT_TOP;
        if (n == 0)
                return;
        html_raw(html, "<h3>Programs that do not close</h3>\n");
        html_paragraph(html, NULL,
                       "The peer has closed these connections, and the program has not: no setting of the kernel ends them.");
        html_table(html, "Sockets in CLOSE_WAIT", columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < n; i++) {
                const SnapshotHolder *holder = &sockets->holders[i];
                html_row(html);
                html_cell(html);
                html_rawf(html, "uid %" PRIu32, holder->uid);
                html_cell_text(html, snapshot_side_name(holder->side));
                html_cell(html);
                html_rawf(html, "%u", holder->port);
                html_cell_number(html, holder->n_close_wait);
        }
        html_table_end(html);
}

/* --- buckets and memory ---------------------------------------------------------------------------------- */

/* A term with a bar of `part` in `whole`, and what it is in words. */
static void add_meter(Html *html, const char *term, uint64_t part, uint64_t whole) {
        html_rawf(html, "<div><dt>%s</dt>\n<dd>", term);
        html_number(html, part);
        if (whole > 0) {
                html_raw(html, " of ");
                html_number(html, whole);
                html_raw(html, ", ");
                html_thousandths(html, (uint64_t) ((unsigned __int128) part * 100000 / whole));
                html_raw(html, "&nbsp;%");
                chart_bar(html, &part, 1, whole);
        }
}

static void add_buckets(Html *html, const Snapshot *sample) {
        uint64_t n = sample->has_sockets ? sample->sockets.n_buckets : sample->sockstat.time_wait;
        if (!sample->has_sockets && !sample->sockstat.known)
                return;
        int64_t limit = snapshot_number(sample, "net.ipv4.tcp_max_tw_buckets", 0);
        add_meter(html, "TIME_WAIT buckets", n, limit > 0 ? (uint64_t) limit : 0);
        html_raw(html, "<small>The limit is tcp_max_tw_buckets. They take about ");
        html_bytes(html, n * SNAPSHOT_BUCKET_MIN_BYTES);
        html_raw(html, " to ");
        html_bytes(html, n * SNAPSHOT_BUCKET_MAX_BYTES);
        html_raw(html, " of kernel memory.</small></dd></div>\n");
}

static void add_memory(Html *html, const Snapshot *sample) {
        if (!sample->sockstat.known)
                return;
        const SnapshotSockstat *sockstat = &sample->sockstat;
        const SysctlValue *limits = snapshot_value(sample, "net.ipv4.tcp_mem");
        int64_t limit = limits && limits->n_ints == 3 ? limits->ints[2] : 0;
        add_meter(html, "Pages of buffers", sockstat->memory_pages,
                  limit > 0 ? (uint64_t) limit : 0);
        html_raw(html, "<small>The limit is the third number of tcp_mem. These are ");
        html_bytes(html, sockstat->memory_pages * sample->page_size);
        html_raw(html, " of the whole host.</small></dd></div>\n");
        int64_t orphans = snapshot_number(sample, "net.ipv4.tcp_max_orphans", 0);
        add_meter(html, "Orphans", sockstat->orphans, orphans > 0 ? (uint64_t) orphans : 0);
        html_raw(html,
                 "<small>The limit is tcp_max_orphans: sockets that no process holds and that are no buckets,"
                 " of the whole host.</small></dd></div>\n");
}

static void add_limits(Html *html, const Snapshot *sample) {
        html_raw(html, "<h3>Buckets and memory</h3>\n<dl class=\"meters\">\n");
        add_buckets(html, sample);
        add_memory(html, sample);
        html_raw(html, "</dl>\n");
}

/* -------------------------------------------------------------------------------------------------------- */

void report_add_sockets(Html *html, const Report *report) {
        const Snapshot *sample = report->sample;
        html_section(html, "sockets", "Sockets");
        if (sample->has_sockets) {
                html_raw(html, "<h3>States</h3>\n");
                add_states(html, &sample->sockets);
                add_destinations(html, sample);
                add_listeners(html, &sample->sockets);
                add_holders(html, &sample->sockets);
        } else {
                html_paragraph(html, NULL,
                               "The sockets could not be listed: states and destinations are not known.");
        }
        if (sample->has_sockets || sample->sockstat.known)
                add_limits(html, sample);
        html_section_end(html);
}
