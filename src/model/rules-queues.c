/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-queues.h"

static bool syncookies_off(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 0)
                return false;

        strbuf_add(&hit->message,
                   "with tcp_syncookies 0 a full SYN queue drops every new client, as a SYN flood wants");
        strbuf_add(&hit->help, "set it to 1: cookies are sent only while the queue is full");
        return true;
}

static bool syncookies_always(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 2)
                return false;

        strbuf_add(&hit->message,
                   "tcp_syncookies 2 answers every SYN with a cookie, which has no room for all TCP options; it is for tests");
        strbuf_add(&hit->help, "set it to 1: cookies are sent only while the queue is full");
        return true;
}

/* tcp_conn_request() looks at it only with tcp_syncookies 0, since 4.4; the same was measured on 4.4 to 7.2. */
static bool syn_backlog_unused(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t cookies = 0;
        if (!rule_integer(facts, "net.ipv4.tcp_syncookies", &cookies) || cookies == 0)
                return false;

        hit->other = effective_set_find(facts->set, "net.ipv4.tcp_syncookies");
        strbuf_addf(&hit->message,
                    "a tcp_max_syn_backlog of %lld does nothing while tcp_syncookies is %lld",
                    (long long) key->value.ints[0], (long long) cookies);
        strbuf_add(&hit->help,
                   "raise net.core.somaxconn and the backlog that the program asks listen() for");
        return true;
}

/* Commit 19f92a030ca6 (5.4) raised the default from 128. */
static bool somaxconn_lowered(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t value = key->value.ints[0];
        if (value >= 4096 || !rule_kernel_since(facts, 5, 4))
                return false;

        strbuf_addf(&hit->message,
                    "a somaxconn of %lld is below the 4096 that Linux has by itself since 5.4",
                    (long long) value);
        strbuf_add(&hit->help, "use 4096 or more, or leave the key out");
        return true;
}

static bool abort_on_overflow(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] == 0)
                return false;

        strbuf_add(&hit->message,
                   "with tcp_abort_on_overflow 1 a short burst becomes connection errors of the clients");
        strbuf_add(&hit->help,
                   "set it to 0, so that they try again; raise net.core.somaxconn against overflows");
        return true;
}

static bool netdev_backlog_small(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t packets = key->value.ints[0];
        if (packets >= 1000)
                return false;

        strbuf_addf(&hit->message,
                    "a netdev_max_backlog of %lld is below the kernel's 1000: loopback, veth and RPS drop packets of a burst",
                    (long long) packets);
        strbuf_add(&hit->help,
                   "use 1000 or more; column 2 of /proc/net/softnet_stat counts the drops");
        return true;
}

/* A poll may take NAPI_POLL_WEIGHT packets, and net_rx_action() ends its round when the budget is used up. */
static bool netdev_budget_small(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t packets = key->value.ints[0];
        if (packets >= 64)
                return false;

        strbuf_addf(&hit->message,
                    "a netdev_budget of %lld is less than the 64 packets that one queue may take in a poll",
                    (long long) packets);
        strbuf_add(&hit->help, "use 64 or more; the kernel's default is 300");
        return true;
}

/* The time until a request is given up: 1 s, doubled each time, none longer than TCP_RTO_MAX. */
static int64_t handshake_seconds(int64_t retries) {
        int64_t total = 0, wait = 1;
        for (int64_t i = 0; i <= retries; i++) {
                total += wait;
                wait = wait < 60 ? wait * 2 : 120;
        }
        return total;
}

static bool synack_retries_few(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t retries = key->value.ints[0];
        if (retries > 1)
                return false;

        strbuf_addf(&hit->message, "with tcp_synack_retries %lld a client has %lld s to answer",
                    (long long) retries, (long long) handshake_seconds(retries));
        strbuf_add(&hit->help, "use 2 or more, for clients on lossy links");
        return true;
}

static bool synack_retries_many(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t retries = key->value.ints[0];
        if (retries <= 5)
                return false;

        strbuf_addf(&hit->message,
                    "with tcp_synack_retries %lld a client that vanished stays in the SYN queue for %lld s",
                    (long long) retries, (long long) handshake_seconds(retries));
        strbuf_add(&hit->help, "use at most the kernel's 5, which is 63 s");
        return true;
}

