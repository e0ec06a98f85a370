/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a request did or would do, key by key: the Result of org.twprofile.varlink. It comes from the helper's
 * answer, or from a Plan that was made here; both are printed by the same code, so `plan` and `--dry-run`
 * cannot look different.
 *
 * Everything borrowed lives in the arena that was given, or in the plan.
 */

#include "base/arena.h"
#include "cli/context.h"
#include "model/plan.h"

typedef struct Change {
        const char *key;
        const char *profile; /* NULL: no profile asks for it afterwards */
        const char *origin;  /* values in the kernel's spelling; NULL unknown or absent */
        const char *before;
        const char *wanted;
        const char *after;
        const char *outcome; /* "planned", "set", "kept", "restored", "left", … (why_words in outcome.c) */
        const char *note;
} Change;

typedef struct Outcome {
        const char *transaction; /* "" for none */
        uint64_t generation_before;
        uint64_t generation;
        bool changed;
        const char *outcome; /* "applied", "unchanged", "planned", "partly", "recovered", "pending", "reverted",
                                "released" */
        int exit_code;
        const char *token;    /* of a change that awaits confirmation, NULL otherwise */
        int64_t deadline_ms;  /* of it, CLOCK_BOOTTIME; 0 for none */
        const char *fragment; /* NULL: no file */
        const Change *changes;
        size_t n_changes;
} Outcome;

/* Checks the shape: 0, -EBADMSG with a sentence, -ENOMEM. The findings go to the list. */
NODISCARD int outcome_decode(
                json_t *result, Arena *arena, DiagList *findings, Outcome *ret, Error *reterr);
/* 0 or -ENOMEM. */
NODISCARD int outcome_from_plan(const Plan *plan, Arena *arena, Outcome *ret);

/* The `result` of the envelope; NULL when out of memory. */
json_t *outcome_to_json(const Outcome *outcome);

/* Whether anything would be written, to the kernel or to a file. */
bool outcome_is_noop(const Outcome *outcome);

/* As text: what would be done, with the fragment; what was done, with the way back. 0 or <0. */
NODISCARD int outcome_render_planned(const Outcome *outcome, Context *context);
NODISCARD int outcome_render_done(const Outcome *outcome, Context *context);

/* The table of changes with what is right already in one line each; `done`: before and after, else now and wanted. */
NODISCARD int outcome_add_table(const Outcome *outcome, bool done, Context *context);

/* Blanks for tabs: the kernel separates numbers by tabs. NULL stays NULL. */
const char *outcome_value_for_people(const char *value, Arena *arena);
