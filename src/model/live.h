/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What was read from the kernel: one row for each key asked for, plus the facts about the machine that plans
 * are judged by. Plain data; system/sysctl-live.h fills it, tests make it up.
 */

#include "model/sysctl-value.h"

typedef enum LiveState {
        LIVE_PRESENT,    /* value is set */
        LIVE_ABSENT,     /* ENOENT */
        LIVE_UNREADABLE, /* another errno, in `error` */
        LIVE_STRANGE,    /* read, but not of the catalogue's type; text is set */
        LIVE_ASSUMED,    /* below --root: it will be there, its value is not known */
} LiveState;

typedef struct LiveKey {
        const SysctlSpec *spec;
        LiveState state;
        int error; /* positive errno for UNREADABLE */
        SysctlValue value;
        const char *text; /* as read, newline stripped; NULL when ABSENT or UNREADABLE */
} LiveKey;

typedef struct LiveSnapshot {
        const LiveKey *keys; /* sorted by key */
        size_t n_keys;
        KernelVersion kernel;
        bool initial_netns; /* false in a child: host-wide keys are absent or read-only there */
} LiveSnapshot;

/* NULL when the key was not asked for. */
const LiveKey *live_find(const LiveSnapshot *snapshot, const SysctlSpec *spec);
