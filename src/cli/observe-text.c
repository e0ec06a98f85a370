/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/observe-text.h"

#include <inttypes.h>

#include "cli/clock-text.h"
#include "cli/labelled.h"
#include "cli/table.h"
#include "insight/sockets-format.h"

static const char *cell(Arena *arena, uint64_t number) {
        return arena_format(arena, "%" PRIu64, number);
}

void observe_add_thousandths(uint64_t thousandths, StrBuf *out) {
        if (thousandths >= 100000)
                strbuf_addf(out, "%" PRIu64, thousandths / 1000 + (thousandths % 1000 >= 500));
        else
                strbuf_addf(out, "%" PRIu64 ".%" PRIu64, thousandths / 1000,
                            thousandths % 1000 / 100);
}

static const char *thousandths_cell(Arena *arena, uint64_t thousandths) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        observe_add_thousandths(thousandths, &text);
        return arena_copy(arena, strbuf_text(&text));
}

/* TIME_WAITs that began in the last SNAPSHOT_RECENT_MS, in thousandths of one per second. */
static uint64_t recent_rate(const SnapshotUse *use) {
        return (uint64_t) use->n_recent * 1000 * 1000 / SNAPSHOT_RECENT_MS;
}

/* --- states --------------------------------------------------------------------------------------------- */

static int add_states(Context *context, const SnapshotSockets *sockets) {
        SnapshotStateCount counts[TCP_STATES];
        size_t n = snapshot_states_by_count(sockets, counts);
        if (n == 0) {
                strbuf_add(&context->text, "No TCP socket.\n");
                return 0;
        }
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new_plain(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "STATE", 0);
        table_add_column(table, "SOCKETS", TABLE_COLUMN_RIGHT);
        table_add_column(table, "IPV4", TABLE_COLUMN_RIGHT);
        table_add_column(table, "IPV6", TABLE_COLUMN_RIGHT);
        for (size_t i = 0; i < n; i++) {
                const char *const cells[] = {
                        tcp_state_name(counts[i].state),
                        cell(context->arena, counts[i].n),
                        cell(context->arena, sockets->states[SNAPSHOT_IPV4][counts[i].state]),
                        cell(context->arena, sockets->states[SNAPSHOT_IPV6][counts[i].state]),
                };
                table_add_row(table, cells);
        }
        return table_render(table, &context->text, &context->error);
}

/* --- facts ---------------------------------------------------------------------------------------------- */

static void add_fact(Context *context, const char *label, const StrBuf *text) {
        context->text.failed |= text->failed;
        labelled_add(&context->text, label, strbuf_text(text), context->out.width);
}

/* What fills the buckets, and what they cost. */
static void add_buckets(Context *context, const Snapshot *snapshot) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        uint64_t n = snapshot->has_sockets ? snapshot->sockets.n_buckets
                                           : snapshot->sockstat.time_wait;
        if (!snapshot->has_sockets && !snapshot->sockstat.known)
                return;
        strbuf_addf(&text, "%" PRIu64, n);
        int64_t limit = snapshot_number(snapshot, "net.ipv4.tcp_max_tw_buckets", -1);
        if (limit > 0) {
                strbuf_addf(&text, " of %" PRId64 " (tcp_max_tw_buckets), ", limit);
                observe_add_thousandths(n * 100 * 1000 / (uint64_t) limit, &text);
                strbuf_add(&text, " %");
        }
        strbuf_add(&text, ": TIME_WAITs, and FIN_WAIT2s that no process holds");
        if (n > 0) {
                strbuf_add(&text, "; about ");
                strbuf_add_size(&text, n * SNAPSHOT_BUCKET_MIN_BYTES);
                strbuf_add(&text, " to ");
                strbuf_add_size(&text, n * SNAPSHOT_BUCKET_MAX_BYTES);
                strbuf_add(&text, " of kernel memory");
        }
        add_fact(context, "Buckets", &text);
}

