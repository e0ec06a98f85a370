/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/effective-set.h"

#include "model/merge.h"

typedef struct Builder {
        const EffectiveInput *in;
        Arena *arena;
        DiagList *findings;
        EffectiveKey *keys;
        size_t n_keys;
        MergeCandidate *candidates; /* for the key at hand, one for each bundle at most */
        size_t n_candidates;
        bool refused;
} Builder;

bool effective_find_origin(const GenerationKey *key, const LiveKey *live, SysctlValue *ret) {
        if (key && key->origin_known) {
                *ret = key->origin;
                return true;
        }
        if (key && !key->pending)
                return false;
        if (!live || live->state != LIVE_PRESENT)
                return false;
        if (key && sysctl_value_holds(key->spec, &key->value, &live->value))
                return false;
        *ret = live->value;
        return true;
}

bool effective_is_host_wide(const SysctlSpec *spec, const LiveSnapshot *live) {
        return spec->scope == SYSCTL_SCOPE_HOST ||
               kernel_version_compare(&live->kernel, &spec->scope_since) < 0;
}

const EffectiveKey *effective_set_find(const EffectiveSet *set, const char *key) {
        for (size_t i = 0; i < set->n_keys; i++)
                if (streq(set->keys[i].spec->key, key))
                        return &set->keys[i];
        return NULL;
}

static int compare_specs(const void *a, const void *b) {
        return strcmp((*(const SysctlSpec *const *) a)->key, (*(const SysctlSpec *const *) b)->key);
}

int effective_collect_specs(
                const Bundle *const *bundles, size_t n_bundles, Arena *arena,
                const SysctlSpec ***ret, size_t *ret_n) {
        size_t n = 0;
        for (size_t i = 0; i < n_bundles; i++)
                n += bundles[i]->n_settings;

        const SysctlSpec **specs = arena_alloc_array(arena, n + 1, sizeof(const SysctlSpec *));
        if (!specs)
                return -ENOMEM;
        size_t filled = 0;
        for (size_t i = 0; i < n_bundles; i++)
                for (size_t k = 0; k < bundles[i]->n_settings; k++)
                        specs[filled++] = bundles[i]->settings[k].setting->spec;
        qsort(specs, filled, sizeof(const SysctlSpec *), compare_specs);

        size_t unique = 0;
        for (size_t i = 0; i < filled; i++)
                if (unique == 0 || compare_specs(&specs[unique - 1], &specs[i]) != 0)
                        specs[unique++] = specs[i];
        *ret = specs;
        *ret_n = unique;
        return 0;
}

/* Only what is the same in the current generation was judged before, by its digest. */
static bool is_enabled_already(const Builder *b, const Bundle *bundle) {
        if (!b->in->current)
                return false;
        const GenerationProfile *profile = generation_find_profile(
                        b->in->current, bundle_root(bundle)->name);
        return profile && sha256_equal(&profile->digest, &bundle->digest);
}

static void check_condition(Builder *b, const Bundle *bundle) {
        const Profile *root = bundle_root(bundle);
        const KernelVersion *kernel = &b->in->live->kernel;
        for (size_t i = 0; i < bundle->n_profiles; i++) {
                const Profile *profile = bundle->profiles[i];
                if (when_kernel_holds(&profile->when, kernel))
                        continue;
                Diag *d = diag_add(
                                b->findings, DIAG_PROFILE_CONDITION, profile->when.span,
                                "profile '%s' asks for %s, and this kernel is %u.%u.%u",
                                profile->name, profile->when.text, kernel->major, kernel->minor,
                                kernel->patch);
                if (profile != root)
                        diag_add_note(b->findings, d, "profile '%s' includes '%s'", root->name,
                                      profile->name);
                diag_set_profile(b->findings, d, root->name);
                b->refused = true;
        }
}

