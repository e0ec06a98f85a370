/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who else sets the keys of a plan, and what is said of it. system/writers.h collects the owners from files and /proc, for
 * the fragment as it will be; judging is here, and is the same for the command line and for the helper:
 *
 *         plan_build() → Plan ─┬→ owners_check() → findings, keys marked as adopted
 *         writers_find() ──────┘
 *
 *                                another value                          the same value
 *         a later file           refused                                note
 *         TuneD, reapply 0       refused                                -
 *         TuneD, reapply 1       warning: `tuned-adm verify` differs    -
 *         procps's order only    warning                                -
 *         bpftune                warning                                -
 *
 * Refused is `enable` alone (docs/decisions/other-owners.md); with PLAN_ADOPT_OWNER it goes on, and the generation keeps for
 * each key whose value ours wins over. That is carried until the key leaves, and is what makes the boot unit write ours over
 * a later file's.
 */

#include "model/plan.h"

typedef enum OwnerKind {
        OWNER_LATER_FILE,      /* decides under systemd-sysctl, and is not our fragment */
        OWNER_PROCPS_FILE,     /* decides under procps alone */
        OWNER_TUNED,           /* the active profile of TuneD, with reapply_sysctl=0 */
        OWNER_TUNED_REAPPLIED, /* the same, but TuneD sets the files of sysctl.d again afterwards */
        OWNER_BPFTUNE,         /* about no single value: `value` is NULL */
} OwnerKind;

typedef struct Owner {
        OwnerKind kind;
        const SysctlSpec *spec;
        const char *path;  /* of the file; "credential sysctl.extra"; the process of a program */
        uint32_t line;     /* 0: none */
        const char *value; /* as written; NULL: not known, by a variable for instance */
        const char *name;  /* of the TuneD profile, or NULL */
        bool glob;         /* by a pattern */
} Owner;

/* A file that may say more than is known. */
typedef struct OwnersFlaw {
        const char *path;
        uint32_t line; /* 0: the whole file */
        int error;     /* positive errno; 0: not understood */
} OwnersFlaw;

typedef struct Owners {
        const Owner *rows; /* by key, in no other order */
        size_t n_rows;
        const OwnersFlaw *flaws;
        size_t n_flaws;
} Owners;

/* Whether the owner sets another value than `value`; one that is not known counts as another. <0: -ENOMEM. */
NODISCARD int owner_differs(
                const Owner *owner, const SysctlSpec *spec, const SysctlValue *value, Arena *arena,
                bool *ret);
/* "/etc/sysctl.d/99-local.conf:3", "TuneD profile 'x' (/usr/lib/tuned/x/tuned.conf:7)"; NULL when out of memory. */
const char *owner_describe(const Owner *owner, Arena *arena);

/* Adds findings about the flaws, with the way to see more. */
void owners_report_flaws(const Owners *owners, DiagList *findings);

/* 0; PLAN_E_REFUSED; -ENOMEM with *reterr. Keys of plan->next are marked as adopted, and plan->is_noop follows. */
NODISCARD int owners_check(
                Plan *plan, unsigned adopt, const Owners *owners, DiagList *findings,
                Error *reterr);