static void add_memory(Context *context, const Snapshot *snapshot) {
        if (!snapshot->sockstat.known)
                return;
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_add_size(&text, snapshot->sockstat.memory_pages * snapshot->page_size);
        strbuf_addf(&text,
                    " of buffers; TCP sockets: %" PRIu64 ", of them orphans: %" PRIu64
                    " (all of the whole host)",
                    snapshot->sockstat.allocated, snapshot->sockstat.orphans);
        add_fact(context, "Memory", &text);
}

static void add_pool(Context *context, const Snapshot *snapshot) {
        static const char *const reuse_texts[] = {
                [PORT_REUSE_NONE] =
                                "connect() takes no port of a TIME_WAIT to the same destination",
                [PORT_REUSE_ALL] = "connect() may take ports of older TIME_WAITs",
                [PORT_REUSE_LOOPBACK] =
                                "connect() may take ports of older TIME_WAITs on the loopback only",
        };
        CLEANUP(strbuf_deinit) StrBuf text = {};
        if (!snapshot->has_pool) {
                strbuf_add(&text, "the range cannot be read: use by destination is unknown");
                add_fact(context, "Port range", &text);
                return;
        }
        const PortPool *pool = &snapshot->pool;
        uint32_t range = (uint32_t) pool->last - pool->first + 1;
        strbuf_addf(&text, "%u to %u, P = %u ports", pool->first, pool->last, pool->size);
        if (pool->size < range)
                strbuf_addf(&text, " (%u reserved)", range - pool->size);
        if (snapshot->has_sockets)
                strbuf_addf(&text, ", %u of them with outgoing connections",
                            snapshot->sockets.n_pool_ports_taken);
        strbuf_addf(&text, "; %s", reuse_texts[pool->reuse]);
        add_fact(context, "Port range", &text);
}

static void add_sides(Context *context, const SnapshotSockets *sockets) {
        if (snapshot_state_total(sockets, TCP_STATE_TIME_WAIT) == 0)
                return;
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_addf(&text, "%u outgoing, %u accepted here",
                    sockets->sides[SNAPSHOT_OUTGOING].n_time_wait,
                    sockets->sides[SNAPSHOT_INCOMING].n_time_wait);
        if (sockets->sides[SNAPSHOT_STRAY].n_time_wait > 0)
                strbuf_addf(&text,
                            ", %u with a local port outside of the range that nothing listens on",
                            sockets->sides[SNAPSHOT_STRAY].n_time_wait);
        add_fact(context, "TIME_WAITs", &text);
}

static void add_holders(Context *context, const SnapshotSockets *sockets) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        for (size_t i = 0; i < sockets->n_holders && i < 3; i++) {
                const SnapshotHolder *holder = &sockets->holders[i];
                strbuf_addf(&text, "%s%u of user %u %s port %u", i > 0 ? "; " : "",
                            holder->n_close_wait, holder->uid,
                            holder->side == SNAPSHOT_OUTGOING ? "to" : "on", holder->port);
        }
        if (text.length > 0)
                add_fact(context, "CLOSE_WAITs", &text);
}

/* --- tables --------------------------------------------------------------------------------------------- */

