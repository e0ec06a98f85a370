/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-time-wait.h"

/* TCP_TIMEWAIT_LEN of Linux is 60 s, which stands for 2 MSL (RFC 9293 section 3.6.1 would have 240 s). */
static bool time_wait_below_rfc(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        if (seconds >= 60)
                return false;

        strbuf_addf(&hit->message,
                    "a TIME_WAIT of %lld s gives up a part of the protection that the 60 s of Linux give",
                    (long long) seconds);
        strbuf_add(&hit->help, "use 60 or more, or take the risk on purpose with the lines above");
        return true;
}

/* Every port of the range can be used once per destination and TIME_WAIT. */
static bool time_wait_longer(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        if (seconds <= 60)
                return false;

        const SysctlValue *range = rule_value(facts, "net.ipv4.ip_local_port_range");
        strbuf_addf(&hit->message, "a TIME_WAIT of %lld s keeps more sockets", (long long) seconds);
        if (range) {
                int64_t ports = range->ints[1] - range->ints[0] + 1;
                strbuf_addf(&hit->message,
                            ": %lld ports allow %lld connections per second and destination, at 60 s %lld",
                            (long long) ports, (long long) (ports / seconds),
                            (long long) (ports / 60));
        }
        strbuf_add(&hit->help, "use 60");
        return true;
}

/* tcp_keepalive_timer() waits value - 60 and then hands over to a bucket that waits as long again. */
static bool fin_timeout_shortened(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        if (seconds <= 60 || seconds >= 120)
                return false;

        strbuf_addf(&hit->message, "a tcp_fin_timeout of %lld makes FIN_WAIT2 last %lld s",
                    (long long) seconds, 2LL * (seconds - 60));
        strbuf_add(&hit->help, "use at most 60, or at least 120; TIME_WAIT is the same with each");
        return true;
}

static bool reuse_without_timestamps(
                const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        const EffectiveKey *timestamps = effective_set_find(facts->set, "net.ipv4.tcp_timestamps");
        if (key->value.ints[0] != 1 || !timestamps || timestamps->value.ints[0] != 0)
                return false;

        hit->other = timestamps;
        strbuf_add(&hit->message, "tcp_tw_reuse does nothing while tcp_timestamps is 0");
        strbuf_add(&hit->help, "set tcp_timestamps to 1, or tcp_tw_reuse to 0");
        return true;
}

/* Value 2 came with 4.18 (commit 79e9fed46038); before, every value but 0 meant 1. */
static bool reuse_two_unknown(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        static const KernelVersion first = { .major = 4, .minor = 18 };
        const KernelVersion *kernel = &facts->live->kernel;
        if (key->value.ints[0] != 2 || kernel_version_compare(kernel, &first) >= 0)
                return false;

        strbuf_addf(&hit->message,
                    "on Linux %u.%u a tcp_tw_reuse of 2 means reuse for all connections",
                    kernel->major, kernel->minor);
        strbuf_add(&hit->help, "use 0 or 1 on kernels before 4.18");
        return true;
}

static const Rule rules[] = {
        { DIAG_TIME_WAIT_BELOW_RFC, true, "net.ipv4.tcp_tw_timeout", time_wait_below_rfc, {} },
        { DIAG_TIME_WAIT_LONGER,
          false,
          "net.ipv4.tcp_tw_timeout",
          time_wait_longer,
          { "net.ipv4.ip_local_port_range" },
          NULL },
        { DIAG_FIN_TIMEOUT_SHORTENED, true, "net.ipv4.tcp_fin_timeout", fin_timeout_shortened, {} },
        { DIAG_REUSE_WITHOUT_TIMESTAMPS,
          false,
          "net.ipv4.tcp_tw_reuse",
          reuse_without_timestamps,
          {} },
        { DIAG_REUSE_TWO_UNKNOWN, false, "net.ipv4.tcp_tw_reuse", reuse_two_unknown, {} },
};

const RuleTable rules_time_wait = { rules, ELEMENTSOF(rules) };
