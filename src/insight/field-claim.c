/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-claim.h"

#include <math.h>

#include "insight/field-judge.h"
#include "model/port-use.h"

#define A_FILE     "a-alinux.conf"
#define B_FILE     "b-keepalive-article.conf"
#define C_FILE     "c-answer.conf"
#define D_FILE     "d-tuning-article.conf"

#define COUNTED_MS 30000U /* for loads with a number of connections, which end long before */
#define BURST_MS   1000U

/* --- loads ---------------------------------------------------------------------------------------------- */

#define CHURN(who, n, to) .order = (who), .requests = (n), .destinations = (to), .concurrency = 16

static const LabLoad one_request = { CHURN(LAB_ORDER_KEEP, 1, 1) };
static const LabLoad hundred_requests = { CHURN(LAB_ORDER_KEEP, 100, 1) };
static const LabLoad one_destination = { CHURN(LAB_ORDER_KEEP, 1, 1), .duration_ms = BURST_MS };
static const LabLoad four_destinations = { CHURN(LAB_ORDER_KEEP, 1, 4), .duration_ms = BURST_MS };
/* 200 ports are worth 3.3 connections a second without reuse, and 200 with it. */
static const LabLoad steady = {
        CHURN(LAB_ORDER_KEEP, 1, 1),
        .per_second = 50,
        .duration_ms = 20000,
};
static const LabLoad server_first = {
        CHURN(LAB_ORDER_CLOSE, 1, 1),
        .max_connections = 1000,
        .duration_ms = COUNTED_MS,
};
/* The server follows a moment later, so that the client's socket is in FIN_WAIT2, with its bucket or without, when the
 * FIN comes. */
static const LabLoad late_server = {
        CHURN(LAB_ORDER_LATE, 1, 1),
        .linger_ms = 50,
        .duration_ms = COUNTED_MS,
};

/* --- what the article of file d printed ----------------------------------------------------------------- */

static const uint32_t article_before[TCP_STATES] = {
        [TCP_STATE_ESTABLISHED] = 1070, [TCP_STATE_FIN_WAIT1] = 17,   [TCP_STATE_FIN_WAIT2] = 247,
        [TCP_STATE_TIME_WAIT] = 25087,  [TCP_STATE_CLOSE_WAIT] = 125, [TCP_STATE_LAST_ACK] = 7,
        [TCP_STATE_LISTEN] = 9,         [TCP_STATE_CLOSING] = 4,
};

#define TABLE_METRICS                                                                              \
        {                                                                                          \
                FIELD_STATE_TIME_WAIT, FIELD_STATE_ESTABLISHED, FIELD_STATE_FIN_WAIT2,             \
                                FIELD_STATE_CLOSE_WAIT, FIELD_STATE_FIN_WAIT1, FIELD_STATE_LISTEN, \
                                FIELD_STATE_LAST_ACK, FIELD_STATE_CLOSING, FIELD_STATE_SYN_RECV,   \
                                FIELD_LATE_TIME_WAIT, FIELD_OVERFLOW, FIELD_RESETS, FIELD_MADE     \
        }
#define TABLE_METRICS_COUNT 13

static const double told_before[] = { 25087, 1070, 247, 125, 17, 9, 7, 4, NAN, NAN, NAN, NAN, NAN };
static const double told_after[] = { 682, 972, 152, 2, 21, 9, 140, 2, 7, NAN, NAN, NAN, NAN };

/* --- recorded on Linux 4.4 ------------------------------------------------------------------------------ */

static const double life_of_4_4[] = { 60.0 };
static const double recycled_on_4_4[] = { 0.7 };

/* --- trials --------------------------------------------------------------------------------------------- */

#define RANGE_200                                                 \
        {                                                         \
                { "net.ipv4.ip_local_port_range", "32768 32967" } \
        }
#define MANY_BUCKETS                                        \
        {                                                   \
                { "net.ipv4.tcp_max_tw_buckets", "262144" } \
        }
#define NO_COOKIES                                 \
        {                                          \
                { "net.ipv4.tcp_syncookies", "0" } \
        }
#define SMALL_SYN(cookies)                                   \
        {                                                    \
                { "net.ipv4.tcp_syncookies", (cookies) }, {  \
                        "net.ipv4.tcp_max_syn_backlog", "64" \
                }                                            \
        }

#define LIFE_WITHOUT \
        { .label = "without", .kind = FIELD_LIFE }
