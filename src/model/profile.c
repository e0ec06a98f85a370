/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile.h"

#include <inttypes.h>

#include "diag/nearest.h"
#include "diag/utf8.h"
#include "model/profile-check.h"
#include "model/profile-setting.h"
#include "model/profile-when.h"

bool profile_name_is_valid(const char *name) {
        size_t n = strlen(name);
        return n > 0 && n <= PROFILE_NAME_MAX && name[0] != '-' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static bool text_is_blank(const char *text) {
        return text[strspn(text, " \t\n")] == '\0';
}

/* ---- the fields of the top level; `target` is the profile ---- */

static void read_version(ProfileCheck *check, const YamlNode *node, void *target) {
        (void) target;
        int64_t version;
        if (!check_read_integer(check, node, "'version'", &version))
                return;
        if (version != PROFILE_LANGUAGE_VERSION) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_VERSION, node->span,
                                "version %" PRId64 " of the profile language is not known",
                                version);
                diag_set_help(check->diags, diag,
                              "write 'version: %d', or install a newer twprofile",
                              PROFILE_LANGUAGE_VERSION);
        }
}

static bool read_profile_name(
                ProfileCheck *check, const YamlNode *node, const char *subject, const char **ret) {
        const char *name;
        if (!check_read_line(check, node, subject, &name))
                return false;
        if (!profile_name_is_valid(name)) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_NAME, node->span,
                                "'%s' is not a name for a profile", name);
                diag_set_help(check->diags, diag,
                              "use 1 to %u lower-case letters, digits and '-', a letter or digit first",
                              PROFILE_NAME_MAX);
                return false;
        }
        *ret = name;
        return true;
}

static void read_name(ProfileCheck *check, const YamlNode *node, void *target) {
        Profile *profile = target;
        if (!read_profile_name(check, node, "'name'", &profile->name))
                return;
        if (check->expected_name && !streq(profile->name, check->expected_name)) {
                Diag *diag = diag_add(
                                check->diags, DIAG_NAME_MISMATCH, node->span,
                                "the profile calls itself '%s', but its file is '%s'",
                                profile->name, check->expected_name);
                diag_set_help(check->diags, diag, "write 'name: %s', or rename the file to %s.yaml",
                              check->expected_name, profile->name);
        }
}

static void read_summary(ProfileCheck *check, const YamlNode *node, void *target) {
        Profile *profile = target;
        if (!check_read_line(check, node, "'summary'", &profile->summary))
                return;
        size_t n = utf8_count(profile->summary, strlen(profile->summary));
        if (n > PROFILE_SUMMARY_MAX) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_SUMMARY, node->span,
                                "the summary has %zu characters, the limit is %u", n,
                                PROFILE_SUMMARY_MAX);
                diag_set_help(check->diags, diag, "shorten it, and move the rest to 'description'");
        } else if (text_is_blank(profile->summary)) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_SUMMARY, node->span, "the summary is empty");
                diag_set_help(check->diags, diag, "say in one line what the profile is for");
        }
}

static void read_description(ProfileCheck *check, const YamlNode *node, void *target) {
        Profile *profile = target;
        (void) check_read_text(check, node, "'description'", &profile->description);
}

static void read_priority(ProfileCheck *check, const YamlNode *node, void *target) {
        Profile *profile = target;
        int64_t priority;
        if (!check_read_integer(check, node, "'priority'", &priority))
                return;
        if (priority < 0 || priority > PROFILE_MAX_PRIORITY) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_PRIORITY, node->span,
                                "priority %" PRId64 " is out of range", priority);
                diag_set_help(check->diags, diag, "choose an integer from 0 to %d",
                              PROFILE_MAX_PRIORITY);
                return;
        }
        profile->priority = (int) priority;
}

static void read_profile_when(ProfileCheck *check, const YamlNode *node, void *target) {
        Profile *profile = target;
        when_read(check, node, /* is_setting= */ false, &profile->when);
}

static void read_sysctl(ProfileCheck *check, const YamlNode *node, void *target) {
        (void) target;
        settings_read(check, node);
}

/* ---- include ---- */

static bool check_is_sequence(
                ProfileCheck *check, const YamlNode *node, const char *subject, const char *wanted,
                const char *example) {
        if (node->kind == YAML_KIND_SEQUENCE)
                return true;
        Diag *diag = check_add_wrong_type(check, node, subject, wanted);
        diag_set_help(check->diags, diag, "write for instance '%s'", example);
        return false;
}

