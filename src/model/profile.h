/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One profile, checked: what its text says, with places, before it meets other profiles or a kernel.
 *
 *         Source → yaml_tree_parse() → profile_parse() → Profile
 *
 * The checker is a table of fields (profile.c); schema/profile-1.schema.json is generated from the same
 * facts. All wrong things are collected into the list before the profile is refused.
 *
 * A Profile owns one arena and its Source; everything inside lives as long as the Profile.
 */

#include "base/error.h"
#include "base/sha256.h"
#include "diag/diag.h"
#include "model/sysctl-value.h"

#define PROFILE_LANGUAGE_VERSION 1
#define PROFILE_NAME_MAX         64U
#define PROFILE_SUMMARY_MAX      120U /* characters */
#define PROFILE_MAX_KEYS         512U
#define PROFILE_MAX_INCLUDES     16U
#define PROFILE_DEFAULT_PRIORITY 50
#define PROFILE_MAX_PRIORITY     100

/* `when:`: every condition that is given must hold. */
typedef enum WhenOperator {
        WHEN_KERNEL_NONE,
        WHEN_KERNEL_LT, /* "<5.10" */
        WHEN_KERNEL_LE,
        WHEN_KERNEL_EQ, /* "=5.10": that version and its patch levels */
        WHEN_KERNEL_GE,
        WHEN_KERNEL_GT,
} WhenOperator;

typedef struct When {
        bool present; /* `when: present`: only where the kernel has the key (settings only) */
        WhenOperator kernel_operator;
        KernelVersion kernel;
        const char *text; /* as written, for messages; NULL when no condition was given */
        Span span;
} When;

typedef enum SettingMerge {
        SETTING_EXACT,
        SETTING_AT_LEAST,
        SETTING_AT_MOST,
} SettingMerge;

typedef struct ProfileSetting {
        const SysctlSpec *spec;
        SettingMerge merge;
        SysctlValue value;
        When when;
        const char *reason; /* NULL when none was given */
        Span key_span;
        Span value_span;
} ProfileSetting;

typedef struct ProfileAccept {
        const char *rule; /* a name of the registry, kebab-case */
        const char *reason;
        Span span;
} ProfileAccept;

typedef struct ProfileInclude {
        const char *name;
        Span span;
} ProfileInclude;

typedef struct Profile {
        Arena *arena;
        Source *source;
        const char *name;
        const char *summary;
        const char *description; /* "" when absent */
        int priority;
        When when;
        const ProfileInclude *includes;
        size_t n_includes;
        const ProfileSetting *settings; /* in the order of the text */
        size_t n_settings;
        const ProfileAccept *accepts;
        size_t n_accepts;
} Profile;

enum {
        PROFILE_E_INVALID = 1, /* the reasons are in the list */
};

/* Parses and checks. `source` is taken over in every case (by the profile, or by `diags` when refused).
 * `name` is the expected name, the stem of the file, or NULL when it may be anything. */
NODISCARD int profile_parse(
                Source *source, const char *name, DiagList *diags, Profile **ret, Error *reterr);
Profile *profile_free(Profile *profile);
DEFINE_CLEANUP_PTR(Profile, profile_free)

/* [a-z0-9][a-z0-9-]{0,63} */
bool profile_name_is_valid(const char *name);

/* Whether the kernel part of the condition holds. `present` is the caller's to judge. */
bool when_kernel_holds(const When *when, const KernelVersion *kernel);
