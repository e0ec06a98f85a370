/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-scenario.h"

#define CONCURRENCY   16U
#define COUNTED_MS    10000U /* for steps with a number of connections, which end long before */
#define LATE_CLOSE_MS 50U

/* One connection after the other to `to` destinations, with `n` requests each. */
#define CHURN(who, n, to) \
        { .order = (who), .requests = (n), .destinations = (to), .concurrency = CONCURRENCY }

static const LabStep client_closes[] = {
        { "", CHURN(LAB_ORDER_KEEP, 1, 1), NULL, NULL },
};

static const LabStep server_closes[] = {
        { "1000 connections",
          { .order = LAB_ORDER_CLOSE,
            .requests = 1,
            .destinations = 1,
            .concurrency = CONCURRENCY,
            .max_connections = 1000,
            .duration_ms = COUNTED_MS },
          NULL,
          NULL },
        { "all the time", CHURN(LAB_ORDER_CLOSE, 1, 1), NULL, NULL },
};

static const LabStep keep_alive[] = {
        { "1 request", CHURN(LAB_ORDER_KEEP, 1, 1), NULL, NULL },
        { "10 requests", CHURN(LAB_ORDER_KEEP, 10, 1), NULL, NULL },
        { "100 requests", CHURN(LAB_ORDER_KEEP, 100, 1), NULL, NULL },
        { "1000 requests", CHURN(LAB_ORDER_KEEP, 1000, 1), NULL, NULL },
};

static const LabStep destinations[] = {
        { "1 destination", CHURN(LAB_ORDER_KEEP, 1, 1), NULL, NULL },
        { "4 destinations", CHURN(LAB_ORDER_KEEP, 1, 4), NULL, NULL },
        { "16 destinations", CHURN(LAB_ORDER_KEEP, 1, 16), NULL, NULL },
};

/* The server follows late, so that the client's socket is in FIN_WAIT2, with its bucket or without, when the FIN comes. */
static const LabStep bucket_limit[] = {
        { "",
          { .order = LAB_ORDER_LATE,
            .requests = 1,
            .destinations = 1,
            .concurrency = CONCURRENCY,
            .linger_ms = LATE_CLOSE_MS,
            .max_connections = 500,
            .duration_ms = COUNTED_MS },
          "net.ipv4.tcp_max_tw_buckets",
          "100" },
};

static const LabStep bind_first[] = {
        { "connect()", CHURN(LAB_ORDER_KEEP, 1, 2), NULL, NULL },
        { "bind()",
          { .order = LAB_ORDER_KEEP,
            .requests = 1,
            .destinations = 2,
            .concurrency = CONCURRENCY,
            .bind = LAB_BIND_ADDRESS },
          NULL,
          NULL },
        { "NO_PORT",
          { .order = LAB_ORDER_KEEP,
            .requests = 1,
            .destinations = 2,
            .concurrency = CONCURRENCY,
            .bind = LAB_BIND_NO_PORT },
          NULL,
          NULL },
};

static const LabStep nat[] = {
        { "",
          { .destinations = 1, .duration_ms = COUNTED_MS, .returning_clients = true },
          NULL,
          NULL },
};

#define STEPS(table) (table), ELEMENTSOF(table)

/* clang-format off: one row, its words below each other */
static const LabScenario scenarios[] = {
        { "client-closes", "the client closes first, one destination",
          "When the ports to the destination are all in TIME_WAIT, connect() fails; tcp_tw_reuse lets it take one again.",
          true, STEPS(client_closes) },
        { "server-closes", "the server closes first",
          "TIME_WAIT is at the server, where it is in nobody's way: a new SYN replaces it. No setting makes this faster.",
          false, STEPS(server_closes) },
        { "keep-alive", "the client closes first, with 1 to 1000 requests for each connection",
          "More requests for each connection leave fewer TIME_WAITs and are faster than any setting.",
          false, STEPS(keep_alive) },
        { "destinations", "the client closes first, 1 to 16 destinations",
          "Each destination has all the ports for itself.", false, STEPS(destinations) },
        { "bucket-limit", "500 connections at a limit of 100 buckets",
          "What has no bucket any more answers its peer's FIN with a RST.", false,
          STEPS(bucket_limit) },
        { "bind", "two destinations, with and without bind() to an address before connect()",
          "bind() takes a port for all destinations, unless the socket has IP_BIND_ADDRESS_NO_PORT.",
          false, STEPS(bind_first) },
        { "nat", "40 clients come back from the same address and port with another clock",
          "A server that closed first refuses the SYN with an older timestamp; tcp_rfc1337=1 keeps it refusing.",
          false, STEPS(nat) },
};
/* clang-format on */

size_t lab_scenario_count(void) {
        return ELEMENTSOF(scenarios);
}

const LabScenario *lab_scenario_get(size_t i) {
        assert(i < ELEMENTSOF(scenarios));
        return &scenarios[i];
}

const LabScenario *lab_scenario_find(const char *name, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(scenarios); i++)
                if (strlen(scenarios[i].name) == n && memcmp(scenarios[i].name, name, n) == 0)
                        return &scenarios[i];
        return NULL;
}
