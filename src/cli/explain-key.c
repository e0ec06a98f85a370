/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-key.h"

#include "cli/outcome.h"
#include "model/rules.h"

#define PROC_SYS "/proc/sys/"

/* --- finding -------------------------------------------------------------------------------------------- */

/* With a slash before any dot the word is a path, in which dots belong to the names (interfaces of VLANs), as sysctl(8)
 * has it. */
int explain_key_find(
                const char *word, Arena *arena, const SysctlSpec **ret_spec,
                const char **ret_dotted) {
        if (startswith(word, PROC_SYS))
                word += strlen(PROC_SYS);
        char *dotted = arena_copy(arena, word);
        if (!dotted)
                return -ENOMEM;
        if (dotted[strcspn(dotted, "./")] == '/')
                for (char *c = dotted; *c != '\0'; c++) {
                        if (*c == '/')
                                *c = '.';
                        else if (*c == '.')
                                *c = '/';
                }
        *ret_spec = catalogue_find(dotted);
        *ret_dotted = dotted;
        return 0;
}

/* --- looking -------------------------------------------------------------------------------------------- */

static const char *const merge_words[] = {
        [SETTING_EXACT] = "exact",
        [SETTING_AT_LEAST] = "at-least",
        [SETTING_AT_MOST] = "at-most",
};

static int note_use(
                Context *context, const ExplainKey *key, const Bundle *bundle, ExplainUse *ret) {
        const Profile *root = bundle_root(bundle);
        const BundleSetting *row = bundle_find_setting(bundle, key->spec);
        const Generation *current = host_generation(key->host);
        if (!row)
                return 0;
        const char *value = sysctl_value_to_kernel(key->spec, &row->setting->value, context->arena);
        *ret = (ExplainUse){
                .profile = arena_copy(context->arena, root->name),
                .merge = merge_words[row->setting->merge],
                .value = value ? outcome_value_for_people(value, context->arena) : NULL,
                .enabled = current && generation_find_profile(current, root->name) != NULL,
        };
        if (row->from != root)
                ret->from = arena_copy(context->arena, row->from->name);
        bool complete = ret->profile && ret->value && (row->from == root || ret->from);
        return complete ? 1 : -ENOMEM;
}

/* 1 when the profile sets the key. One that cannot be loaded sets nothing; `list` and `validate` say what is wrong. */
static int look_at_profile(
                Context *context, const ExplainKey *key, const char *name, ExplainUse *ret) {
        CLEANUP(diag_list_freep) DiagList *ignored = diag_list_new();
        if (!ignored)
                return -ENOMEM;
        CLEANUP(bundle_freep) Bundle *bundle = NULL;
        ProfileDirs dirs = key->host->dirs;
        dirs.trusting = true; /* looking has no consequence */
        int r = bundle_load(name, profile_dirs_fetch, &dirs, ignored, &bundle, &context->error);
        if (r < 0)
                return r;
        return r == 0 ? note_use(context, key, bundle, ret) : 0;
}

static int find_uses(Context *context, ExplainKey *key) {
        ProfileEntry *entries = NULL;
        size_t n = 0;
        int r = profile_dirs_list(&key->host->dirs, context->arena, &entries, &n, &context->error);
        if (r < 0)
                return r;
        ExplainUse *uses = arena_alloc_array(context->arena, n + 1, sizeof(ExplainUse));
        if (!uses)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (entries[i].masked)
                        continue;
                r = look_at_profile(context, key, entries[i].name, &uses[key->n_uses]);
                if (r < 0)
                        return r;
                key->n_uses += r > 0 ? 1 : 0;
        }
        key->uses = uses;
        return 0;
}