static const char *tuple_text(Arena *arena, const TcpAddress *address, uint16_t port) {
        char text[TCP_ADDRESS_TEXT_MAX];
        tcp_address_to_text(address, text);
        if (port == 0)
                return arena_copy(arena, text);
        return arena_format(arena, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
}

static size_t shown(size_t n, uint64_t top) {
        return top > 0 && top < n ? (size_t) top : n;
}

static void add_tuple(
                Table *table, Arena *arena, const Snapshot *snapshot, const SnapshotTuple *t) {
        const char *const cells[] = {
                tuple_text(arena, &t->remote, t->remote_port),
                tuple_text(arena, &t->local, 0),
                cell(arena, t->use.n_time_wait),
                cell(arena, t->use.n_fin_wait2),
                cell(arena, t->use.n_other),
                snapshot->has_pool ? thousandths_cell(
                                                     arena, (uint64_t) snapshot_use_level(
                                                                            snapshot, &t->use) *
                                                                            100)
                                   : NULL,
                thousandths_cell(arena, recent_rate(&t->use)),
        };
        table_add_row(table, cells);
}

static void add_rest(size_t n_shown, uint32_t n_all, const char *what, bool at_least, StrBuf *out) {
        if (n_all > n_shown)
                strbuf_addf(out, "… and %s%zu %s more\n", at_least ? "at least " : "",
                            n_all - n_shown, what);
}

int observe_add_tuples(
                const Context *context, const Snapshot *snapshot, uint64_t top, StrBuf *out,
                Error *reterr) {
        const SnapshotSockets *sockets = &snapshot->sockets;
        size_t n = shown(sockets->n_tuples, top);
        if (n == 0)
                return 0;
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new_plain(&table, context->out, reterr);
        if (r < 0)
                return r;
        table_add_column(table, "OUTGOING TO", 0);
        table_add_column(table, "FROM", 0);
        table_add_column(table, "TIME_WAIT", TABLE_COLUMN_RIGHT);
        table_add_column(table, "ORPHANS", TABLE_COLUMN_RIGHT);
        table_add_column(table, "OTHER", TABLE_COLUMN_RIGHT);
        table_add_column(table, "USE%", TABLE_COLUMN_RIGHT);
        table_add_column(table, "PER_S", TABLE_COLUMN_RIGHT);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return error_set(reterr, -ENOMEM, "cannot print a table");
        for (size_t i = 0; i < n; i++)
                add_tuple(table, arena, snapshot, &sockets->tuples[i]);
        r = table_render(table, out, reterr);
        if (r < 0)
                return r;
        add_rest(n, sockets->n_all_tuples, "destinations", sockets->tuples_error > 0, out);
        if (sockets->tuples_error > 0)
                strbuf_addf(out,
                            "With so many destinations each line may be up to %u sockets too low.\n",
                            sockets->tuples_error);
        return 0;
}

static bool is_busy(const SnapshotListener *listener) {
        return snapshot_use_total(&listener->use) > 0 || listener->queue > 0;
}

static void add_listener(Table *table, Arena *arena, const SnapshotListener *listener) {
        const char *const cells[] = {
                cell(arena, listener->port),
                cell(arena, listener->use.n_time_wait),
                cell(arena, listener->use.n_fin_wait2),
                cell(arena, listener->use.n_other),
                arena_format(arena, "%u/%u", listener->queue, listener->queue_limit),
                thousandths_cell(arena, recent_rate(&listener->use)),
        };
        table_add_row(table, cells);
}

/* Only those that have something: they come first in the list, but for a queue that nobody has looked into. */
static int add_listeners(Context *context, const SnapshotSockets *sockets) {
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new_plain(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "ACCEPTED ON", TABLE_COLUMN_RIGHT);
        table_add_column(table, "TIME_WAIT", TABLE_COLUMN_RIGHT);
        table_add_column(table, "ORPHANS", TABLE_COLUMN_RIGHT);
        table_add_column(table, "OTHER", TABLE_COLUMN_RIGHT);
        table_add_column(table, "QUEUE", TABLE_COLUMN_RIGHT);
        table_add_column(table, "PER_S", TABLE_COLUMN_RIGHT);
        size_t n = 0;
        for (size_t i = 0; i < sockets->n_listeners; i++)
                if (is_busy(&sockets->listeners[i]) &&
                    (context->options.top == 0 || n < context->options.top)) {
                        add_listener(table, context->arena, &sockets->listeners[i]);
                        n++;
                }
        if (n == 0)
                return 0;
        strbuf_add_char(&context->text, '\n');
        r = table_render(table, &context->text, &context->error);
        if (r == 0)
                add_rest(n, sockets->n_all_listeners, "listening ports", false, &context->text);
        return r;
}

/* --- counters ------------------------------------------------------------------------------------------- */

static int add_counters(Context *context, const Snapshot *snapshot, const SnapshotRates *rates) {
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new_plain(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "COUNTER", 0);
        table_add_column(table, "TOTAL", TABLE_COLUMN_RIGHT);
        table_add_column(table, "PER_S", TABLE_COLUMN_RIGHT | TABLE_COLUMN_OPTIONAL);
        table_add_column(table, "MEANS", TABLE_COLUMN_WRAP);
        size_t n = 0;
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                if (!snapshot->known[id] || snapshot->counters[id] == 0)
                        continue;
                const char *const cells[] = {
                        snapshot_counter(id)->name,
                        cell(context->arena, snapshot->counters[id]),
                        rates && rates->known[id]
                                        ? thousandths_cell(context->arena, rates->per_second[id])
                                        : NULL,
                        snapshot_counter(id)->means,
                };
                table_add_row(table, cells);
                n++;
        }
        if (n == 0)
                return 0;
        strbuf_add_char(&context->text, '\n');
        return table_render(table, &context->text, &context->error);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static void add_head(Context *context, const Snapshot *snapshot) {
        StrBuf *out = &context->text;
        const KernelVersion *kernel = &snapshot->settings.kernel;
        strbuf_addf(out, "Network namespace %" PRIu64 "%s, Linux %u.%u.%u\n", snapshot->netns,
                    snapshot->settings.initial_netns ? " (of the host)" : "", kernel->major,
                    kernel->minor, kernel->patch);
        clock_text_add(snapshot->time_us, out);
        strbuf_add(out, "\n\n");
}

static void add_cost(Context *context, const Snapshot *snapshot, const SnapshotRates *rates) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        const SnapshotCost *cost = &snapshot->cost;
        strbuf_addf(&text, "%" PRIu64 " socket%s in %" PRIu64 ".%" PRIu64 " ms", cost->n_sockets,
                    cost->n_sockets == 1 ? "" : "s", cost->wall_us / 1000,
                    cost->wall_us % 1000 / 100);
        strbuf_addf(&text, ", %" PRIu64 ".%" PRIu64 " ms of a processor", cost->cpu_us / 1000,
                    cost->cpu_us % 1000 / 100);
        strbuf_add_char(&context->text, '\n');
        add_fact(context, "Cost", &text);
        if (!rates && !context->options.from)
                labelled_add(&context->text, "Rates", "--interval=10s or --watch",
                             context->out.width);
        if (!context->options.from)
                labelled_add(&context->text, "next", "twprofile advise", context->out.width);
}

