/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/local-plan.h"
#include "cli/outcome.h"
#include "cli/prose.h"
#include "cli/verbs.h"
#include "diag/text.h"

#define INDENT 4U

static void add_labelled(StrBuf *out, const char *label, const char *text, size_t width) {
        if (!text || *text == '\0')
                return;
        CLEANUP(strbuf_deinit) StrBuf line = {};
        strbuf_addf(&line, "%s: %s", label, text);
        prose_add(out, strbuf_text(&line), INDENT, width);
}

static const char *const merge_words[] = {
        [SETTING_EXACT] = "exact",
        [SETTING_AT_LEAST] = "at-least",
        [SETTING_AT_MOST] = "at-most",
};

static const char *const merge_signs[] = {
        [SETTING_EXACT] = "=",
        [SETTING_AT_LEAST] = "≥",
        [SETTING_AT_MOST] = "≤",
};

static const char *wanted_text(const ProfileSetting *setting, Arena *arena) {
        return sysctl_value_to_kernel(setting->spec, &setting->value, arena);
}

/* --- text ----------------------------------------------------------------------------------------------- */

static const char *live_text(const LiveKey *live) {
        if (!live || live->state == LIVE_ABSENT)
                return "not in this kernel";
        return live->text ? live->text : "cannot be read";
}

static void add_setting(
                Context *context, const Bundle *bundle, const BundleSetting *row,
                const LiveSnapshot *live) {
        StrBuf *out = &context->text;
        const ProfileSetting *setting = row->setting;
        const SysctlSpec *spec = setting->spec;
        const char *value = wanted_text(setting, context->arena);
        const char *unit = sysctl_unit_name(spec->unit);
        strbuf_addf(out, "\n%s %s %s%s%s\n", spec->key, merge_signs[setting->merge],
                    outcome_value_for_people(value, context->arena), *unit ? " " : "", unit);
        CLEANUP(strbuf_deinit) StrBuf facts = {};
        strbuf_addf(&facts, "now %s; the kernel's default is %s",
                    outcome_value_for_people(live_text(live_find(live, spec)), context->arena),
                    spec->default_text
                                    ? outcome_value_for_people(spec->default_text, context->arena)
                                    : "computed at boot");
        if (row->from != bundle_root(bundle))
                strbuf_addf(&facts, "; from profile %s", row->from->name);
        if (setting->when.text)
                strbuf_addf(&facts, "; only when %s", setting->when.text);
        prose_add(out, strbuf_text(&facts), INDENT, context->out.width);
        add_labelled(out, "does", spec->does, context->out.width);
        add_labelled(out, "default", spec->default_note, context->out.width);
        add_labelled(out, "why here", setting->reason, context->out.width);
}

static void add_head(Context *context, const Bundle *bundle) {
        StrBuf *out = &context->text;
        const Profile *root = bundle_root(bundle);
        CLEANUP(strbuf_deinit) StrBuf title = {};
        strbuf_addf(&title, "%s: %s", root->name, root->summary);
        prose_add(out, strbuf_text(&title), 0, context->out.width);
        strbuf_addf(out, "\nFile:     %s\nPriority: %d\n", source_name(root->source),
                    root->priority);
        for (size_t i = 1; i < bundle->n_profiles; i++)
                strbuf_addf(out, "Includes: %s (%s)\n", bundle->profiles[i]->name,
                            source_name(bundle->profiles[i]->source));
        if (root->when.text)
                strbuf_addf(out, "When:     %s\n", root->when.text);
        for (size_t i = 0; i < root->n_accepts; i++) {
                strbuf_addf(out, "Accepts:  %s: ", root->accepts[i].rule);
                diag_text_add_escaped(
                                out, root->accepts[i].reason, strlen(root->accepts[i].reason));
                strbuf_add_char(out, '\n');
        }
        if (*root->description) {
                strbuf_add_char(out, '\n');
                prose_add(out, root->description, INDENT, context->out.width);
        }
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

static json_t *setting_to_json(const BundleSetting *row, const LiveSnapshot *live, Arena *arena) {
        const ProfileSetting *setting = row->setting;
        const SysctlSpec *spec = setting->spec;
        const LiveKey *now = live_find(live, spec);
        const char *unit = sysctl_unit_name(spec->unit);
        return json_pack(
                        "{s:s, s:s, s:s?, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:s}", "key",
                        spec->key, "merge", merge_words[setting->merge], "value",
                        wanted_text(setting, arena), "unit", *unit ? unit : NULL, "profile",
                        row->from->name, "when", setting->when.text, "reason", setting->reason,
                        "live", now && now->state == LIVE_PRESENT ? now->text : NULL, "default",
                        spec->default_text, "does", spec->does);
}

static json_t *bundle_to_json(const Bundle *bundle, const LiveSnapshot *live, Arena *arena) {
        const Profile *root = bundle_root(bundle);
        json_t *settings = json_array(), *includes = json_array();
        for (size_t i = 0; i < bundle->n_settings; i++)
                (void) json_array_append_new(
                                settings, setting_to_json(&bundle->settings[i], live, arena));
        for (size_t i = 1; i < bundle->n_profiles; i++)
                (void) json_array_append_new(
                                includes,
                                json_pack("{s:s, s:s}", "name", bundle->profiles[i]->name, "path",
                                          source_name(bundle->profiles[i]->source)));
        char digest[SHA256_HEX_SIZE];
        sha256_to_hex(&bundle->digest, digest);
        return json_pack(
                        "{s:s, s:s, s:s, s:s, s:s, s:i, s:s?, s:o, s:o}", "name", root->name,
                        "summary", root->summary, "description", root->description, "path",
                        source_name(root->source), "digest", digest, "priority", root->priority,
                        "when", root->when.text, "includes", includes, "settings", settings);
}

/* -------------------------------------------------------------------------------------------------------- */

static int read_live(Context *context, const Host *host, const Bundle *bundle, LiveSnapshot *ret) {
        const SysctlSpec **specs = NULL;
        size_t n = 0;
        const Bundle *const bundles[] = { bundle };
        int r = effective_collect_specs(bundles, 1, context->arena, &specs, &n);
        if (r < 0)
                return r;
        return host_read_live(host, specs, n, context->arena, ret, &context->error);
}

static int show_bundle(Context *context, const Host *host, const Bundle *bundle) {
        LiveSnapshot live;
        int r = read_live(context, host, bundle, &live);
        if (r < 0)
                return r;
        if (context_is_json(context))
                return context_take_result(context, bundle_to_json(bundle, &live, context->arena));
        add_head(context, bundle);
        for (size_t i = 0; i < bundle->n_settings; i++)
                add_setting(context, bundle, &bundle->settings[i], &live);
        return 0;
}

static int show_on(Context *context, Host *host) {
        Bundle *bundle = NULL;
        host->dirs.trusting = true; /* looking has no consequence */
        int r = local_plan_load_profile(context, host, context->args[0], &bundle, &context->error);
        if (r == 0)
                r = show_bundle(context, host, bundle);
        local_plan_release_bundle(context, bundle);
        return r < 0 ? r : context_finish(context);
}

static int show_run(Context *context) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        int r = host_open(&host, context, &context->error);
        return r < 0 ? r : show_on(context, &host);
}

const Command cmd_show = {
        .name = "show",
        .args = "NAME",
        .help = "Explain a profile: what it sets, and why",
        .group = COMMAND_GROUP_PROFILES,
        .min_args = 1,
        .max_args = 1,
        .options = OPT_ROOT,
        .run = show_run,
};
