/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-range.h"

#include "base/strbuf.h"

/* Judgements, but for the kernel's own bounds. */
#define KNEE_LEVEL           500U /* U in thousandths: from here on a free port is hard to find */
#define FEW_PORTS            1000U
#define SYSTEM_PORTS_END     1024U /* RFC 6335 */
#define UNPRIVILEGED_DEFAULT 1024  /* net.ipv4.ip_unprivileged_port_start */
#define NEAR_PORTS           1000U
#define SHOWN_PORTS          16U

static const char range_key[] = "net.ipv4.ip_local_port_range";
static const char reserved_key[] = "net.ipv4.ip_local_reserved_ports";

static uint32_t range_size(const PortPool *pool) {
        return pool->last >= pool->first ? (uint32_t) pool->last - pool->first + 1 : 0;
}

static AdviceFinding *find_range(AdviceRun *run, AdviceSeverity severity, const char *subject) {
        AdviceFinding *f = advice_find(run, severity, NULL, subject);
        const PortPool *pool = &run->now->pool;
        advice_number(f, "first", pool->first, "port");
        advice_number(f, "last", pool->last, "port");
        return f;
}

/* --- PORT-11: services inside the range ----------------------------------------------------------------- */

static int compare_ports(const void *a, const void *b) {
        const uint16_t *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

/* Those that something listens on, sorted, once each. */
static size_t services_inside(const Snapshot *now, uint16_t ret[SNAPSHOT_LISTENERS]) {
        size_t n = 0;
        for (size_t i = 0; i < now->sockets.n_listeners && n < SNAPSHOT_LISTENERS; i++)
                if (port_pool_has(&now->pool, now->sockets.listeners[i].port))
                        ret[n++] = now->sockets.listeners[i].port;
        qsort(ret, n, sizeof(*ret), compare_ports);
        return n;
}

/* "50051,50052", what the key takes; "…" where it is too long to read. */
static const char *port_list(AdviceRun *run, const uint16_t *ports, size_t n, const char *comma) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        for (size_t i = 0; i < n && i < SHOWN_PORTS; i++)
                strbuf_addf(&text, "%s%u", i > 0 ? comma : "", ports[i]);
        if (n > SHOWN_PORTS)
                strbuf_add(&text, " …");
        return advice_text(run, "%s", strbuf_text(&text));
}

static uint32_t highest_level(const Snapshot *now) {
        const SnapshotSockets *sockets = &now->sockets;
        return sockets->n_tuples > 0 ? snapshot_use_level(now, &sockets->tuples[0].use) : 0;
}

static void judge_services(AdviceRun *run) {
        const Snapshot *now = run->now;
        uint16_t ports[SNAPSHOT_LISTENERS];
        size_t n = services_inside(now, ports);
        if (n == 0)
                return;
        uint32_t level = highest_level(now);
        AdviceSeverity severity = level >= KNEE_LEVEL ? ADVICE_WARNING
                                                      : advice_rule_severity(run->rule);
        AdviceFinding *f = find_range(run, severity, reserved_key);
        advice_evidence(run, f,
                        "Something listens on %s, inside of the port range %u to %u and not "
                        "reserved: an outgoing connection may take such a port while the service "
                        "restarts.",
                        port_list(run, ports, n, ", "), now->pool.first, now->pool.last);
        advice_formula(run, f, "listening and in the pool: %zu of %s ports; largest U = %s%%", n,
                       advice_count(run, now->pool.size),
                       advice_decimal(run, (uint64_t) level * 100));
        advice_number(f, "services", (double) n, "ports");
        const SysctlValue *reserved = snapshot_value(now, reserved_key);
        bool is_none = !reserved || range_size(&now->pool) == now->pool.size;
        advice_remedy(run, f, ADVICE_REMEDY_RESERVE_SERVICES, "%s%s", port_list(run, ports, n, ","),
                      is_none ? "" : ", with what is reserved already: a write replaces the list");
        advice_next(run, f, "twprofile explain %s", reserved_key);
}

/* --- PORT-12, PORT-13: few ports ------------------------------------------------------------------------ */

static void judge_few(AdviceRun *run) {
        const PortPool *pool = &run->now->pool;
        if (pool->size == 0 || pool->size >= FEW_PORTS)
                return; /* none at all is what PORT-13 says */
        uint32_t seconds = snapshot_time_wait_ms(run->now) / 1000;
        const char *rate = advice_decimal(
                        run, (uint64_t) pool->size * 1000000 / snapshot_time_wait_ms(run->now));
        AdviceFinding *f = find_range(run, advice_rule_severity(run->rule), range_key);
        advice_evidence(run, f, "The range %u to %u has %u ports that are not reserved.",
                        pool->first, pool->last, pool->size);
        advice_formula(run, f, "C0 = P / %u s = %u / %u = %s connections/s to one destination",
                       seconds, pool->size, seconds, rate);
        advice_number(f, "P", pool->size, "ports");
        advice_remedy(run, f, ADVICE_REMEDY_PORT_RANGE, "the kernel's default is 32768 to 60999");
        advice_next(run, f, "twprofile explain %s", range_key);
        f->profile = "outbound-proxy";
}