#define LIFE_WITH \
        { .label = "with", .kind = FIELD_LIFE, .with = FIELD_WITH_LINE }
#define LIFE_METRICS                                                                               \
        {                                                                                          \
                FIELD_BUCKETS, FIELD_TIME_WAIT_LIFE, FIELD_FIN_WAIT2_LIFE, FIELD_CLOSE_WAIT_FIRST, \
                                FIELD_CLOSE_WAIT_LAST                                              \
        }
#define LIFE_METRICS_COUNT 5
#define LIFE_TRIED                                                                                                    \
        "100 connections in TIME_WAIT and 100 orphans in FIN_WAIT2, watched until they are gone; their 100 peers in " \
        "CLOSE_WAIT."

/* clang-format off: a row reads from what is said to what is measured */
static const FieldClaim claims[] = {
        { .name = "length",
          .files = { A_FILE },
          .says = "TIME_WAIT lasts 60 s in the Linux kernel and cannot be changed.",
          .verdict = "true",
          .tried = LIFE_TRIED,
          .fact = "TCP_TIMEWAIT_LEN is a constant, 60 s (include/net/tcp.h); with the kernel's coarse timers 60.0 to 61.7 s. No sysctl of mainline changes it.",
          .trials = { { .label = "here", .kind = FIELD_LIFE } },
          .n_trials = 1,
          .metrics = { FIELD_BUCKETS, FIELD_TIME_WAIT_LIFE },
          .n_metrics = 2,
          .judge = field_judge_length },
        { .name = "tw-timeout",
          .key = "net.ipv4.tcp_tw_timeout",
          .says = "Sets how long TIME_WAIT lasts, from 1 to 600 s.",
          .verdict = "kernel-dependent",
          .tried = LIFE_TRIED,
          .fact = "Alibaba Cloud Linux 2 (from 4.19.43-13.al7) and 3 have the key, deprecated from 4; mainline has it in no version from 4.4 to 7.2. Below 60 s old data may pass as new (RFC 9293 section 3.6.1).",
          .trials = { LIFE_WITHOUT, LIFE_WITH },
          .n_trials = 2,
          .metrics = { FIELD_BUCKETS, FIELD_TIME_WAIT_LIFE },
          .n_metrics = 2,
          .judge = field_judge_own_length },
        { .name = "keep-alive",
          .files = { B_FILE, C_FILE },
          .says = "Reuse connections (HTTP keep-alive): fewer TIME_WAITs, and more requests per second than with Connection: close.",
          .verdict = "true",
          .tried = "One request for each connection, then a hundred; the client closes first.",
          .fact = "Connections persist unless they are told to close (RFC 9112 section 9.3). 20000 requests on Linux 6.18: 1950 per second with one for each connection and 20000 TIME_WAITs, 15045 with a hundred and 200. No setting comes near.",
          .trials = { { .label = "1 request",
                        .kind = FIELD_CHURN,
                        .load = &one_request,
                        .alone = true },
                      { .label = "100 requests",
                        .kind = FIELD_CHURN,
                        .load = &hundred_requests,
                        .alone = true } },
          .n_trials = 2,
          .metrics = { FIELD_REQUESTS_PER_SECOND, FIELD_CONNECTIONS, FIELD_CLIENT_TIME_WAIT,
                       FIELD_FAILED },
          .n_metrics = 4,
          .judge = field_judge_keep_alive },
        { .name = "destinations",
          .files = { C_FILE },
          .says = "Spread the load over more addresses or ports.",
          .verdict = "true",
          .tried = "200 ports at the client, the client closes first: to one port of the server, then to four.",
          .fact = "A port is taken for one destination only (__inet_check_established() in net/ipv4/inet_hashtables.c): four times the destinations, four times the connections.",
          .trials = { { .label = "1 port",
                        .kind = FIELD_CHURN,
                        .load = &one_destination,
                        .presets = RANGE_200,
                        .alone = true },
                      { .label = "4 ports",
                        .kind = FIELD_CHURN,
                        .load = &four_destinations,
                        .presets = RANGE_200,
                        .alone = true } },
          .n_trials = 2,
          .metrics = { FIELD_PORTS, FIELD_FIRST_REFUSAL, FIELD_CLIENT_TIME_WAIT },
          .n_metrics = 3,
          .judge = field_judge_ports },
        { .name = "reuse-client",
          .key = "net.ipv4.tcp_tw_reuse",
          .says = "Sockets in TIME_WAIT are reused for new connections.",
          .verdict = "kernel-dependent",
          .tried = "50 connections per second for 20 s to one destination, on 200 ports; the client closes first.",
          .fact = "For connect() only, with timestamps at both ends, after tcp_tw_reuse_delay (1 s): tcp_twsk_unique() in net/ipv4/tcp_ipv4.c. P ports carry P x 1000 / delay connections per second instead of P / 60. The default is 2, loopback only, from 4.18 on (commit 79e9fed46038).",
          .trials = { { .label = "without",
                        .kind = FIELD_CHURN,
                        .load = &steady,
                        .presets = RANGE_200 },
                      { .label = "with",
                        .kind = FIELD_CHURN,
                        .load = &steady,
                        .presets = RANGE_200,
                        .with = FIELD_WITH_LINE } },
          .n_trials = 2,
          .metrics = { FIELD_CONNECTIONS, FIELD_FAILED, FIELD_CLIENT_TIME_WAIT, FIELD_RECYCLED },
          .n_metrics = 4,
          .judge = field_judge_reuse_client },
        { .name = "reuse-server",
          .key = "net.ipv4.tcp_tw_reuse",
          .says = "It reduces TIME_WAIT on a web server that closes first.",
          .verdict = "false",
          .tried = "1000 connections that the server closes first.",
          .fact = "The value is read in connect() alone (tcp_twsk_unique()). A new SYN from the same client port replaces a TIME_WAIT without any setting (tcp_timewait_state_process() in net/ipv4/tcp_minisocks.c).",
          .trials = { { .label = "without",
                        .kind = FIELD_CHURN,
                        .load = &server_first,
                        .alone = true },
                      { .label = "with",
                        .kind = FIELD_CHURN,
                        .load = &server_first,
                        .with = FIELD_WITH_LINE,
                        .alone = true } },
          .n_trials = 2,
          .metrics = { FIELD_CONNECTIONS, FIELD_SERVER_TIME_WAIT, FIELD_RECYCLED },
          .n_metrics = 3,
          .judge = field_judge_reuse_server },
        { .name = "recycle",
          .key = "net.ipv4.tcp_tw_recycle",
          .says = "TIME_WAIT is reclaimed quickly.",
          .verdict = "outdated",
          .tried = "Whether this kernel has the key; the figures are those recorded on Linux 4.4.",
          .fact = "Up to 4.11 TIME_WAIT then lasted 3.5 x RTO, and every SYN from the same address with an older timestamp was dropped (three of three on 4.4, PAWSPassive +3): every second client behind a NAT. Random timestamp offsets (4.10, commit 95a22caee396) hit single clients too; commit 4396e46187ca removed the key in 4.12.",
          .trials = { { .label = "4.4, 0", .kind = FIELD_RECORDED, .recorded = life_of_4_4 },
                      { .label = "4.4, 1", .kind = FIELD_RECORDED, .recorded = recycled_on_4_4 },
                      { .label = "here", .kind = FIELD_LIFE, .with = FIELD_WITH_LINE } },
          .n_trials = 3,
          .metrics = { FIELD_TIME_WAIT_LIFE },
          .n_metrics = 1,
          .judge = field_judge_removed },
        { .name = "fin-timeout",
          .key = "net.ipv4.tcp_fin_timeout",
          .says = "A smaller value shortens TIME_WAIT.",
          .verdict = "false",
          .tried = LIFE_TRIED,
          .fact = "It is the life of an orphan in FIN_WAIT2 (tcp_fin_time() in include/net/tcp.h); TIME_WAIT lasts 60.0 to 61.7 s with 1, 5, 10, 30, 60 and 120 alike (4.4 to 7.2).",
          .trials = { LIFE_WITHOUT, LIFE_WITH },
          .n_trials = 2,
          .metrics = LIFE_METRICS,
          .n_metrics = LIFE_METRICS_COUNT,
          .judge = field_judge_fin_timeout },
        { .name = "syncookies",
          .key = "net.ipv4.tcp_syncookies",
          .says = "Belongs to the settings against TIME_WAIT.",
          .verdict = "unrelated",
          .tried = LIFE_TRIED " Without: 0.",
          .fact = "It answers SYN floods (RFC 4987; tcp_conn_request() in net/ipv4/tcp_input.c), and 1 is the default.",
          .trials = { { .label = "without", .kind = FIELD_LIFE, .presets = NO_COOKIES },
                      LIFE_WITH },
          .n_trials = 2,
          .metrics = LIFE_METRICS,
          .n_metrics = LIFE_METRICS_COUNT,
          .judge = field_judge_unmoved },
        { .name = "buckets",
          .key = "net.ipv4.tcp_max_tw_buckets",
          .says = "Lowering the number of TIME_WAIT sockets prevents resource exhaustion.",
          .verdict = "false",
          .tried = "1000 connections more than the limit; the client closes first, the server 50 ms later. Without: 262144.",
          .fact = "What finds no bucket vanishes at once: its peer's FIN meets nobody and is answered by a reset, and nothing protects against old duplicates (tcp_time_wait() in net/ipv4/tcp_minisocks.c). 100000 of them cost 25 to 50 MB.",
          .trials = { { .label = "without",
                        .kind = FIELD_CHURN,
                        .load = &late_server,
                        .presets = MANY_BUCKETS,
                        .beyond = true,
                        .alone = true },
                      { .label = "with",
                        .kind = FIELD_CHURN,
                        .load = &late_server,
                        .presets = MANY_BUCKETS,
                        .with = FIELD_WITH_LINE,
                        .beyond = true,
                        .alone = true } },
          .n_trials = 2,
          .metrics = { FIELD_CONNECTIONS, FIELD_CLIENT_TIME_WAIT, FIELD_OVERFLOW, FIELD_RESETS },
          .n_metrics = 4,
          .judge = field_judge_buckets },
        { .name = "syn-backlog",
          .key = "net.ipv4.tcp_max_syn_backlog",
          .says = "Enlarges the SYN queue.",
          .verdict = "false",
          .tried = "500 half-open requests to a backlog of 4096: with 64 and with the line, at tcp_syncookies=1; then both at 0.",
          .fact = "With tcp_syncookies=1, the default and set by the same list, it is not asked: the limit is min(backlog, somaxconn) (tcp_conn_request() in net/ipv4/tcp_input.c). Unrelated to TIME_WAIT.",
          .trials = { { .label = "64", .kind = FIELD_FLOOD, .presets = SMALL_SYN("1") },
                      { .label = "with",
                        .kind = FIELD_FLOOD,
                        .presets = SMALL_SYN("1"),
                        .with = FIELD_WITH_LINE },
                      { .label = "64, 0", .kind = FIELD_FLOOD, .presets = SMALL_SYN("0") },
                      { .label = "with, 0",
                        .kind = FIELD_FLOOD,
                        .presets = SMALL_SYN("0"),
                        .with = FIELD_WITH_LINE } },
          .n_trials = 4,
          .metrics = { FIELD_HALF_OPEN, FIELD_LISTEN_DROPS, FIELD_COOKIES },
          .n_metrics = 3,
          .judge = field_judge_syn_backlog },
        { .name = "keepalive-time",
          .key = "net.ipv4.tcp_keepalive_time",
          .says = "Reduces the interval between keep-alive probes.",
          .verdict = "false",
          .tried = LIFE_TRIED,
          .fact = "It is the idle time before the first probe; the interval is tcp_keepalive_intvl (tcp(7)). It finds dead peers of sockets that ask for it, and has nothing to do with TIME_WAIT.",
          .trials = { LIFE_WITHOUT, LIFE_WITH },
          .n_trials = 2,
          .metrics = { FIELD_KEEPALIVE_IDLE, FIELD_KEEPALIVE_INTERVAL, FIELD_BUCKETS,
                       FIELD_TIME_WAIT_LIFE, FIELD_CLOSE_WAIT_FIRST, FIELD_CLOSE_WAIT_LAST },
          .n_metrics = 6,
          .judge = field_judge_unmoved },
        { .name = "port-range",
          .key = "net.ipv4.ip_local_port_range",
          .says = "A larger pool of ports for outgoing connections.",
          .verdict = "true",
          .tried = "The client closes first; of either range only each 256th port is left, so that it is used up in a second.",
          .fact = "True, and poorly chosen: from 1024 on it takes ports of services that start later, and two bounds of equal parity make the kernel warn (inet_csk_find_open_port(), ipv4_local_port_range()). The ceiling stays P / 60 per second and destination.",
          .trials = { { .label = "without",
                        .kind = FIELD_CHURN,
                        .load = &one_destination,
                        .thin = true,
                        .alone = true },
                      { .label = "with",
                        .kind = FIELD_CHURN,
                        .load = &one_destination,
                        .thin = true,
                        .with = FIELD_WITH_LINE,
                        .alone = true } },
          .n_trials = 2,
          .metrics = { FIELD_PORTS, FIELD_FIRST_REFUSAL, FIELD_CLIENT_TIME_WAIT },
          .n_metrics = 3,
          .judge = field_judge_ports },
        { .name = "close-wait",
          .files = { D_FILE },
          .says = "With these settings CLOSE_WAIT falls from 125 to 2.",
          .verdict = "unrelated",
          .tried = "100 connections whose server does not close, watched while TIME_WAIT passes; with: the whole file.",
          .fact = "In CLOSE_WAIT the local program has not called close(); no sysctl ends it (RFC 9293 section 3.3.2).",
          .trials = { LIFE_WITHOUT,
                      { .label = "with", .kind = FIELD_LIFE, .with = FIELD_WITH_FILE } },
          .n_trials = 2,
          .metrics = { FIELD_CLOSE_WAIT_FIRST, FIELD_CLOSE_WAIT_LAST },
          .n_metrics = 2,
          .judge = field_judge_close_wait },
        { .name = "table",
          .files = { D_FILE },
          .says = "netstat before and after: TIME_WAIT falls from 25087 to 682.",
          .verdict = "partly",
          .tried = "A server's sockets in the states of the article, made once with 262144 buckets and once with the whole file; packets that FIN_WAIT1, LAST_ACK and CLOSING wait for are dropped by a socket filter.",
          .fact = "Nothing got better: what is missing found no bucket, and its peer got a reset. TIME_WAITs that exist stay when the limit is lowered; FIN_WAIT2 shares it. 682 is far below any such limit: 25087 in 60 s are 418 per second, of which tcp_tw_recycle (until 4.12) kept 0.7 s' worth or a little more. CLOSE_WAIT 2, LAST_ACK 140, SYN_RECV 7 and ESTABLISHED 972 come from the load and the programs at that moment: no line of the file makes them, and none is made here.",
          .trials = { { .label = "told before", .kind = FIELD_RECORDED, .recorded = told_before },
                      { .label = "told after", .kind = FIELD_RECORDED, .recorded = told_after },
                      { .label = "before",
                        .kind = FIELD_SCENE,
                        .wanted = article_before,
                        .presets = MANY_BUCKETS,
                        .with = FIELD_WITH_LATE,
                        .alone = true },
                      { .label = "after",
                        .kind = FIELD_SCENE,
                        .wanted = article_before,
                        .with = FIELD_WITH_FILE,
                        .alone = true } },
          .n_trials = 4,
          .metrics = TABLE_METRICS,
          .n_metrics = TABLE_METRICS_COUNT,
          .judge = field_judge_table },
};
/* clang-format on */

