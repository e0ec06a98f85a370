/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-setting.h"

#include "model/profile-value.h"
#include "model/profile-when.h"

/* What the fields of the detailed form fill in. */
typedef struct SettingDraft {
        ProfileSetting *setting;
        const YamlNode *value; /* the first of value, at-least and at-most */
        const YamlNode *second;
        SettingMerge merge;
} SettingDraft;

static void draft_take(SettingDraft *draft, const YamlNode *node, SettingMerge merge) {
        if (!draft->value) {
                draft->value = node;
                draft->merge = merge;
        } else if (!draft->second)
                draft->second = node;
}

static void read_setting_value(ProfileCheck *check, const YamlNode *node, void *target) {
        (void) check;
        draft_take(target, node, SETTING_EXACT);
}

static void read_setting_at_least(ProfileCheck *check, const YamlNode *node, void *target) {
        (void) check;
        draft_take(target, node, SETTING_AT_LEAST);
}

static void read_setting_at_most(ProfileCheck *check, const YamlNode *node, void *target) {
        (void) check;
        draft_take(target, node, SETTING_AT_MOST);
}

static void read_setting_when(ProfileCheck *check, const YamlNode *node, void *target) {
        SettingDraft *draft = target;
        when_read(check, node, /* is_setting= */ true, &draft->setting->when);
}

static void read_setting_reason(ProfileCheck *check, const YamlNode *node, void *target) {
        SettingDraft *draft = target;
        (void) check_read_line(check, node, "'reason'", &draft->setting->reason);
}

static const ProfileField setting_fields[] = {
#define PROFILE_GROUP_SETTING PROFILE_FIELD_ROW
#include "model/profile-fields.def"
};

static void add_value_form(ProfileCheck *check, const YamlNode *node, const SettingDraft *draft) {
        const char *key = draft->setting->spec->key;
        if (!draft->value) {
                Diag *diag = diag_add(
                                check->diags, DIAG_VALUE_FORM, node->key_span,
                                "the setting '%s' gives no value", key);
                diag_set_key(check->diags, diag, key);
                diag_set_help(check->diags, diag, "add one of 'value', 'at-least' and 'at-most'");
                return;
        }
        Diag *diag = diag_add(
                        check->diags, DIAG_VALUE_FORM, draft->second->key_span,
                        "the setting '%s' gives more than one value", key);
        diag_set_key(check->diags, diag, key);
        diag_add_label(check->diags, diag, draft->second->key_span, "given again here");
        diag_add_label(check->diags, diag, draft->value->key_span, "first given here");
        diag_set_help(check->diags, diag, "keep exactly one of 'value', 'at-least' and 'at-most'");
}

static void read_detailed(ProfileCheck *check, const YamlNode *node, ProfileSetting *setting) {
        static const ProfileFields fields = { "a setting", setting_fields,
                                              ELEMENTSOF(setting_fields) };
        SettingDraft draft = { .setting = setting };
        (void) check_fields(check, &fields, node, &draft); /* what is wrong is in the list */
        if (!draft.value || draft.second) {
                add_value_form(check, node, &draft);
                return;
        }
        setting->merge = draft.merge;
        setting->value_span = draft.value->span;
        if (draft.merge == SETTING_EXACT)
                (void) value_read(check, setting->spec, draft.value, &setting->value);
        else
                (void) value_read_bound(check, setting->spec, draft.value, &setting->value);
}

static void add_unknown_key(ProfileCheck *check, const YamlNode *node) {
        Diag *diag = diag_add(
                        check->diags, DIAG_UNKNOWN_KEY, node->key_span,
                        "the catalogue has no key '%s'", node->key);
        const SysctlSpec *same = catalogue_find_path(node->key);
        if (same) {
                diag_set_help(check->diags, diag, "write it with dots: '%s'", same->key);
                return;
        }
        const SysctlSpec *nearest = catalogue_find_nearest(node->key);
        if (nearest)
                diag_set_help(check->diags, diag, "did you mean '%s'?", nearest->key);
        else
                diag_set_help(check->diags, diag,
                              "set it in a file of your own in /etc/sysctl.d, which profiles leave alone");
}

static void add_not_settable(ProfileCheck *check, const YamlNode *node, const SysctlSpec *spec) {
        Diag *diag = diag_add(
                        check->diags, DIAG_NOT_SETTABLE, node->key_span,
                        "'%s' cannot be set by a profile", spec->key);
        diag_set_key(check->diags, diag, spec->key);
        diag_add_note(check->diags, diag, "%s", spec->not_settable_because);
        check_add_sources(check, diag, spec);
        if (spec->replacement)
                diag_set_help(check->diags, diag, "remove the line; instead: %s",
                              spec->replacement);
        else
                diag_set_help(check->diags, diag, "remove the line");
}

static void read_setting(ProfileCheck *check, const YamlNode *node, ProfileSetting *setting) {
        const SysctlSpec *spec = catalogue_find(node->key);
        if (!spec) {
                add_unknown_key(check, node);
                return;
        }
        if (!spec->settable) {
                add_not_settable(check, node, spec);
                return;
        }
        *setting = (ProfileSetting){ .spec = spec,
                                     .merge = SETTING_EXACT,
                                     .key_span = node->key_span,
                                     .value_span = node->span };
        if (node->kind == YAML_KIND_MAPPING)
                read_detailed(check, node, setting);
        else
                (void) value_read(check, spec, node, &setting->value);
}

void settings_read(ProfileCheck *check, const YamlNode *node) {
        if (node->kind != YAML_KIND_MAPPING) {
                Diag *diag = check_add_wrong_type(
                                check, node, "'sysctl'", "a mapping of keys to values");
                diag_set_help(check->diags, diag,
                              "indent the settings below it, each as 'key: value'; write {} for none");
                return;
        }
        if (node->n_children > PROFILE_MAX_KEYS) {
                Diag *diag = diag_add(
                                check->diags, DIAG_TOO_MANY_KEYS, node->key_span,
                                "the profile sets %zu keys, the limit is %u", node->n_children,
                                PROFILE_MAX_KEYS);
                diag_set_help(check->diags, diag, "split the profile");
                return;
        }
        ProfileSetting *settings = check_alloc(check, node->n_children, sizeof(ProfileSetting));
        if (!settings)
                return;

        size_t n = 0;
        for (const YamlNode *child = node->first; child; child = child->next)
                read_setting(check, child, &settings[n++]);
        check->profile->settings = settings;
        check->profile->n_settings = n;
}
