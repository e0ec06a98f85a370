/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a request would do, as plain data: it is printed (plan, --dry-run, --json), run (engine/transaction.h),
 * inverted and logged. Deciding is here, doing is elsewhere.
 *
 *         bundles → effective_set_build() ─┐
 *                                          ├→ plan_build() → Plan
 *         an older generation ─────────────┘
 *
 * The command line (without privilege, from the public status) and the helper call the same function.
 */

#include "model/machine.h"
#include "model/effective-set.h"

typedef enum PlanVerb {
        PLAN_ENABLE,
        PLAN_DISABLE,
        PLAN_ROLLBACK,
} PlanVerb;

typedef enum PlanAction {
        PLAN_SET,      /* owned afterwards; live differs from target: it will be written */
        PLAN_KEEP,     /* owned afterwards; live is the target already */
        PLAN_RESTORE,  /* leaves us; its origin (or the catalogue's constant default) is written */
        PLAN_RESTORED, /* leaves us; live is its origin already */
        PLAN_LEAVE,    /* leaves us or would be set, but somebody else changed it since: kept */
        PLAN_PENDING,  /* in the fragment only: the kernel has no such key yet */
        PLAN_GONE,     /* leaves us, and the kernel has no such key any more: nothing to do */
} PlanAction;

typedef struct PlanStep {
        const SysctlSpec *spec;
        PlanAction action;
        bool owned_before;
        bool owned_after;
        bool has_live;
        SysctlValue live; /* read when planning */
        bool has_previous;
        SysctlValue previous; /* what the current generation wants */
        SysctlValue target; /* SET, KEEP, RESTORE, RESTORED, PENDING; for LEAVE what it would have been */
        bool origin_known; /* of the key in the next generation, or of the leaving key */
        SysctlValue origin;
        const char *profile; /* who decides it afterwards; NULL when it leaves */
} PlanStep;

typedef enum PlanAdopt {
        PLAN_ADOPT_OWNER = 1 << 0,
        PLAN_ADOPT_FRAGMENT = 1 << 1,
        PLAN_ADOPT_DRIFT = 1 << 2,
} PlanAdopt;

/* The fragment's file as found. */
typedef struct PlanFragment {
        bool exists;
        Sha256 digest; /* of its bytes */
} PlanFragment;

typedef struct PlanInput {
        PlanVerb verb;
        unsigned adopt;            /* of PlanAdopt */
        const Generation *current; /* NULL: nothing of ours yet */
        uint64_t next_number;      /* of the generation that would be committed */
        const Generation *target;  /* PLAN_ROLLBACK: the generation to go to, NULL for the origin */
        /* ENABLE, DISABLE: all that shall be enabled afterwards, sorted by name */
        const Bundle *const *bundles;
        size_t n_bundles;
        const LiveSnapshot *live;    /* the keys of plan_keys_collect() */
        const MachineFacts *machine; /* NULL: not known, and no rule asks about it */
        PlanFragment fragment;
} PlanInput;

typedef struct Plan {
        Arena *arena;
        PlanVerb verb;
        uint64_t from;         /* generation numbers; 0 for none */
        const PlanStep *steps; /* in write order: the order in which values are written */
        size_t n_steps;
        Generation *next; /* owned; what would be committed. Its tx and created_us are not set yet */
        /* next says the same as current, fragment and live values are as wanted. A rollback onto equal content
         * with another parent is none: it moves one step back in the history, or the steps behind it could never
         * be reached. */
        bool is_noop;
        const char *fragment; /* the bytes that would be written; NULL: the file is removed */
        size_t fragment_length;
} Plan;

enum {
        PLAN_E_REFUSED = 1, /* the reasons are in the list; its exit code says of which kind */
};

/* Findings are added in any case: also a plan that is made can carry notes (skipped keys), and partial ones
 * (foreign-value-kept, key-pending) that lead to exit 7. */
NODISCARD int plan_build(const PlanInput *input, DiagList *findings, Plan **ret, Error *reterr);
Plan *plan_free(Plan *plan);
DEFINE_CLEANUP_PTR(Plan, plan_free)

/* How many steps write a value. */
size_t plan_count_writes(const Plan *plan);
bool plan_step_writes(const PlanStep *step);
const char *plan_action_name(PlanAction action); /* "set", "keep", "restore", … as in JSON */
