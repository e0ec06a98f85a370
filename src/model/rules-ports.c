/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-ports.h"

#define RANGE      "net.ipv4.ip_local_port_range"
#define RESERVED   "net.ipv4.ip_local_reserved_ports"
#define START      "net.ipv4.ip_unprivileged_port_start"
#define AUTOBIND   "net.ipv4.ip_autobind_reuse"

#define PORTS      65536U
#define PORTS_FEW  1000
#define NAMED_MAX  8U  /* ports in a sentence */
#define LISTED_MAX 64U /* items of a line that is proposed */

/* ---- sets of ports ----------------------------------------------------------------------------------------- */

typedef struct PortSet {
        uint8_t bits[PORTS / 8];
} PortSet;

static bool port_set_has(const PortSet *set, unsigned port) {
        return set->bits[port / 8] & (1U << (port % 8));
}

static void port_set_add(PortSet *set, unsigned first, unsigned last) {
        for (unsigned port = first; port <= last && port < PORTS; port++)
                set->bits[port / 8] |= (uint8_t) (1U << (port % 8));
}

/* What keeps ports from being given out: what the set says, else what is live. */
static void reserved_read(const RuleFacts *facts, PortSet *ret) {
        const SysctlValue *value = rule_value(facts, RESERVED);
        *ret = (PortSet){};
        for (size_t i = 0; value && i < value->n_ports; i++)
                port_set_add(ret, value->ports[i].first, value->ports[i].last);
}

static int64_t count_reserved(const PortSet *reserved, int64_t low, int64_t high) {
        int64_t n = 0;
        for (int64_t port = low; port <= high; port++)
                n += port_set_has(reserved, (unsigned) port);
        return n;
}

/* As a profile has it: [8080, "30000-30010"]. */
static void add_port_list(StrBuf *out, const PortSet *set) {
        size_t n = 0;
        strbuf_add(out, "[");
        for (unsigned port = 1; port < PORTS && n < LISTED_MAX; port++) {
                if (!port_set_has(set, port))
                        continue;
                unsigned first = port;
                while (port + 1 < PORTS && port_set_has(set, port + 1))
                        port++;
                strbuf_add(out, n++ > 0 ? ", " : "");
                if (first == port)
                        strbuf_addf(out, "%u", port);
                else
                        strbuf_addf(out, "\"%u-%u\"", first, port);
        }
        strbuf_add(out, "]");
}

/* ---- what the range alone says ----------------------------------------------------------------------------- */

static bool port_range_system_ports(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t low = key->value.ints[0];
        if (low >= 1024)
                return false;

        strbuf_addf(&hit->message, "outgoing connections would take system ports, from %lld on",
                    (long long) low);
        strbuf_add(&hit->help, "start the range at 1024 or above");
        return true;
}

static bool port_range_service_ports(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t low = key->value.ints[0];
        if (low < 1024 || low >= 10000)
                return false;

        strbuf_addf(&hit->message,
                    "a range from %lld on gives out ports that services are expected on, such as 3306, "
                    "5432, 6379 and 8080",
                    (long long) low);
        strbuf_add(&hit->help,
                   "start at 10000 or above: 55536 ports are 1.97 times the 28232 of the default");
        return true;
}

static bool port_range_equal_parity(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t low = key->value.ints[0], high = key->value.ints[1];
        if ((low & 1) != (high & 1))
                return false;

        strbuf_addf(&hit->message, "both ends of the port range %lld to %lld are %s",
                    (long long) low, (long long) high, (low & 1) ? "odd" : "even");
        strbuf_add(&hit->help, "move one end by one");
        return true;
}

/* ---- range and reserved ports ------------------------------------------------------------------------------ */

typedef struct Pool {
        const SysctlValue *range;
        PortSet reserved;
        int64_t n_ports, n_reserved;
        const EffectiveKey *other; /* the second key, where both are set */
} Pool;

