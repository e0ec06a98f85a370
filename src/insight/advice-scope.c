/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-scope.h"

#include <inttypes.h>

#include "base/num.h"
#include "insight/advice-facts.h"

/* [E] 8192 slots give 4096 buckets; 1 gave a namespace with tcp_max_tw_buckets=0 (Linux 6.18). */
#define CHILD_SLOTS 8192
/* [S] include/net/tcp.h, TCP_TIMEWAIT_LEN. */
#define TIME_WAIT_SECONDS 60

static const char child_key[] = "net.ipv4.tcp_child_ehash_entries";
static const char timeout_key[] = "net.ipv4.tcp_tw_timeout";
static const char somaxconn_key[] = "net.core.somaxconn";

/* --- NS-1, NS-2: what is enabled, and where -------------------------------------------------------------- */

/* Whether the value here is another one than the profile's. A key that was not looked at is the same. */
static bool differs(const Snapshot *now, const SnapshotEnabledKey *key) {
        const LiveKey *live = live_find(&now->settings, key->spec);
        return live && live->text && key->value && !streq(live->text, key->value);
}

static bool was_looked_at(const Snapshot *now, const SnapshotEnabledKey *key) {
        return key->value && live_find(&now->settings, key->spec);
}

static void judge_elsewhere(AdviceRun *run) {
        const Snapshot *now = run->now;
        const SnapshotEnabled *enabled = &now->enabled;
        const SnapshotEnabledKey *first = NULL;
        size_t n_keys = 0, n_seen = 0, n_different = 0;
        if (!enabled->known || enabled->netns == now->netns)
                return;
        for (size_t i = 0; i < enabled->n_keys; i++) {
                const SnapshotEnabledKey *key = &enabled->keys[i];
                if (key->spec->scope != SYSCTL_SCOPE_NETNS)
                        continue;
                n_keys++;
                n_seen += was_looked_at(now, key);
                if (!differs(now, key))
                        continue;
                n_different++;
                first = first ? first : key;
        }
        if (n_keys == 0 || (n_seen > 0 && n_different == 0))
                return;
        AdviceFinding *f = advice_find_plain(run, "network namespace");
        advice_evidence(run, f,
                        "Profiles are enabled in network namespace %" PRIu64
                        ", and this is %" PRIu64 ": nothing is inherited.",
                        enabled->netns, now->netns);
        if (first)
                advice_evidence(run, f, "%zu of %zu values differ here: %s is %s, not %s.",
                                n_different, n_keys, first->spec->key,
                                live_find(&now->settings, first->spec)->text, first->value);
        advice_formula(run, f, "%" PRIu64 " != %" PRIu64, now->netns, enabled->netns);
        advice_number(f, "keys", (double) n_keys, "keys");
        advice_number(f, "different", (double) n_different, "keys");
        advice_remedy(run, f, ADVICE_REMEDY_RIGHT_NAMESPACE, NULL);
        advice_next(run, f, "twprofile status");
}

static void judge_host_wide(AdviceRun *run) {
        const Snapshot *now = run->now;
        const char *list = "", *profile = NULL;
        size_t n = 0;
        if (!now->enabled.known || now->settings.initial_netns)
                return;
        for (size_t i = 0; i < now->enabled.n_keys; i++) {
                const SnapshotEnabledKey *key = &now->enabled.keys[i];
                if (key->spec->scope != SYSCTL_SCOPE_HOST)
                        continue;
                list = advice_text(run, "%s%s%s", list, n++ > 0 ? ", " : "", key->spec->key);
                profile = profile ? profile : key->profile;
        }
        if (n == 0)
                return;
        AdviceFinding *f = advice_find_plain(run, profile);
        advice_evidence(run, f,
                        "%zu of the keys that are enabled are one for the whole host, and "
                        "absent or read-only in this namespace: %s.",
                        n, list);
        advice_formula(run, f, "keys of scope host = %zu of %zu", n, now->enabled.n_keys);
        advice_number(f, "keys", (double) n, "keys");
        advice_remedy(run, f, ADVICE_REMEDY_SPLIT_PROFILE, NULL);
        advice_next(run, f, "twprofile show %s", profile);
}

/* --- NS-3: namespaces that are made here ---------------------------------------------------------------- */

/* The kernel takes the next power of two (net/ipv4/tcp_ipv4.c, tcp_set_hashinfo()). */
static void judge_child_slots(AdviceRun *run) {
        int64_t asked = 0, slots = 1;
        if (!advice_setting(run, child_key, &asked) || asked <= 0 || asked >= CHILD_SLOTS)
                return;
        while (slots < asked)
                slots *= 2;
        AdviceFinding *f = advice_find_plain(run, child_key);
        advice_evidence(run, f,
                        "tcp_child_ehash_entries is %lld: namespaces that are made here get "
                        "a table of %lld slots and room for %lld TIME_WAITs.",
                        (long long) asked, (long long) slots, (long long) slots / 2);
        advice_formula(run, f, "tcp_max_tw_buckets = slots / 2 = %lld / 2 = %lld",
                       (long long) slots, (long long) slots / 2);
        advice_number(f, "tcp_child_ehash_entries", (double) asked, "slots");
        advice_number(f, "tcp_max_tw_buckets", (double) slots / 2, "buckets");
        advice_remedy(run, f, ADVICE_REMEDY_CHILD_EHASH, NULL);
        advice_next(run, f, "twprofile explain %s", child_key);
}