/* Both tables of sockets, and what their columns mean. */
static int add_groups(Context *context, const Snapshot *snapshot) {
        size_t before = context->text.length;
        bool has_tuples = snapshot->sockets.n_tuples > 0;
        int r = 0;
        if (has_tuples) {
                strbuf_add_char(&context->text, '\n');
                r = observe_add_tuples(
                                context, snapshot, context->options.top, &context->text,
                                &context->error);
        }
        if (r == 0)
                r = add_listeners(context, &snapshot->sockets);
        if (r < 0 || context->text.length == before)
                return r;
        CLEANUP(strbuf_deinit) StrBuf text = {};
        if (has_tuples)
                strbuf_add(&text,
                           "USE% of the P ports are taken to that destination (from 50 on connect() "
                           "searches long, at 100 it fails); ");
        strbuf_addf(&text,
                    "ORPHANS are FIN_WAIT2s that no process holds; PER_S TIME_WAITs began in each "
                    "of the last %u seconds",
                    SNAPSHOT_RECENT_MS / 1000);
        strbuf_add_char(&context->text, '\n');
        add_fact(context, "Columns", &text);
        return 0;
}

int observe_render(Context *context, const Snapshot *snapshot, const SnapshotRates *rates) {
        const SnapshotSockets *sockets = &snapshot->sockets;
        add_head(context, snapshot);
        int r = snapshot->has_sockets ? add_states(context, sockets) : 0;
        if (r < 0)
                return r;
        strbuf_add_char(&context->text, '\n');
        add_buckets(context, snapshot);
        if (snapshot->has_sockets) {
                add_sides(context, sockets);
                add_holders(context, sockets);
        }
        add_pool(context, snapshot);
        add_memory(context, snapshot);
        if (snapshot->has_sockets)
                r = add_groups(context, snapshot);
        if (r == 0)
                r = add_counters(context, snapshot, rates);
        if (r == 0)
                add_cost(context, snapshot, rates);
        return r;
}