static void add_repeated(
                ProfileCheck *check, const char *what, const char *name, const Span *span,
                const Span *first) {
        Diag *diag = diag_add(
                        check->diags, DIAG_REPEATED_ITEM, *span, "%s '%s' is named twice", what,
                        name);
        diag_add_label(check->diags, diag, *span, "named again here");
        diag_add_label(check->diags, diag, *first, "first named here");
        diag_set_help(check->diags, diag, "keep one of the two");
}

static void take_include(
                ProfileCheck *check, const YamlNode *node, ProfileInclude *includes, size_t *n) {
        const char *name;
        if (!read_profile_name(check, node, "an item of 'include'", &name))
                return;
        for (size_t i = 0; i < *n; i++)
                if (streq(includes[i].name, name)) {
                        add_repeated(check, "the profile", name, &node->span, &includes[i].span);
                        return;
                }
        includes[(*n)++] = (ProfileInclude){ .name = name, .span = node->span };
}

static void read_include(ProfileCheck *check, const YamlNode *node, void *target) {
        Profile *profile = target;
        if (!check_is_sequence(
                            check, node, "'include'", "a sequence of names", "include: [hygiene]"))
                return;
        if (node->n_children > PROFILE_MAX_INCLUDES) {
                Diag *diag = diag_add(
                                check->diags, DIAG_TOO_MANY_INCLUDES, node->key_span,
                                "%zu profiles are included, the limit is %u", node->n_children,
                                PROFILE_MAX_INCLUDES);
                diag_set_help(check->diags, diag, "group them in a profile of their own");
                return;
        }
        ProfileInclude *includes = check_alloc(check, node->n_children, sizeof(ProfileInclude));
        if (!includes)
                return;
        for (const YamlNode *child = node->first; child; child = child->next)
                take_include(check, child, includes, &profile->n_includes);
        profile->includes = includes;
}

/* Needs the name, which may stand behind `include`. */
static void check_includes_itself(ProfileCheck *check) {
        const Profile *profile = check->profile;
        for (size_t i = 0; i < profile->n_includes; i++)
                if (streq_null(profile->includes[i].name, profile->name)) {
                        Diag *diag = diag_add(
                                        check->diags, DIAG_INCLUDE_ITSELF,
                                        profile->includes[i].span,
                                        "the profile '%s' includes itself", profile->name);
                        diag_set_help(check->diags, diag, "remove the name");
                }
}

/* ---- accept ---- */

static const char *nearest_rule(const char *name) {
        const char *nearest = NULL;
        for (size_t i = 0; i < diag_row_count(); i++) {
                const DiagRow *row = diag_row((DiagId) i);
                if (row->severity == DIAG_SEVERITY_ACCEPTANCE)
                        nearest_consider(name, row->name, &nearest);
        }
        return nearest;
}

static void read_accept_rule(ProfileCheck *check, const YamlNode *node, void *target) {
        ProfileAccept *accept = target;
        const char *name;
        if (!check_read_line(check, node, "'rule'", &name))
                return;

        /* By name only: a code in a profile would tell a reader nothing. */
        const DiagRow *row = diag_row_find(name);
        if (row && row->severity == DIAG_SEVERITY_ACCEPTANCE && streq(row->name, name)) {
                accept->rule = row->name;
                accept->span = node->span;
                return;
        }
        Diag *diag;
        if (row && row->severity != DIAG_SEVERITY_ACCEPTANCE)
                diag = diag_add(check->diags, DIAG_BAD_RULE_NAME, node->span,
                                "'%s' cannot be accepted", name);
        else
                diag = diag_add(check->diags, DIAG_BAD_RULE_NAME, node->span,
                                "there is no rule '%s'", name);
        const char *nearest = row && row->severity == DIAG_SEVERITY_ACCEPTANCE ? row->name
                                                                               : nearest_rule(name);
        if (nearest)
                diag_set_help(check->diags, diag, "did you mean '%s'?", nearest);
        else
                diag_set_help(check->diags, diag,
                              "remove the item; only safety rules can be accepted");
}