/* --- NS-4: the limit that listen() took ------------------------------------------------------------------ */

/* Send-Q is what somaxconn was before a profile raised it, so listen() was called before. A backlog of exactly that number
 * is possible, but nobody would notice that either. */
static void judge_old_limit(AdviceRun *run) {
        const Snapshot *now = run->now;
        const SnapshotEnabledKey *key = snapshot_enabled(now, somaxconn_key);
        int64_t somaxconn = 0;
        int64_t origin = 0;
        if (!key || !key->origin || !advice_setting(run, somaxconn_key, &somaxconn) ||
            num_parse_i64(key->origin, &origin) < 0 || origin < 0 || origin >= somaxconn)
                return;
        for (size_t i = 0; i < now->sockets.n_listeners; i++) {
                const SnapshotListener *listener = &now->sockets.listeners[i];
                if (listener->queue_limit != (uint64_t) origin)
                        continue;
                AdviceFinding *f = advice_find_plain(
                                run, advice_text(run, "local port %u", listener->port));
                advice_evidence(run, f,
                                "Port %u listens with a limit of %u, which somaxconn was "
                                "before %s made it %lld.",
                                listener->port, listener->queue_limit, key->profile,
                                (long long) somaxconn);
                advice_formula(run, f, "Send-Q = %u, somaxconn = %lld", listener->queue_limit,
                               (long long) somaxconn);
                advice_number(f, "Send-Q", listener->queue_limit, "connections");
                advice_number(f, "somaxconn", (double) somaxconn, "connections");
                advice_remedy(run, f, ADVICE_REMEDY_LISTEN_AGAIN, NULL);
                advice_next(run, f, "ss -ltnp '( sport = :%u )'", listener->port);
        }
}

/* --- VEN-1 to VEN-3 ------------------------------------------------------------------------------------- */

static void tell_timeout(AdviceRun *run, int64_t seconds) {
        AdviceFinding *f = advice_find_plain(run, timeout_key);
        advice_evidence(run, f, "tcp_tw_timeout is %lld s; Linux has 60 s everywhere else.",
                        (long long) seconds);
        if (seconds < TIME_WAIT_SECONDS)
                advice_evidence(run, f,
                                "A duplicate that is later than that meets a new "
                                "connection.");
        if (run->now->has_pool && seconds > 0)
                advice_formula(run, f, "C0 = P / %lld s = %s / %lld = %s connections/s",
                               (long long) seconds, advice_count(run, run->now->pool.size),
                               (long long) seconds,
                               advice_decimal(run, (uint64_t) run->now->pool.size * 1000 /
                                                                   (uint64_t) seconds));
        advice_formula(run, f, "%lld %s %d", (long long) seconds,
                       seconds < TIME_WAIT_SECONDS ? "<" : ">", TIME_WAIT_SECONDS);
        advice_number(f, "tcp_tw_timeout", (double) seconds, "s");
        advice_remedy(run, f, ADVICE_REMEDY_TW_TIMEOUT_60,
                      seconds < TIME_WAIT_SECONDS ? "unless the vendor advised it" : NULL);
        advice_next(run, f, "twprofile explain %s", timeout_key);
}

static void judge_short(AdviceRun *run) {
        int64_t seconds = 0;
        if (advice_setting(run, timeout_key, &seconds) && seconds < TIME_WAIT_SECONDS)
                tell_timeout(run, seconds);
}

static void judge_long(AdviceRun *run) {
        int64_t seconds = 0;
        if (advice_setting(run, timeout_key, &seconds) && seconds > TIME_WAIT_SECONDS)
                tell_timeout(run, seconds);
}

static void judge_strange(AdviceRun *run) {
        const Snapshot *now = run->now;
        if (!now->knows_strange) {
                advice_skip(run, "/proc/sys/net/ipv4 was not listed");
                return;
        }
        for (size_t i = 0; i < now->n_strange; i++) {
                const SnapshotStrange *key = &now->strange[i];
                AdviceFinding *f = advice_find_plain(
                                run, advice_text(run, "net.ipv4.%s", key->name));
                advice_evidence(run, f,
                                "This kernel has net.ipv4.%s = %s, which is not in the "
                                "catalogue: a vendor added it.",
                                key->name, key->text ? key->text : "(cannot be read)");
                advice_formula(run, f, "%zu keys net.ipv4.tcp_tw_* that are not known",
                               now->n_strange);
                advice_number(f, "keys", (double) now->n_strange, "keys");
                advice_remedy(run, f, ADVICE_REMEDY_NOTHING, "ask the vendor what it does");
                advice_next(run, f, "sysctl net.ipv4.%s", key->name);
        }
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "NS-1", DIAG_NS_1, 0, false, judge_elsewhere, {} },
        { "NS-2", DIAG_NS_2, 0, false, judge_host_wide, {} },
        { "NS-3", DIAG_NS_3, 0, false, judge_child_slots, {} },
        { "NS-4", DIAG_NS_4, ADVICE_NEEDS_SOCKETS, false, judge_old_limit, { "ACC-2" } },
        { "VEN-1", DIAG_VEN_1, 0, false, judge_short, {} },
        { "VEN-2", DIAG_VEN_2, 0, false, judge_long, {} },
        { "VEN-3", DIAG_VEN_3, 0, false, judge_strange, {} },
};

const AdviceRules advice_scope_rules = { rows, ELEMENTSOF(rows) };
