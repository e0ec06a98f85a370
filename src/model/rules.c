/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules.h"

#include "model/rules-buckets.h"
#include "model/rules-conntrack.h"
#include "model/rules-fin-wait.h"
#include "model/rules-keepalive.h"
#include "model/rules-memory.h"
#include "model/rules-obsolete.h"
#include "model/rules-ports.h"
#include "model/rules-queues.h"
#include "model/rules-retries.h"
#include "model/rules-reuse.h"
#include "model/rules-time-wait.h"
#include "model/rules-timestamps.h"

#define SITE_DIRECTORY "/etc/twprofile/profiles/"

static void hit_deinit(RuleHit *hit) {
        strbuf_deinit(&hit->message);
        strbuf_deinit(&hit->help);
}

static const RuleTable *const tables[] = {
        &rules_time_wait,  &rules_ports,    &rules_queues,   &rules_conntrack,
        &rules_memory,     &rules_obsolete, &rules_fin_wait, &rules_reuse,
        &rules_timestamps, &rules_buckets,  &rules_retries,  &rules_keepalive,
};

bool rules_ask_listeners(const LiveSnapshot *live) {
        for (size_t i = 0; i < rules_count(); i++) {
                const Rule *rule = rules_get(i);
                if (rule->id == DIAG_PORT_RANGE_OVER_LISTENERS &&
                    live_find(live, catalogue_find(rule->key)))
                        return true;
        }
        return false;
}

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

static bool is_about(const Rule *rule, const char *key) {
        return !rule->key || streq(rule->key, key) || (rule->or_key && streq(rule->or_key, key));
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
static int ask_setting(
                const Rule *rule, const Bundle *bundle, const BundleSetting *setting,
                const RuleFacts *facts, DiagList *findings, Error *reterr) {
        if (setting->setting->merge != SETTING_EXACT)
                return 0;
        const EffectiveKey *decided = effective_set_find(facts->set, setting->setting->spec->key);
        if (decided && decided->setting == setting)
                return 0;

        EffectiveKey key = {
                .spec = setting->setting->spec,
                .value = setting->setting->value,
                .bundle = bundle,
                .setting = setting,
        };
        return ask(rule, facts, &key, findings, reterr);
}

static int ask_bundle(
                const Rule *rule, const Bundle *bundle, const RuleFacts *facts, DiagList *findings,
                Error *reterr) {
        bool refused = false;
        for (size_t i = 0; rule->of_the_value && i < bundle->n_settings; i++) {
                const BundleSetting *setting = &bundle->settings[i];
                if (!is_about(rule, setting->setting->spec->key))
                        continue;
                int r = ask_setting(rule, bundle, setting, facts, findings, reterr);
                if (r < 0)
                        return r;
                refused = refused || r > 0;
        }
        return refused;
}

static int ask_set(const Rule *rule, const RuleFacts *facts, DiagList *findings, Error *reterr) {
        bool refused = false;
        for (size_t i = 0; i < facts->set->n_keys; i++) {
                const EffectiveKey *key = &facts->set->keys[i];
                if (!is_about(rule, key->spec->key))
                        continue;
                int r = ask(rule, facts, key, findings, reterr);
                if (r < 0)
                        return r;
                refused = refused || r > 0;
        }
        return refused;
}

size_t rules_count(void) {
        size_t n = 0;
        for (size_t t = 0; t < ELEMENTSOF(tables); t++)
                n += tables[t]->n_rules;
        return n;
}

const Rule *rules_get(size_t i) {
        size_t t = 0;
        for (; t < ELEMENTSOF(tables) && i >= tables[t]->n_rules; t++)
                i -= tables[t]->n_rules;
        assert(t < ELEMENTSOF(tables));
        return &tables[t]->rules[i];
}

int rules_check_bundles(
                const Bundle *const *bundles, size_t n_bundles, const EffectiveSet *set,
                DiagList *findings, Error *reterr) {
        RuleFacts facts = { .set = set };
        bool refused = false;
        for (size_t i = 0; i < rules_count(); i++)
                for (size_t k = 0; k < n_bundles; k++) {
                        int r = ask_bundle(rules_get(i), bundles[k], &facts, findings, reterr);
                        if (r < 0)
                                return r;
                        refused = refused || r > 0;
                }
        return refused ? RULES_E_REFUSED : 0;
}

int rules_check(const RuleFacts *facts, DiagList *findings, Error *reterr) {
        bool refused = false;
        for (size_t i = 0; i < rules_count(); i++) {
                int r = ask_set(rules_get(i), facts, findings, reterr);
                if (r < 0)
                        return r;
                refused = refused || r > 0;
        }
        return refused ? RULES_E_REFUSED : 0;
}

static int compare_specs(const void *a, const void *b) {
        const SysctlSpec *const *left = a, *const *right = b;
        return strcmp((*left)->key, (*right)->key);
}

/* Whether the rule is asked when these keys are set. */
static bool concerns(const Rule *rule, const SysctlSpec *const *specs, size_t n_specs) {
        for (size_t i = 0; i < n_specs; i++)
                if (is_about(rule, specs[i]->key))
                        return true;
        return false;
}

int rules_collect_also(
                const SysctlSpec *const *specs, size_t n_specs, Arena *arena,
                const SysctlSpec ***ret, size_t *ret_n) {
        const SysctlSpec **all = arena_alloc_array(
                        arena, n_specs + rules_count() * RULE_ALSO_MAX + 1,
                        sizeof(const SysctlSpec *));
        if (!all)
                return -ENOMEM;
        size_t n = 0, kept = 0;
        for (size_t i = 0; i < n_specs; i++)
                all[n++] = specs[i];
        for (size_t i = 0; i < rules_count(); i++) {
                const Rule *rule = rules_get(i);
                if (!concerns(rule, specs, n_specs))
                        continue;
                for (size_t k = 0; k < RULE_ALSO_MAX && rule->also[k]; k++) {
                        const SysctlSpec *spec = catalogue_find(rule->also[k]);
                        assert(spec);
                        all[n++] = spec;
                }
        }
        qsort(all, n, sizeof(const SysctlSpec *), compare_specs);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || all[kept - 1] != all[i])
                        all[kept++] = all[i];
        *ret = all;
        *ret_n = kept;
        return 0;
}