size_t field_claim_count(void) {
        return ELEMENTSOF(claims);
}

const FieldClaim *field_claim_get(size_t i) {
        assert(i < ELEMENTSOF(claims));
        return &claims[i];
}

bool field_claim_is_about(const FieldClaim *claim, const char *file, const char *key) {
        if (claim->key || key)
                return streq_null(claim->key, key);
        for (size_t i = 0; i < ELEMENTSOF(claim->files); i++)
                if (claim->files[i] && streq(claim->files[i], file))
                        return true;
        return false;
}

double field_measured_get(const FieldMeasured *measured, size_t trial, FieldMetricId id) {
        const FieldClaim *claim = measured->claim;
        assert(trial < claim->n_trials);
        const double *recorded = claim->trials[trial].recorded;
        if (!recorded)
                return field_metric_value(&measured->results[trial], id);
        for (size_t i = 0; i < claim->n_metrics; i++)
                if (claim->metrics[i] == id)
                        return recorded[i];
        return NAN;
}

const char *field_outcome_name(FieldOutcome outcome) {
        static const char *const names[] = {
                [FIELD_CONFIRMED] = "confirmed", [FIELD_CONTRADICTED] = "contradicted",
                [FIELD_UNDECIDED] = "undecided", [FIELD_ABSENT] = "absent",
                [FIELD_REFUSED] = "refused",
        };
        assert((size_t) outcome < ELEMENTSOF(names));
        return names[outcome];
}