/* False when it is not known, or when the same was asked at the range already. */
static bool pool_read(const RuleFacts *facts, const EffectiveKey *key, Pool *ret) {
        bool second = !streq(key->spec->key, RANGE);
        ret->range = rule_value(facts, RANGE);
        if (!ret->range || (second && effective_set_find(facts->set, RANGE)))
                return false;
        ret->other = second ? NULL : effective_set_find(facts->set, RESERVED);
        reserved_read(facts, &ret->reserved);
        ret->n_ports = ret->range->ints[1] - ret->range->ints[0] + 1;
        ret->n_reserved = count_reserved(&ret->reserved, ret->range->ints[0], ret->range->ints[1]);
        return true;
}

static bool port_range_small(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        Pool pool;
        if (!pool_read(facts, key, &pool) || pool.n_ports == pool.n_reserved ||
            pool.n_ports - pool.n_reserved >= PORTS_FEW)
                return false;

        int64_t usable = pool.n_ports - pool.n_reserved;
        hit->other = pool.other;
        strbuf_addf(&hit->message,
                    "%lld usable ports are few: without reuse %lld connections per second and "
                    "destination, then connect() fails",
                    (long long) usable, (long long) (usable / 60));
        strbuf_add(&hit->help, "widen the range; the default has 28232 ports, 470 per second");
        return true;
}

static bool reserved_ports_cover_range(
                const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        Pool pool;
        if (!pool_read(facts, key, &pool) || pool.n_ports != pool.n_reserved)
                return false;

        hit->other = pool.other;
        strbuf_addf(&hit->message,
                    "all %lld ports from %lld to %lld are reserved: every connect() without a port of "
                    "its own fails",
                    (long long) pool.n_ports, (long long) pool.range->ints[0],
                    (long long) pool.range->ints[1]);
        strbuf_add(&hit->help, "reserve the ports of services only");
        return true;
}

static bool reserved_ports_half_range(
                const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        Pool pool;
        if (!pool_read(facts, key, &pool) || pool.n_ports == pool.n_reserved ||
            pool.n_reserved * 2 <= pool.n_ports)
                return false;

        hit->other = pool.other;
        strbuf_addf(&hit->message, "%lld of the %lld ports from %lld to %lld are reserved",
                    (long long) pool.n_reserved, (long long) pool.n_ports,
                    (long long) pool.range->ints[0], (long long) pool.range->ints[1]);
        strbuf_add(&hit->help, "reserve fewer, or move the range away from them");
        return true;
}

/* ---- range and listeners ----------------------------------------------------------------------------------- */

/* The listeners that the range would newly cover and that nothing keeps out of it. */
static size_t find_covered(
                const RuleFacts *facts, const EffectiveKey *key, const PortSet *reserved,
                PortSet *ret) {
        SysctlValue origin = {};
        bool known = rule_origin(facts, key->spec, &origin);
        size_t n = 0;
        *ret = (PortSet){};
        for (size_t i = 0; i < facts->machine->n_listeners; i++) {
                unsigned port = facts->machine->listeners[i];
                bool within = port >= key->value.ints[0] && port <= key->value.ints[1];
                bool was_within = known && port >= origin.ints[0] && port <= origin.ints[1];
                if (!within || was_within || port_set_has(reserved, port))
                        continue;
                port_set_add(ret, port, port);
                n++;
        }
        return n;
}

static void add_port_names(StrBuf *out, const PortSet *set, size_t n) {
        size_t named = 0;
        for (unsigned port = 1; port < PORTS && named < NAMED_MAX; port++)
                if (port_set_has(set, port))
                        strbuf_addf(out, "%s%u", named++ > 0 ? ", " : "", port);
        if (n > named)
                strbuf_addf(out, " and %zu more", n - named);
}

