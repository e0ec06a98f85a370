/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the catalogue says about one key, with what can be seen of it here without privilege: the live value and the
 * installed profiles that set it. As JSON here, for people in explain-page.h.
 */

#include "cli/host.h"

/* A profile that sets the key, itself or by what it includes. */
typedef struct ExplainUse {
        const char *profile;
        const char *from;  /* the included profile that the line stands in, or NULL */
        const char *merge; /* "exact", "at-least", "at-most" */
        const char *value; /* in the kernel's spelling, blanks for tabs */
        bool enabled;
} ExplainUse;

typedef struct ExplainKey {
        const SysctlSpec *spec;
        const Host *host;
        const LiveKey *live; /* NULL: not asked, below --root */
        const ExplainUse *uses;
        size_t n_uses;
} ExplainKey;

/* The row for a key in either spelling: dots, or slashes as below /proc/sys (which may stand before it). The word with
 * dots goes to the arena, *ret_dotted, for messages. *ret_spec NULL: there is none. 0 or -ENOMEM. */
NODISCARD int explain_key_find(
                const char *word, Arena *arena, const SysctlSpec **ret_spec,
                const char **ret_dotted);
/* Reads the live value and the profiles. The result lives as long as the arena and the host. 0 or <0. */
NODISCARD int explain_key_look(
                Context *context, const Host *host, const SysctlSpec *spec, ExplainKey *ret);
/* A new reference, or NULL when out of memory. */
json_t *explain_key_to_json(const ExplainKey *key, Arena *arena);

/* Whether its values are numbers with limits. */
bool explain_key_has_range(const SysctlSpec *spec);
/* "safe", "caution", "dangerous" */
const char *explain_key_risk(const SysctlSpec *spec);
