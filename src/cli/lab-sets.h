/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The sets of settings that a lab compares: what the host has now, and the same with profiles over it. Profiles are merged
 * as `plan` merges them, without what is enabled now: that is among the present values. Safety rules are not
 * asked and nobody else's files are looked at, for nothing here reaches the host.
 */

#include "cli/host.h"
#include "insight/lab-report.h"

typedef struct LabSets {
        const LabSetting *settings[LAB_SETS_MAX]; /* in write order; the same keys in each */
        size_t n_settings;
        const char *names[LAB_SETS_MAX]; /* "present", the profile's name */
        size_t n_sets;
        LabChange *changes; /* what the profiles touch; state is the caller's to fill */
        size_t n_changes;
} LabSets;

enum {
        LAB_SETS_E_REFUSED = 1, /* the reasons are in the context's findings */
};

/* Of the profiles, names or files, that are the context's arguments; with none there is one set. `ports`: use only so many of each range,
 * 0 for all. Everything is of the context's arena. */
NODISCARD int lab_sets_build(
                Context *context, Host *host, uint32_t ports, LabSets *ret, Error *reterr);

/* The same settings with one more, or another value for one. NULL when out of memory or space. */
LabSetting *lab_sets_with(
                const LabSetting *settings, size_t n, const SysctlSpec *spec, const char *text,
                Arena *arena, size_t *ret_n);

/* "32768\t60999" cut to its first `ports` ports; the same text when it is no range or has no more. */
const char *lab_sets_narrow(const char *range, uint32_t ports, Arena *arena);