static void judge_reserved(AdviceRun *run) {
        const PortPool *pool = &run->now->pool;
        uint32_t size = range_size(pool), reserved = size - pool->size;
        if (size == 0 || reserved * 2 <= size)
                return;
        AdviceSeverity severity = pool->size == 0 ? ADVICE_CRITICAL
                                                  : advice_rule_severity(run->rule);
        AdviceFinding *f = find_range(run, severity, reserved_key);
        advice_evidence(run, f, "%s of the %s ports from %u to %u are reserved%s.",
                        advice_count(run, reserved), advice_count(run, size), pool->first,
                        pool->last,
                        pool->size == 0 ? ": every connect() that names no port fails" : "");
        advice_formula(run, f, "reserved / range = %s / %s = %s%%", advice_count(run, reserved),
                       advice_count(run, size),
                       advice_decimal(run, (uint64_t) reserved * 100000 / size));
        advice_number(f, "reserved", reserved, "ports");
        advice_number(f, "P", pool->size, "ports");
        advice_remedy(run, f, ADVICE_REMEDY_RESERVE_LESS, NULL);
        advice_next(run, f, "sysctl %s", reserved_key);
}

/* --- PORT-14, PORT-15: its bounds ----------------------------------------------------------------------- */

static void judge_parity(AdviceRun *run) {
        const PortPool *pool = &run->now->pool;
        if (range_size(pool) == 0 || pool->first % 2 != pool->last % 2)
                return;
        AdviceFinding *f = find_range(run, advice_rule_severity(run->rule), range_key);
        const char *parity = pool->first % 2 == 0 ? "even" : "odd";
        advice_evidence(run, f,
                        "%u and %u are both %s. All ports stay usable; the kernel logs that it "
                        "prefers different parity.",
                        pool->first, pool->last, parity);
        advice_formula(run, f, "%u mod 2 = %u mod 2 = %u", pool->first, pool->last,
                       pool->first % 2U);
        bool can_grow = pool->last < UINT16_MAX;
        advice_remedy(run, f, ADVICE_REMEDY_RANGE_PARITY, "%u %u",
                      can_grow ? pool->first : pool->first + 1U,
                      can_grow ? pool->last + 1U : pool->last);
        advice_next(run, f, "twprofile explain %s", range_key);
}

static void judge_start(AdviceRun *run) {
        const PortPool *pool = &run->now->pool;
        int64_t start = snapshot_number(
                        run->now, "net.ipv4.ip_unprivileged_port_start", UNPRIVILEGED_DEFAULT);
        bool is_system = pool->first < SYSTEM_PORTS_END;
        bool is_near = start > UNPRIVILEGED_DEFAULT && pool->first < start + NEAR_PORTS;
        if (range_size(pool) == 0 || (!is_system && !is_near))
                return;
        AdviceFinding *f = find_range(run, advice_rule_severity(run->rule), range_key);
        if (is_system)
                advice_evidence(run, f, "The range begins at %u, among the system ports.",
                                pool->first);
        else
                advice_evidence(run, f,
                                "The range begins at %u, and privileged ports end at %lld: less "
                                "than %u ports are between them.",
                                pool->first, (long long) start - 1, NEAR_PORTS);
        if (is_system)
                advice_formula(run, f, "%u < %u", pool->first, SYSTEM_PORTS_END);
        else
                advice_formula(run, f, "%u < %lld + %u", pool->first, (long long) start,
                               NEAR_PORTS);
        advice_number(f, "ip_unprivileged_port_start", (double) start, "port");
        if (is_system)
                advice_remedy(run, f, ADVICE_REMEDY_RANGE_START, "the kernel's default is 32768");
        else
                advice_remedy(run, f, ADVICE_REMEDY_RANGE_START, "%lld or more",
                              (long long) start + NEAR_PORTS);
        advice_next(run, f, "twprofile explain %s", range_key);
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "PORT-11",
          DIAG_PORT_11,
          ADVICE_NEEDS_SOCKETS | ADVICE_NEEDS_POOL,
          false,
          judge_services,
          {} },
        { "PORT-12", DIAG_PORT_12, ADVICE_NEEDS_POOL, false, judge_few, {} },
        { "PORT-13", DIAG_PORT_13, ADVICE_NEEDS_POOL, false, judge_reserved, {} },
        { "PORT-14", DIAG_PORT_14, ADVICE_NEEDS_POOL, false, judge_parity, {} },
        { "PORT-15", DIAG_PORT_15, ADVICE_NEEDS_POOL, false, judge_start, {} },
};

const AdviceRules advice_range_rules = { rows, ELEMENTSOF(rows) };
