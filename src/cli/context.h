/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a verb works with and leaves behind: options and arguments in, text or JSON and findings out. main.c
 * makes it, calls the verb, prints it (cli/envelope.h).
 *
 * Everything that is wrong becomes a finding with a row of the registry, whose exit code decides; a verb that
 * fails returns what context_fail() returned.
 */

#include "cli/exit-code.h"
#include "cli/option.h"
#include "cli/terminal.h"
#include "base/arena.h"
#include "base/error.h"
#include "diag/json.h"

typedef struct Command Command;

typedef struct Context {
        const char *program;    /* for messages: "twprofile" */
        const Command *command; /* NULL until the verb is known */
        Options options;
        const char *const *args; /* the words behind the verb that are no options */
        size_t n_args;
        Terminal out, err; /* standard output and standard error */
        Arena *arena;      /* lives as long as the context */
        DiagList *findings;
        StrBuf text;          /* the result for people; empty with --json */
        json_t *result;       /* the result for programs; NULL without --json */
        bool bounds_are_told; /* the text has what the bound-satisfied notes say, in one line */
        bool changed;
        const char *awaiting_tx; /* this run made a change that awaits confirmation; NULL: none */
        int64_t awaiting_deadline_ms; /* of it, CLOCK_BOOTTIME; 0: no deadline */
        Error error;                  /* set when run() returned < 0 */
} Context;

/* 0 or -ENOMEM. */
NODISCARD int context_init(Context *context);
void context_deinit(Context *context);

static inline bool context_is_json(const Context *context) {
        return context->options.json != JSON_MODE_OFF;
}

/* What a verb has found and said so far counts no more: it begins again. 0 or -ENOMEM. */
NODISCARD int context_begin_again(Context *context);
/* Whether there is a finding of that row. */
bool context_has_finding(const Context *context, DiagId id);

/* Adds a finding without a place and returns the exit code of its row. `help` may be NULL. */
int context_fail(Context *context, DiagId id, const char *help, const char *format, ...)
                PRINTF_LIKE(4, 5);
/* The same for wrong usage, found by the verb: one line. Returns EXIT_USAGE. */
int context_fail_usage(Context *context, const char *format, ...) PRINTF_LIKE(2, 3);
/* The row for an errno that reached main: out of memory, no permission, other I/O. */
DiagId context_row_of_errno(int r);

/* The exit code that the findings lead to, for the end of a verb. */
static inline int context_finish(const Context *context) {
        return diag_list_exit_code(context->findings);
}

/* Sets the result, taking the reference over. -ENOMEM when it is NULL. */
NODISCARD int context_take_result(Context *context, json_t *result);
