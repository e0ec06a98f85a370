/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-sets.h"

#include <inttypes.h>

#include "cli/file-bundle.h"
#include "cli/local-plan.h"

#define RANGE_KEY "net.ipv4.ip_local_port_range"

typedef struct Building {
        Context *context;
        Host *host;
        Bundle **bundles;
        size_t n_bundles;
        LiveSnapshot live;
        EffectiveSet wanted;
} Building;

const char *lab_sets_narrow(const char *range, uint32_t ports, Arena *arena) {
        uint32_t low = 0, high = 0;
        if (ports == 0 || lab_range_parse(range, &low, &high) < 0 || high - low < ports)
                return range;
        return arena_format(arena, "%" PRIu32 "\t%" PRIu32, low, low + ports - 1);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int load(Building *b, Error *reterr) {
        Context *context = b->context;
        b->bundles = arena_alloc_array(context->arena, context->n_args + 1, sizeof(Bundle *));
        if (!b->bundles)
                return error_set(reterr, -ENOMEM, "cannot read the profiles");
        bool is_refused = false;
        for (size_t i = 0; i < context->n_args; i++) {
                const char *word = context->args[i];
                Bundle **bundle = &b->bundles[b->n_bundles];
                int r = file_bundle_is_file(word)
                                        ? file_bundle_load(context, b->host, word, bundle, reterr)
                                        : local_plan_load_profile(
                                                          context, b->host, word, bundle, reterr);
                if (r < 0)
                        return r;
                is_refused = is_refused || r > 0;
                b->n_bundles += r == 0;
        }
        return is_refused ? LAB_SETS_E_REFUSED : 0;
}

static bool contains(const SysctlSpec *const *specs, size_t n, const SysctlSpec *spec) {
        for (size_t i = 0; i < n; i++)
                if (specs[i] == spec)
                        return true;
        return false;
}

/* The profiles' keys and the general ones, sorted as the catalogue is. */
static int read_live(Building *b, Error *reterr) {
        Arena *arena = b->context->arena;
        const SysctlSpec **touched = NULL;
        size_t n_touched = 0, n = 0;
        int r = effective_collect_specs(
                        (const Bundle *const *) b->bundles, b->n_bundles, arena, &touched,
                        &n_touched);
        if (r < 0)
                return error_set(reterr, r, "cannot read the profiles");
        const SysctlSpec **specs = arena_alloc_array(
                        arena, catalogue_count(), sizeof(SysctlSpec *));
        if (!specs)
                return error_set(reterr, -ENOMEM, "cannot read the settings");
        for (size_t i = 0; i < catalogue_count(); i++) {
                const SysctlSpec *spec = catalogue_get(i);
                if (lab_setting_is_general(spec) || contains(touched, n_touched, spec))
                        specs[n++] = spec;
        }
        return host_read_live(b->host, specs, n, arena, &b->live, reterr);
}

static int merge(Building *b, Error *reterr) {
        const EffectiveInput input = {
                .bundles = (const Bundle *const *) b->bundles,
                .n_bundles = b->n_bundles,
                .live = &b->live,
        };
        int r = effective_set_build(
                        &input, b->context->arena, b->context->findings, &b->wanted, reterr);
        return r > 0 ? LAB_SETS_E_REFUSED : r;
}

/* --- the sets ------------------------------------------------------------------------------------------- */

/* As the kernel spells it, or NULL. */
static const char *wanted_text(const Building *b, const SysctlSpec *spec) {
        const EffectiveKey *key = effective_set_find(&b->wanted, spec->key);
        return key ? sysctl_value_to_kernel(spec, &key->value, b->context->arena) : NULL;
}

static int add_change(Building *b, const LiveKey *live, const char *wanted, LabSets *sets) {
        const char *present = live->state == LIVE_PRESENT ? live->text : NULL;
        sets->changes[sets->n_changes++] = (LabChange){
                .spec = live->spec,
                .present = present ? arena_copy(b->context->arena, present) : NULL,
                .wanted = wanted,
        };
        return 0;
}

/* Stable, and few: by write order, so that a value never stands against one that is not written yet. */
static void sort_by_write_order(LabSetting *settings, size_t n) {
        for (size_t i = 1; i < n; i++) {
                LabSetting moving = settings[i];
                size_t at = i;
                for (; at > 0 && settings[at - 1].spec->write_order > moving.spec->write_order;
                     at--)
                        settings[at] = settings[at - 1];
                settings[at] = moving;
        }
}

static LabSetting setting_of(
                const SysctlSpec *spec, const char *text, uint32_t ports, Arena *arena) {
        bool is_range = streq(spec->key, RANGE_KEY);
        return (LabSetting){ spec, is_range ? lab_sets_narrow(text, ports, arena) : text };
}

static void add_key(
                Building *b, const LiveKey *live, uint32_t ports, LabSetting *sets[],
                LabSets *ret) {
        Arena *arena = b->context->arena;
        const char *wanted = wanted_text(b, live->spec);
        const char *present = live->state == LIVE_PRESENT ? live->text : NULL;
        if (wanted)
                (void) add_change(b, live, wanted, ret); /* cannot fail */
        if ((!present && !wanted) || live->spec->scope != SYSCTL_SCOPE_NETNS ||
            !live->spec->settable || ret->n_settings == LAB_SETTINGS_MAX - 1)
                return;
        size_t i = ret->n_settings++;
        sets[0][i] = setting_of(live->spec, present ? present : wanted, ports, arena);
        sets[1][i] = setting_of(live->spec, wanted ? wanted : present, ports, arena);
}

static int make_sets(Building *b, uint32_t ports, LabSets *ret, Error *reterr) {
        Arena *arena = b->context->arena;
        LabSetting *sets[LAB_SETS_MAX];
        for (size_t i = 0; i < LAB_SETS_MAX; i++) {
                sets[i] = arena_alloc_array(arena, LAB_SETTINGS_MAX, sizeof(LabSetting));
                if (!sets[i])
                        return error_set(reterr, -ENOMEM, "cannot make the sets of settings");
                ret->settings[i] = sets[i];
        }
        ret->changes = arena_alloc_array(arena, b->live.n_keys + 1, sizeof(LabChange));
        if (!ret->changes)
                return error_set(reterr, -ENOMEM, "cannot make the sets of settings");
        for (size_t i = 0; i < b->live.n_keys; i++)
                add_key(b, &b->live.keys[i], ports, sets, ret);
        for (size_t i = 0; i < LAB_SETS_MAX; i++)
                sort_by_write_order(sets[i], ret->n_settings);
        ret->n_sets = b->n_bundles > 0 ? 2 : 1;
        ret->names[0] = "present";
        if (b->n_bundles > 0)
                ret->names[1] = b->n_bundles > 1 ? "profiles"
                                                 : arena_copy(arena,
                                                              bundle_root(b->bundles[0])->name);
        return 0;
}

int lab_sets_build(Context *context, Host *host, uint32_t ports, LabSets *ret, Error *reterr) {
        *ret = (LabSets){};
        Building b = { .context = context, .host = host };
        int r = load(&b, reterr);
        if (r == 0)
                r = read_live(&b, reterr);
        if (r == 0)
                r = merge(&b, reterr);
        if (r == 0)
                r = make_sets(&b, ports, ret, reterr);
        for (size_t i = 0; i < b.n_bundles; i++)
                local_plan_release_bundle(context, b.bundles[i]);
        return r;
}

LabSetting *lab_sets_with(
                const LabSetting *settings, size_t n, const SysctlSpec *spec, const char *text,
                Arena *arena, size_t *ret_n) {
        LabSetting *copy = arena_alloc_array(arena, n + 1, sizeof(LabSetting));
        if (!copy || n + 1 > LAB_SETTINGS_MAX)
                return NULL;
        memcpy(copy, settings, n * sizeof(LabSetting));
        for (size_t i = 0; i < n; i++)
                if (copy[i].spec == spec) {
                        copy[i].text = text;
                        *ret_n = n;
                        return copy;
                }
        copy[n] = (LabSetting){ spec, text };
        *ret_n = n + 1;
        return copy;
}
