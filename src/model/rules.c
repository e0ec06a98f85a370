/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules.h"

#include "base/strbuf.h"

#define SITE_DIRECTORY "/etc/twprofile/profiles/"

typedef struct RuleFacts {
        const EffectiveSet *set;
        const LiveSnapshot *live;
} RuleFacts;

/* The answer of a rule that applies. */
typedef struct RuleHit {
        const EffectiveKey *other; /* the second key of a finding about two, or NULL */
        StrBuf message;
        StrBuf help;
} RuleHit;

typedef struct Rule {
        DiagId id;
        bool of_the_value; /* the value alone answers it: asked of every profile, wherever it is read */
        const char *key; /* the question is asked only when the set owns it */
        bool (*applies)(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit);
} Rule;

static void hit_deinit(RuleHit *hit) {
        strbuf_deinit(&hit->message);
        strbuf_deinit(&hit->help);
}

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
        { DIAG_TIME_WAIT_BELOW_RFC, true, "net.ipv4.tcp_tw_timeout", time_wait_below_rfc },
        { DIAG_FIN_TIMEOUT_SHORTENED, true, "net.ipv4.tcp_fin_timeout", fin_timeout_shortened },
        { DIAG_REUSE_WITHOUT_TIMESTAMPS, false, "net.ipv4.tcp_tw_reuse", reuse_without_timestamps },
        { DIAG_REUSE_TWO_UNKNOWN, false, "net.ipv4.tcp_tw_reuse", reuse_two_unknown },
        { DIAG_PORT_RANGE_SYSTEM_PORTS, true, "net.ipv4.ip_local_port_range",
          port_range_system_ports },
        { DIAG_PORT_RANGE_EQUAL_PARITY, true, "net.ipv4.ip_local_port_range",
          port_range_equal_parity },
};

/* The exact lines: who reads them is about to paste them. */
static void add_acceptance(DiagList *findings, Diag *d, const Bundle *bundle, const char *rule) {
        const Profile *root = bundle_root(bundle);
        const char *path = source_name(root->source);
        const char *where = root->n_accepts > 0 ? " below 'accept:'" : "";
        if (startswith(path, SITE_DIRECTORY))
                diag_add_note(findings, d, "to accept this, add these lines to %s%s:", path, where);
        else
                diag_add_note(findings, d,
                              "to accept this, copy %s to " SITE_DIRECTORY
                              "%s.yaml and add these lines%s:",
                              path, root->name, where);
        if (root->n_accepts == 0)
                diag_add_note(findings, d, "accept:");
        diag_add_note(findings, d, "  - rule: %s", rule);
        diag_add_note(findings, d, "    reason: \"why it is right for this host\"");
}

static const char *name_of(const EffectiveKey *key) {
        return bundle_root(key->bundle)->name;
}

static void report(DiagList *findings, const Rule *rule, const EffectiveKey *key, RuleHit *hit) {
        const DiagRow *row = diag_row(rule->id);
        Diag *d = diag_add(
                        findings, rule->id, key->setting->setting->value_span, "%s",
                        strbuf_text(&hit->message));
        if (hit->other)
                diag_add_label(findings, d, hit->other->setting->setting->value_span,
                               "profile '%s' sets '%s'", name_of(hit->other),
                               hit->other->spec->key);
        diag_set_key(findings, d, key->spec->key);
        diag_set_profile(findings, d, name_of(key));
        diag_set_help(findings, d, "%s", strbuf_text(&hit->help));
        if (row->severity == DIAG_SEVERITY_ACCEPTANCE)
                add_acceptance(findings, d, key->bundle, row->name);
}

static void report_accepted(
                DiagList *findings, const Rule *rule, const EffectiveKey *key, const RuleHit *hit,
                const Bundle *by, const char *reason) {
        const char *name = bundle_root(by)->name;
        Diag *d = diag_add(
                        findings, DIAG_ACCEPTED, key->setting->setting->value_span,
                        "profile '%s' accepts '%s': %s", name, diag_row(rule->id)->name, reason);
        diag_add_note(findings, d, "%s", strbuf_text(&hit->message));
        diag_set_key(findings, d, key->spec->key);
        diag_set_profile(findings, d, name);
}

/* An owner who accepts. A profile can name rules of severity `acceptance` only. */
static bool find_acceptance(
                const char *rule, const EffectiveKey *key, const RuleHit *hit,
                const Bundle **ret_by, const char **ret_reason) {
        *ret_by = key->bundle;
        if (bundle_accepts(key->bundle, rule, ret_reason))
                return true;
        if (!hit->other)
                return false;
        *ret_by = hit->other->bundle;
        return bundle_accepts(hit->other->bundle, rule, ret_reason);
}

/* True when the rule refuses. */
static bool judge(DiagList *findings, const Rule *rule, const EffectiveKey *key, RuleHit *hit) {
        const DiagRow *row = diag_row(rule->id);
        const Bundle *by = NULL;
        const char *reason = NULL;
        if (find_acceptance(row->name, key, hit, &by, &reason)) {
                report_accepted(findings, rule, key, hit, by, reason);
                return false;
        }
        report(findings, rule, key, hit);
        return row->severity == DIAG_SEVERITY_REFUSE || row->severity == DIAG_SEVERITY_ACCEPTANCE;
}

/* 0 or 1 (refused), or -ENOMEM. */
static int ask(const Rule *rule, const RuleFacts *facts, const EffectiveKey *key,
               DiagList *findings, Error *reterr) {
        CLEANUP(hit_deinit) RuleHit hit = {};
        if (!rule->applies(facts, key, &hit))
                return 0;
        if (hit.message.failed || hit.help.failed)
                return error_set(reterr, -ENOMEM, "cannot check the safety rules");
        return judge(findings, rule, key, &hit);
}

/* A setting that decides its key is judged there; here come those that are skipped or overruled. */
static int ask_bundle(
                const Rule *rule, const Bundle *bundle, const RuleFacts *facts, DiagList *findings,
                Error *reterr) {
        const SysctlSpec *spec = catalogue_find(rule->key);
        const BundleSetting *setting = spec ? bundle_find_setting(bundle, spec) : NULL;
        if (!setting || setting->setting->merge != SETTING_EXACT)
                return 0;
        const EffectiveKey *decided = effective_set_find(facts->set, rule->key);
        if (decided && decided->setting == setting)
                return 0;

        EffectiveKey key = {
                .spec = spec,
                .value = setting->setting->value,
                .bundle = bundle,
                .setting = setting,
        };
        return ask(rule, facts, &key, findings, reterr);
}

int rules_check_bundles(
                const Bundle *const *bundles, size_t n_bundles, const EffectiveSet *set,
                DiagList *findings, Error *reterr) {
        RuleFacts facts = { .set = set };
        bool refused = false;
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                for (size_t k = 0; k < n_bundles && rules[i].of_the_value; k++) {
                        int r = ask_bundle(&rules[i], bundles[k], &facts, findings, reterr);
                        if (r < 0)
                                return r;
                        refused = refused || r > 0;
                }
        return refused ? RULES_E_REFUSED : 0;
}

int rules_check(const EffectiveSet *set, const LiveSnapshot *live, DiagList *findings,
                Error *reterr) {
        RuleFacts facts = { .set = set, .live = live };
        bool refused = false;
        for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                const EffectiveKey *key = effective_set_find(set, rules[i].key);
                if (!key)
                        continue;
                int r = ask(&rules[i], &facts, key, findings, reterr);
                if (r < 0)
                        return r;
                refused = refused || r > 0;
        }
        return refused ? RULES_E_REFUSED : 0;
}