static void report_absent(Builder *b, const Bundle *bundle, const BundleSetting *setting) {
        const SysctlSpec *spec = setting->setting->spec;
        const KernelVersion *kernel = &b->in->live->kernel;
        bool elsewhere = !b->in->live->initial_netns && effective_is_host_wide(spec, b->in->live);
        Diag *d = diag_add(
                        b->findings, DIAG_KEY_ABSENT, setting->setting->key_span,
                        elsewhere ? "'%s' is host-wide: this network namespace has no value of its own for it"
                                  : "this kernel has no '%s'",
                        spec->key);
        if (elsewhere)
                diag_add_note(b->findings, d, "enable it in the host's own network namespace");
        else if (spec->vendor)
                diag_add_note(b->findings, d, "only kernels of '%s' have it", spec->vendor);
        else if (kernel_version_compare(kernel, &spec->since) < 0)
                diag_add_note(b->findings, d, "Linux has it from %u.%u on, and this one is %u.%u",
                              spec->since.major, spec->since.minor, kernel->major, kernel->minor);
        diag_set_key(b->findings, d, spec->key);
        diag_set_profile(b->findings, d, bundle_root(bundle)->name);
        diag_set_help(b->findings, d,
                      "add 'when: present' to the setting if it may be skipped here");
        b->refused = true;
}

static void report_unreadable(Builder *b, const MergeCandidate *candidate, const LiveKey *live) {
        const ProfileSetting *setting = candidate->setting->setting;
        Diag *d;
        if (live->state == LIVE_STRANGE)
                d = diag_add(b->findings, DIAG_KEY_UNREADABLE, setting->key_span,
                             "'%s' holds '%s' here, which is no value of type %s",
                             setting->spec->key, live->text, sysctl_type_name(setting->spec->type));
        else
                d = diag_add(b->findings, DIAG_KEY_UNREADABLE, setting->key_span,
                             "cannot read '%s': %s", setting->spec->key, strerror(live->error));
        diag_set_key(b->findings, d, setting->spec->key);
        diag_set_profile(b->findings, d, bundle_root(candidate->bundle)->name);
        b->refused = true;
}

static void report_skipped(Builder *b, const Bundle *bundle, const BundleSetting *setting) {
        const ProfileSetting *s = setting->setting;
        Diag *d = diag_add(
                        b->findings, DIAG_KEY_SKIPPED, s->key_span,
                        "'%s' is skipped: 'when: %s' does not hold here", s->spec->key,
                        s->when.text);
        diag_set_key(b->findings, d, s->spec->key);
        diag_set_profile(b->findings, d, bundle_root(bundle)->name);
}

static bool may_wait(const Builder *b, const SysctlSpec *spec) {
        if (!b->in->live->initial_netns && effective_is_host_wide(spec, b->in->live))
                return false;
        return spec->module || (b->in->current && generation_find_key(b->in->current, spec));
}

/* Adds the bundle's setting to the candidates, unless its `when` or the kernel says otherwise. */
static void judge_setting(Builder *b, const Bundle *bundle, const SysctlSpec *spec) {
        const BundleSetting *setting = bundle_find_setting(bundle, spec);
        if (!setting)
                return;

        const When *when = &setting->setting->when;
        bool absent = live_find(b->in->live, spec)->state == LIVE_ABSENT;
        if (!when_kernel_holds(when, &b->in->live->kernel) || (when->present && absent))
                report_skipped(b, bundle, setting);
        else if (absent && !may_wait(b, spec))
                report_absent(b, bundle, setting);
        else
                b->candidates[b->n_candidates++] = (MergeCandidate){ .bundle = bundle,
                                                                     .setting = setting };
}

static void add_key(
                Builder *b, const MergeCandidate *decider, const SysctlValue *value, bool pending) {
        b->keys[b->n_keys++] = (EffectiveKey){
                .spec = decider->setting->setting->spec,
                .value = *value,
                .pending = pending,
                .bundle = decider->bundle,
                .setting = decider->setting,
        };
}

static void report_satisfied(Builder *b, const MergeCandidate *candidate, int64_t base) {
        const ProfileSetting *setting = candidate->setting->setting;
        Diag *d = diag_add(
                        b->findings, DIAG_BOUND_SATISFIED, setting->value_span,
                        "'%s' is left alone: %lld without us is %s %lld already",
                        setting->spec->key, (long long) base,
                        setting->merge == SETTING_AT_LEAST ? "at least" : "at most",
                        (long long) setting->value.ints[0]);
        diag_set_key(b->findings, d, setting->spec->key);
        diag_set_profile(b->findings, d, bundle_root(candidate->bundle)->name);
}