static void read_accept_reason(ProfileCheck *check, const YamlNode *node, void *target) {
        ProfileAccept *accept = target;
        const char *reason = "";
        if (!node_is_null(node) && !check_read_line(check, node, "'reason'", &reason))
                return;
        if (node_is_null(node) || text_is_blank(reason)) {
                Diag *diag = diag_add(
                                check->diags, DIAG_MISSING_REASON, node->span,
                                "the acceptance gives no reason");
                diag_set_help(check->diags, diag,
                              "say in one line why the risk is acceptable on these hosts");
                return;
        }
        accept->reason = reason;
}

static const ProfileField accept_fields[] = {
#define PROFILE_GROUP_ACCEPT PROFILE_FIELD_ROW
#include "model/profile-fields.def"
};

static void take_accept(
                ProfileCheck *check, const YamlNode *node, ProfileAccept *accepts, size_t *n) {
        static const ProfileFields fields = { "an item of 'accept'", accept_fields,
                                              ELEMENTSOF(accept_fields) };
        ProfileAccept accept = { .rule = NULL };
        if (!check_fields(check, &fields, node, &accept) || !accept.rule)
                return;
        for (size_t i = 0; i < *n; i++)
                if (streq(accepts[i].rule, accept.rule)) {
                        add_repeated(check, "the rule", accept.rule, &accept.span,
                                     &accepts[i].span);
                        return;
                }
        accepts[(*n)++] = accept;
}

static void read_accept(ProfileCheck *check, const YamlNode *node, void *target) {
        Profile *profile = target;
        if (!check_is_sequence(
                            check, node, "'accept'", "a sequence of rules with reasons",
                            "accept: [{rule: time-wait-below-rfc, reason: test machines only}]"))
                return;
        ProfileAccept *accepts = check_alloc(check, node->n_children, sizeof(ProfileAccept));
        if (!accepts)
                return;
        for (const YamlNode *child = node->first; child; child = child->next)
                take_accept(check, child, accepts, &profile->n_accepts);
        profile->accepts = accepts;
}

/* ---- the whole ---- */

static const ProfileField top_fields[] = {
#define PROFILE_GROUP_TOP PROFILE_FIELD_ROW
#include "model/profile-fields.def"
};

static int check_profile(ProfileCheck *check, Error *reterr) {
        static const ProfileFields fields = { "a profile", top_fields, ELEMENTSOF(top_fields) };
        Profile *profile = check->profile;

        YamlNode *root;
        int r = yaml_tree_parse(profile->source, check->arena, check->diags, &root, reterr);
        if (r < 0)
                return r;
        if (r == 0) {
                (void) check_fields(check, &fields, root, profile); /* judged by the list */
                check_includes_itself(check);
        }
        const char *name = check->expected_name ? check->expected_name : profile->name;
        if (name)
                diag_list_set_profile(check->diags, name);
        if (check->no_memory || !diag_list_is_complete(check->diags))
                return error_set(
                                reterr, -ENOMEM, "cannot check the profile '%s'",
                                source_name(profile->source));
        return diag_list_count_errors(check->diags) > 0 ? PROFILE_E_INVALID : 0;
}

int profile_parse(Source *source, const char *name, DiagList *diags, Profile **ret, Error *reterr) {
        CLEANUP(profile_freep) Profile *profile = calloc(1, sizeof(Profile));
        CLEANUP(diag_list_freep) DiagList *own = diag_list_new();
        if (profile)
                profile->arena = arena_new();
        if (!profile || !profile->arena || !own) {
                diag_list_take_source(diags, source);
                return error_set(
                                reterr, -ENOMEM, "cannot check the profile '%s'",
                                source_name(source));
        }
        profile->source = source;
        profile->description = "";
        profile->priority = PROFILE_DEFAULT_PRIORITY;

        ProfileCheck check = {
                .arena = profile->arena, .diags = own, .profile = profile, .expected_name = name
        };
        int r = check_profile(&check, reterr);
        diag_list_sort(own);
        diag_list_move(diags, own);
        if (r != 0) {
                /* The diagnostics point into it. */
                diag_list_take_source(diags, TAKE_PTR(profile->source));
                return r;
        }
        *ret = TAKE_PTR(profile);
        return 0;
}

Profile *profile_free(Profile *profile) {
        if (!profile)
                return NULL;

        (void) arena_free(profile->arena);
        (void) source_free(profile->source);
        free(profile);
        return NULL;
}
