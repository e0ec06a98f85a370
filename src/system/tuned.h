/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the active profile of TuneD sets, from its files: /etc/tuned/active_profile (with post_loaded_profile behind it) names
 * profiles; each is NAME/tuned.conf below /etc/tuned/profiles, /etc/tuned, /usr/lib/tuned/profiles or /usr/lib/tuned, the
 * first that has it; `include=` profiles come before those that include them, later ones win; `[sysctl]` or a section with
 * type=sysctl holds the keys (tuned/profiles/{locator,loader,merger}.py, tuned/plugins/plugin_sysctl.py of 2.20 to 2.28).
 *
 * ${NAME} of a [variables] section with plain values is put in; a value with a function (${f:…}), with a variable from
 * elsewhere, or with a modifier (< or > in front) has no known value: TunedSetting.value is NULL.
 *
 * reapply_sysctl of /etc/tuned/tuned-main.conf (default 1): TuneD sets /run/sysctl.d, /etc/sysctl.d and /etc/sysctl.conf again
 * after its own values.
 *
 * The files belong to others: bounded, nothing but regular files, read once.
 */

#include "base/arena.h"
#include "system/seam-io.h"

typedef struct TunedSetting {
        const char *key;   /* as TuneD turns it into a path: every dot is a slash */
        const char *value; /* NULL: not known */
        const char *profile;
        const char *path; /* of its file */
        uint32_t line;
} TunedSetting;

typedef struct TunedState {
        const char *profile; /* the content of active_profile; NULL: none, nothing else is set then */
        bool reapplies;
        bool starts_at_boot; /* a link of multi-user.target.wants says so */
        const TunedSetting *settings;
        size_t n_settings;
        const char *missing; /* a profile that could not be read, or NULL */
        int missing_error;   /* positive errno */
} TunedState;

/* 0 (also when TuneD is not there) or <0. */
NODISCARD int tuned_read(
                const Seam *seam, int root_fd, Arena *arena, TunedState *ret, Error *reterr);
/* What it sets the key to ("net/core/somaxconn"), or NULL. */
const TunedSetting *tuned_find(const TunedState *state, const char *path);