/* What the key would hold without us: its origin; where nobody knows that, what leaving would restore. */
static int find_base(
                const Builder *b, const SysctlSpec *spec, const GenerationKey *key,
                SysctlValue *ret) {
        if (effective_find_origin(key, live_find(b->in->live, spec), ret))
                return 1;
        if (!spec->default_text)
                return 0;
        int r = sysctl_value_from_kernel(
                        spec, spec->default_text, strlen(spec->default_text), b->arena, ret);
        return r < 0 ? r : 1;
}

/* Against what the key would hold without us, not against the live value, which may be our own work. */
static int resolve_bounds(Builder *b, const MergeResult *merged, bool pending) {
        const MergeCandidate *low = merged->low, *high = merged->high;
        const MergeCandidate *any = low ? low : high;
        const SysctlSpec *spec = any->setting->setting->spec;
        const GenerationKey *key = b->in->current ? generation_find_key(b->in->current, spec)
                                                  : NULL;

        SysctlValue base = {};
        int known = find_base(b, spec, key, &base);
        if (known < 0)
                return known;
        if (!known && !key) {
                add_key(b, any, &any->setting->setting->value, pending);
                return 0;
        }
        /* Ours, and neither origin nor default to go back to: it stays, as near to what it is as allowed. */
        if (!known)
                base = key->value;

        if (low && sysctl_value_compare(&base, &low->setting->setting->value) < 0)
                add_key(b, low, &low->setting->setting->value, pending);
        else if (high && sysctl_value_compare(&base, &high->setting->setting->value) > 0)
                add_key(b, high, &high->setting->setting->value, pending);
        else if (!known)
                add_key(b, any, &base, pending);
        else
                report_satisfied(b, any, base.ints[0]);
        return 0;
}

static int build_key(Builder *b, const SysctlSpec *spec) {
        const LiveKey *live = live_find(b->in->live, spec);
        assert(live);

        b->n_candidates = 0;
        for (size_t i = 0; i < b->in->n_bundles; i++)
                judge_setting(b, b->in->bundles[i], spec);
        if (b->n_candidates == 0)
                return 0;
        if (live->state == LIVE_UNREADABLE || live->state == LIVE_STRANGE) {
                report_unreadable(b, &b->candidates[0], live);
                return 0;
        }

        MergeResult merged;
        if (merge_candidates(b->candidates, b->n_candidates, b->findings, &merged) != 0) {
                b->refused = true;
                return 0;
        }
        bool pending = live->state == LIVE_ABSENT;
        if (!merged.exact)
                return resolve_bounds(b, &merged, pending);
        add_key(b, merged.exact, &merged.exact->setting->setting->value, pending);
        return 0;
}

static int build_keys(Builder *b, Error *reterr) {
        const SysctlSpec **specs = NULL;
        size_t n = 0;
        int r = effective_collect_specs(b->in->bundles, b->in->n_bundles, b->arena, &specs, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot merge the profiles");

        b->keys = arena_alloc_array(b->arena, n + 1, sizeof(EffectiveKey));
        b->candidates = arena_alloc_array(b->arena, b->in->n_bundles + 1, sizeof(MergeCandidate));
        if (!b->keys || !b->candidates)
                return error_set(reterr, -ENOMEM, "cannot merge the profiles");

        for (size_t i = 0; i < n; i++) {
                r = build_key(b, specs[i]);
                if (r < 0)
                        return error_set(
                                        reterr, r, "cannot merge what the profiles say about '%s'",
                                        specs[i]->key);
        }
        return 0;
}

int effective_set_build(
                const EffectiveInput *input, Arena *arena, DiagList *findings, EffectiveSet *ret,
                Error *reterr) {
        Builder b = { .in = input, .arena = arena, .findings = findings };
        for (size_t i = 0; i < input->n_bundles; i++)
                if (!is_enabled_already(&b, input->bundles[i]))
                        check_condition(&b, input->bundles[i]);

        int r = build_keys(&b, reterr);
        if (r < 0)
                return r;
        if (b.refused)
                return EFFECTIVE_E_REFUSED;
        *ret = (EffectiveSet){ .keys = b.keys, .n_keys = b.n_keys };
        return 0;
}