static bool port_range_over_listeners(
                const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        if (!facts->machine || !facts->machine->knows_listeners)
                return false;
        PortSet reserved, covered;
        reserved_read(facts, &reserved);
        size_t n = find_covered(facts, key, &reserved, &covered);
        if (n == 0)
                return false;

        strbuf_add(&hit->message, "services of this host listen on ");
        add_port_names(&hit->message, &covered, n);
        strbuf_addf(&hit->message,
                    ", inside the port range %lld to %lld: an outgoing connection may have the port "
                    "while the service restarts",
                    (long long) key->value.ints[0], (long long) key->value.ints[1]);
        for (size_t i = 0; i < sizeof(covered.bits); i++)
                covered.bits[i] |= reserved.bits[i];
        strbuf_add(&hit->help, "keep them out of it: " RESERVED ": ");
        add_port_list(&hit->help, &covered);
        return true;
}

/* ---- range and start --------------------------------------------------------------------------------------- */

static bool port_range_below_start(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        const SysctlValue *range = rule_value(facts, RANGE);
        int64_t start = 0;
        bool second = !streq(key->spec->key, RANGE);
        if (!range || (second && effective_set_find(facts->set, RANGE)) ||
            !rule_integer(facts, START, &start) || range->ints[0] >= start)
                return false;

        hit->other = second ? NULL : effective_set_find(facts->set, START);
        strbuf_addf(&hit->message,
                    "the port range starts at %lld, below ip_unprivileged_port_start %lld: the kernel "
                    "refuses the second of the two",
                    (long long) range->ints[0], (long long) start);
        strbuf_addf(&hit->help, "start the range at %lld or above, or lower the other key",
                    (long long) start);
        return true;
}

static bool unprivileged_system_ports(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t start = key->value.ints[0];
        if (start >= 1024)
                return false;

        strbuf_addf(&hit->message,
                    "any user may take the ports %lld to 1023 while their service is down%s",
                    (long long) start, start <= 22 ? ", that of ssh among them" : "");
        strbuf_add(&hit->help,
                   "give the one service CAP_NET_BIND_SERVICE or a socket unit, or start above its last port");
        return true;
}

static bool autobind_reuse(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 1)
                return false;

        strbuf_add(&hit->message,
                   "with ip_autobind_reuse 1 bind() to port 0 hands out ports in TIME_WAIT at once, "
                   "whatever tcp_tw_reuse and its delay say");
        strbuf_add(&hit->help,
                   "use IP_BIND_ADDRESS_NO_PORT in the program that binds before it connects (4.2 and later)");
        return true;
}

static const Rule rules[] = {
        { DIAG_PORT_RANGE_SYSTEM_PORTS, true, RANGE, port_range_system_ports, {}, NULL },
        { DIAG_PORT_RANGE_EQUAL_PARITY, true, RANGE, port_range_equal_parity, {}, NULL },
        { DIAG_PORT_RANGE_OVER_LISTENERS,
          false,
          RANGE,
          port_range_over_listeners,
          { RESERVED },
          NULL },
        { DIAG_PORT_RANGE_SMALL, false, RANGE, port_range_small, { RANGE, RESERVED }, RESERVED },
        { DIAG_RESERVED_PORTS_COVER_RANGE,
          false,
          RANGE,
          reserved_ports_cover_range,
          { RANGE, RESERVED },
          RESERVED },
        { DIAG_RESERVED_PORTS_HALF_RANGE,
          false,
          RANGE,
          reserved_ports_half_range,
          { RANGE, RESERVED },
          RESERVED },
        { DIAG_PORT_RANGE_BELOW_START,
          false,
          RANGE,
          port_range_below_start,
          { RANGE, START },
          START },
        { DIAG_PORT_RANGE_SERVICE_PORTS, true, RANGE, port_range_service_ports, {}, NULL },
        { DIAG_AUTOBIND_REUSE, true, AUTOBIND, autobind_reuse, {}, NULL },
        { DIAG_UNPRIVILEGED_SYSTEM_PORTS, true, START, unprivileged_system_ports, {}, NULL },
};

const RuleTable rules_ports = { rules, ELEMENTSOF(rules) };