int explain_key_look(Context *context, const Host *host, const SysctlSpec *spec, ExplainKey *ret) {
        *ret = (ExplainKey){ .spec = spec, .host = host };
        if (!host->files_only) {
                LiveSnapshot live;
                int r = host_read_live(host, &spec, 1, context->arena, &live, &context->error);
                if (r < 0)
                        return r;
                ret->live = live_find(&live, spec);
        }
        return find_uses(context, ret);
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

static const char *const scope_words[] = {
        [SYSCTL_SCOPE_NETNS] = "netns",
        [SYSCTL_SCOPE_HOST] = "host",
};

static const char *const new_namespace_words[] = {
        [SYSCTL_NEW_DEFAULT] = "default",     [SYSCTL_NEW_COMPUTED] = "computed",
        [SYSCTL_NEW_COPIED] = "copied",       [SYSCTL_NEW_ABSENT] = "absent",
        [SYSCTL_NEW_READ_ONLY] = "read-only", [SYSCTL_NEW_SAME] = "same",
};

static const char *const rounding_words[] = {
        [SYSCTL_ROUNDING_NONE] = "none",
        [SYSCTL_ROUNDING_JIFFIES_MS] = "jiffies-ms",
        [SYSCTL_ROUNDING_POINTER_PAGE] = "pointer-page",
};

static const char *const live_words[] = {
        [LIVE_PRESENT] = "present", [LIVE_ABSENT] = "absent",   [LIVE_UNREADABLE] = "unreadable",
        [LIVE_STRANGE] = "strange", [LIVE_ASSUMED] = "assumed",
};

/* NULL for 0.0.0, and when out of memory, which the caller's arena tells again soon. */
static const char *version_text(const KernelVersion *version, Arena *arena) {
        if (version->major == 0)
                return NULL;
        return version->patch > 0 ? arena_format(arena, "%u.%u.%u", version->major, version->minor,
                                                 version->patch)
                                  : arena_format(arena, "%u.%u", version->major, version->minor);
}

static json_t *texts_to_json(const char *const *texts, size_t n) {
        json_t *array = json_array();
        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(array, json_string(texts[i]));
        return array;
}

static json_t *choices_to_json(const SysctlSpec *spec) {
        json_t *array = json_array();
        for (size_t i = 0; i < spec->n_choices; i++)
                (void) json_array_append_new(
                                array, json_pack("{s:I, s:s}", "value",
                                                 (json_int_t) spec->choices[i].value, "means",
                                                 spec->choices[i].meaning));
        return array;
}

static json_t *backported_to_json(const SysctlSpec *spec, Arena *arena) {
        json_t *array = json_array();
        for (size_t i = 0; i < spec->n_backported; i++)
                (void) json_array_append_new(
                                array, json_string(version_text(&spec->backported[i], arena)));
        return array;
}

static json_t *older_to_json(const SysctlSpec *spec, Arena *arena) {
        json_t *array = json_array();
        for (size_t i = 0; i < spec->n_older; i++)
                (void) json_array_append_new(
                                array,
                                json_pack("{s:s, s:s, s:s}", "before",
                                          version_text(&spec->older[i].before, arena), "field",
                                          spec->older[i].field, "was", spec->older[i].was));
        return array;
}

static json_t *judgements_to_json(const SysctlSpec *spec) {
        json_t *array = json_array();
        for (size_t i = 0; i < spec->n_judgements; i++)
                (void) json_array_append_new(
                                array,
                                json_pack("{s:s, s:s, s:s?}", "when", spec->judgements[i].when,
                                          "level", spec->judgements[i].level, "reason",
                                          spec->judgements[i].reason));
        return array;
}

static json_t *rules_to_json(const SysctlSpec *spec) {
        json_t *array = json_array();
        for (size_t i = 0; i < rules_count(); i++) {
                const Rule *rule = rules_get(i);
                const DiagRow *row = diag_row(rule->id);
                if (rule_concerns(rule, spec->key))
                        (void) json_array_append_new(
                                        array, json_pack("{s:s, s:s, s:s, s:s}", "code", row->code,
                                                         "name", row->name, "severity",
                                                         diag_severity_name(row->severity), "title",
                                                         row->title));
        }
        return array;
}

static json_t *uses_to_json(const ExplainKey *key) {
        json_t *array = json_array();
        for (size_t i = 0; i < key->n_uses; i++) {
                const ExplainUse *use = &key->uses[i];
                (void) json_array_append_new(
                                array, json_pack("{s:s, s:s?, s:s, s:s, s:b}", "name", use->profile,
                                                 "from", use->from, "merge", use->merge, "value",
                                                 use->value, "enabled", use->enabled));
        }
        return array;
}

static json_t *range_to_json(const SysctlSpec *spec, int64_t min, int64_t max) {
        return explain_key_has_range(spec) ? json_pack("[I, I]", (json_int_t) min, (json_int_t) max)
                                           : json_null();
}

bool explain_key_has_range(const SysctlSpec *spec) {
        return spec->type != SYSCTL_TYPE_STRING && spec->type != SYSCTL_TYPE_STRINGS;
}

/* What is seen of it here. */
static json_t *here_to_json(const ExplainKey *key) {
        const LiveKey *live = key->live;
        return json_pack(
                        "{s:s, s:s?}", "state", live ? live_words[live->state] : "unknown", "value",
                        live && live->text ? live->text : NULL);
}

static json_t *value_to_json(const SysctlSpec *spec) {
        const char *unit = sysctl_unit_name(spec->unit);
        return json_pack(
                        "{s:s, s:s?, s:I, s:b, s:o, s:o, s:s, s:o, s:s?, s:s?, s:s?}", "type",
                        sysctl_type_name(spec->type), "unit",
                        spec->unit == SYSCTL_UNIT_COUNT ? "count"
                        : *unit                         ? unit
                                                        : NULL,
                        "numbers", (json_int_t) spec->n_values, "ascending", spec->ascending,
                        "range", range_to_json(spec, spec->sane_min, spec->sane_max),
                        "kernel_range", range_to_json(spec, spec->kernel_min, spec->kernel_max),
                        "rounding", rounding_words[spec->rounding], "choices",
                        choices_to_json(spec), "zero_means", spec->zero_means, "default",
                        spec->default_text, "default_note", spec->default_note);
}

static json_t *kernels_to_json(const SysctlSpec *spec, Arena *arena) {
        return json_pack(
                        "{s:s?, s:s?, s:o, s:s?, s:s?, s:s, s:s?, s:s, s:o}", "since",
                        version_text(&spec->since, arena), "until",
                        version_text(&spec->until, arena), "backported",
                        backported_to_json(spec, arena), "vendor", spec->vendor, "module",
                        spec->module, "scope", scope_words[spec->scope], "scope_since",
                        version_text(&spec->scope_since, arena), "new_namespace",
                        new_namespace_words[spec->new_namespace], "older",
                        older_to_json(spec, arena));
}

static json_t *advice_to_json(const SysctlSpec *spec) {
        return json_pack(
                        "{s:s, s:s, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:o}", "risk",
                        explain_key_risk(spec), "risk_reason", spec->risk_reason,
                        "not_settable_because", spec->not_settable_because, "replacement",
                        spec->replacement, "myth", spec->myth, "interactions",
                        texts_to_json(spec->interactions, spec->n_interactions), "judgements",
                        judgements_to_json(spec), "rules", rules_to_json(spec), "sources",
                        texts_to_json(spec->sources, spec->n_sources));
}

const char *explain_key_risk(const SysctlSpec *spec) {
        static const char *const words[] = {
                [SYSCTL_RISK_SAFE] = "safe",
                [SYSCTL_RISK_CAUTION] = "caution",
                [SYSCTL_RISK_DANGEROUS] = "dangerous",
        };
        return words[spec->risk];
}

json_t *explain_key_to_json(const ExplainKey *key, Arena *arena) {
        const SysctlSpec *spec = key->spec;
        return json_pack(
                        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "kind", "key", "key",
                        spec->key, "group", spec->group, "does", spec->does, "here",
                        here_to_json(key), "value", value_to_json(spec), "kernels",
                        kernels_to_json(spec, arena), "advice", advice_to_json(spec), "profiles",
                        uses_to_json(key));
}
