/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-ports.h"

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

static const Rule rules[] = {
        { DIAG_PORT_RANGE_SYSTEM_PORTS,
          true,
          "net.ipv4.ip_local_port_range",
          port_range_system_ports,
          {} },
        { DIAG_PORT_RANGE_EQUAL_PARITY,
          true,
          "net.ipv4.ip_local_port_range",
          port_range_equal_parity,
          {} },
};

const RuleTable rules_ports = { rules, ELEMENTSOF(rules) };