/* With tcp_syn_linear_timeouts (6.5) the waits are shorter still. */
static bool syn_retries_few(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t retries = key->value.ints[0];
        if (retries > 2)
                return false;

        strbuf_addf(&hit->message,
                    "with tcp_syn_retries %lld every connect() of the host gives up after %lld s at most",
                    (long long) retries, (long long) handshake_seconds(retries));
        strbuf_add(&hit->help,
                   "use 3 or more; a program that must fail sooner has TCP_SYNCNT and its own timeout");
        return true;
}

/* include/net/tcp.h TFO_ */
enum {
        FASTOPEN_CLIENT = 0x1,
        FASTOPEN_SERVER = 0x2,
        FASTOPEN_CLIENT_NO_COOKIE = 0x4,
        FASTOPEN_SERVER_NO_COOKIE = 0x200,
        FASTOPEN_ALL_LISTENERS = 0x400,
};

static bool fastopen_without_cookie(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t bits = key->value.ints[0];
        bool server = (bits & FASTOPEN_SERVER_NO_COOKIE) != 0;
        if (!server && !(bits & FASTOPEN_CLIENT_NO_COOKIE))
                return false;

        strbuf_addf(&hit->message,
                    "tcp_fastopen %lld %s, so nothing proves that the address is the client's",
                    (long long) bits,
                    server ? "takes data of a SYN without a cookie (bit 512)"
                           : "sends data in a SYN without a cookie (bit 4)");
        strbuf_add(&hit->help,
                   "leave bits 4 and 512 out: 1 for clients, 2 for servers, 3 for both");
        return true;
}

static bool fastopen_bits_idle(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t bits = key->value.ints[0];
        bool server = (bits & (FASTOPEN_SERVER_NO_COOKIE | FASTOPEN_ALL_LISTENERS)) != 0 &&
                      !(bits & FASTOPEN_SERVER);
        bool client = (bits & FASTOPEN_CLIENT_NO_COOKIE) != 0 && !(bits & FASTOPEN_CLIENT);
        if (!server && !client)
                return false;

        strbuf_addf(&hit->message, "tcp_fastopen %lld lacks bit %d, without which bit%s nothing",
                    (long long) bits, server ? FASTOPEN_SERVER : FASTOPEN_CLIENT,
                    server ? "s 512 and 1024 do" : " 4 does");
        strbuf_addf(&hit->help, "add %d to the value, or remove the other bit",
                    server ? FASTOPEN_SERVER : FASTOPEN_CLIENT);
        return true;
}

static const Rule rules[] = {
        { DIAG_SYNCOOKIES_OFF, true, .key = "net.ipv4.tcp_syncookies", .applies = syncookies_off },
        { DIAG_SYNCOOKIES_ALWAYS, true, .key = "net.ipv4.tcp_syncookies",
          .applies = syncookies_always },
        { DIAG_SYN_BACKLOG_UNUSED, false, .key = "net.ipv4.tcp_max_syn_backlog",
          .applies = syn_backlog_unused, .also = { "net.ipv4.tcp_syncookies" } },
        { DIAG_SOMAXCONN_LOWERED, false, .key = "net.core.somaxconn",
          .applies = somaxconn_lowered },
        { DIAG_ABORT_ON_OVERFLOW, true, .key = "net.ipv4.tcp_abort_on_overflow",
          .applies = abort_on_overflow },
        { DIAG_NETDEV_BACKLOG_SMALL, true, .key = "net.core.netdev_max_backlog",
          .applies = netdev_backlog_small },
        { DIAG_NETDEV_BUDGET_SMALL, true, .key = "net.core.netdev_budget",
          .applies = netdev_budget_small },
        { DIAG_SYNACK_RETRIES_FEW, true, .key = "net.ipv4.tcp_synack_retries",
          .applies = synack_retries_few },
        { DIAG_SYNACK_RETRIES_MANY, true, .key = "net.ipv4.tcp_synack_retries",
          .applies = synack_retries_many },
        { DIAG_SYN_RETRIES_FEW, true, .key = "net.ipv4.tcp_syn_retries",
          .applies = syn_retries_few },
        { DIAG_FASTOPEN_WITHOUT_COOKIE, true, .key = "net.ipv4.tcp_fastopen",
          .applies = fastopen_without_cookie },
        { DIAG_FASTOPEN_BITS_IDLE, true, .key = "net.ipv4.tcp_fastopen",
          .applies = fastopen_bits_idle },
};

const RuleTable rules_queues = { rules, ELEMENTSOF(rules) };
