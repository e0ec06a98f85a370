/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-obsolete.h"

#define CONGESTION "net.ipv4.tcp_congestion_control"
#define ALLOWED    "net.ipv4.tcp_allowed_congestion_control"
#define AVAILABLE  "net.ipv4.tcp_available_congestion_control"
#define ECN        "net.ipv4.tcp_ecn"
#define FALLBACK   "net.ipv4.tcp_ecn_fallback"
#define NEIGH4     "net.ipv4.neigh.default.gc_thresh"
#define NEIGH6     "net.ipv6.neigh.default.gc_thresh"

static bool window_scaling_off(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 0)
                return false;

        strbuf_add(&hit->message,
                   "with tcp_window_scaling 0 no window is larger than 64 KiB: 5 Mbit/s over 100 ms");
        strbuf_add(&hit->help, "set it to 1");
        return true;
}

static bool sack_off(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 0)
                return false;

        strbuf_add(&hit->message,
                   "with tcp_sack 0 each segment lost in one window costs a round trip, and RACK is off");
        strbuf_add(&hit->help,
                   "set it to 1; as a cure of CVE-2019-11477 it is not needed on any kernel since 5.2");
        return true;
}

/* Whether the list, words with single blanks between, has the word of n bytes. */
static bool has_word(const char *list, const char *word, size_t n) {
        while (*list != '\0') {
                size_t length = strcspn(list, " ");
                if (length == n && strncmp(list, word, n) == 0)
                        return true;
                list += length;
                list += strspn(list, " ");
        }
        return false;
}

/* tcp_ca_find_autoload() loads a module for CAP_NET_ADMIN only, which the helper has not: ENOENT. */
static bool congestion_not_loaded(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        const SysctlValue *available = rule_value(facts, AVAILABLE);
        if (!available || !available->text || !key->value.text)
                return false;

        const char *word = key->value.text;
        size_t n = strcspn(word, " ");
        while (n > 0 && has_word(available->text, word, n)) {
                word += n;
                word += strspn(word, " ");
                n = strcspn(word, " ");
        }
        if (n == 0)
                return false;

        strbuf_addf(&hit->message, "this kernel has no '%.*s' loaded, only: %s", (int) n, word,
                    available->text);
        strbuf_addf(&hit->help,
                    "run 'modprobe tcp_%.*s', and name tcp_%.*s in a file of /etc/modules-load.d",
                    (int) n, word, (int) n, word);
        return true;
}

static bool thresholds_disordered(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        static const struct {
                const char *low, *high;
        } pairs[] = {
                { NEIGH4 "1", NEIGH4 "2" },
                { NEIGH4 "2", NEIGH4 "3" },
                { NEIGH6 "1", NEIGH6 "2" },
                { NEIGH6 "2", NEIGH6 "3" },
        };
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                int64_t low = 0, high = 0;
                if (!rule_is_place(facts, key, pairs[i].low, pairs[i].high) ||
                    !rule_integer(facts, pairs[i].low, &low) ||
                    !rule_integer(facts, pairs[i].high, &high) || low <= high)
                        continue;
                if (streq(key->spec->key, pairs[i].low))
                        hit->other = effective_set_find(facts->set, pairs[i].high);
                strbuf_addf(&hit->message, "%s would be %lld, above the %lld of %s", pairs[i].low,
                            (long long) low, (long long) high, pairs[i].high);
                strbuf_add(&hit->help, "set all three, ascending: gc_thresh3 is the hard limit");
                return true;
        }
        return false;
}

/* Commit 79e3602caa6f (6.0) took the limit away, 1000 before. */
static bool challenge_ack_limited(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t limit = key->value.ints[0];
        if (limit >= 1000)
                return false;

        strbuf_addf(&hit->message,
                    "a tcp_challenge_ack_limit of %lld is below every kernel's own%s",
                    (long long) limit,
                    limit == 0 ? ", and a peer that restarted is never told"
                               : ": whoever counts what is left of it learns sequence numbers");
        strbuf_add(&hit->help, "leave the key out");
        return true;
}

/* Commit dfa2f0483360 (6.6) measures each socket's overhead instead. */
static bool adv_win_scale_unused(
                const RuleFacts *facts, const EffectiveKey *key UNUSED, RuleHit *hit) {
        if (!rule_kernel_since(facts, 6, 6))
                return false;

        strbuf_addf(&hit->message,
                    "tcp_adv_win_scale does nothing on Linux %u.%u, as on all since 6.6",
                    rule_kernel(facts)->major, rule_kernel(facts)->minor);
        strbuf_add(&hit->help, "remove the line, or put it under when: {kernel: \"<6.6\"}");
        return true;
}

/* Commit 65e6d90168f3 (5.6): the value that spoiled later connections is not kept any more. */
static bool metrics_not_saved(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t without = 0;
        if (key->value.ints[0] == 0 ||
            !rule_integer(facts, "net.ipv4.tcp_no_ssthresh_metrics_save", &without) || without == 0)
                return false;

        hit->other = effective_set_find(facts->set, "net.ipv4.tcp_no_ssthresh_metrics_save");
        strbuf_add(&hit->message,
                   "tcp_no_metrics_save 1 forgets round trip times; the ssthresh that it was advised against is not kept anyway");
        strbuf_add(&hit->help, "leave it at 0: Linux has tcp_no_ssthresh_metrics_save 1 since 5.6");
        return true;
}

static bool ecn_without_fallback(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        int64_t ecn = 0, fallback = 1;
        if (!rule_is_place(facts, key, ECN, FALLBACK) || !rule_integer(facts, ECN, &ecn) ||
            !rule_integer(facts, FALLBACK, &fallback) || ecn != 1 || fallback != 0)
                return false;

        if (streq(key->spec->key, ECN))
                hit->other = effective_set_find(facts->set, FALLBACK);
        strbuf_add(&hit->message,
                   "this host asks for ECN and does not try without: paths that drop such SYNs cannot be used");
        strbuf_add(&hit->help, "set " FALLBACK " to 1, or " ECN " to the kernel's 2");
        return true;
}

static const Rule rules[] = {
        { DIAG_WINDOW_SCALING_OFF, true, .key = "net.ipv4.tcp_window_scaling",
          .applies = window_scaling_off },
        { DIAG_SACK_OFF, true, .key = "net.ipv4.tcp_sack", .applies = sack_off },
        { DIAG_CONGESTION_NOT_LOADED, false, .key = CONGESTION, .or_key = ALLOWED,
          .applies = congestion_not_loaded, .also = { AVAILABLE } },
        { DIAG_NEIGH_DISORDERED, false, .applies = thresholds_disordered,
          .also = { NEIGH4 "1", NEIGH4 "2", NEIGH4 "3", NEIGH6 "1", NEIGH6 "2", NEIGH6 "3" } },
        { DIAG_CHALLENGE_ACK_LIMITED, true, .key = "net.ipv4.tcp_challenge_ack_limit",
          .applies = challenge_ack_limited },
        { DIAG_ADV_WIN_SCALE_UNUSED, false, .key = "net.ipv4.tcp_adv_win_scale",
          .applies = adv_win_scale_unused },
        { DIAG_METRICS_NOT_SAVED, false, .key = "net.ipv4.tcp_no_metrics_save",
          .applies = metrics_not_saved, .also = { "net.ipv4.tcp_no_ssthresh_metrics_save" } },
        { DIAG_ECN_WITHOUT_FALLBACK, false, .key = ECN, .or_key = FALLBACK,
          .applies = ecn_without_fallback, .also = { ECN, FALLBACK } },
};

const RuleTable rules_obsolete = { rules, ELEMENTSOF(rules) };
