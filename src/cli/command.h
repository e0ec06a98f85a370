/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A verb. Each stands in a file of its own that exports one constant; verbs.c lists the pointers, and main.c
 * does counts, help and suggestions from the rows. To add a verb: write the file, add it to the list.
 *
 *         const Command cmd_enable = { .name = "enable", .args = "PROFILE…", … .run = enable_run };
 *
 * run() returns the exit code, or < 0 with context->error set, which main turns into a finding and its exit
 * code. It prints nothing itself: text goes to context->text or a JSON result to context->result, what is
 * wrong goes to context->findings.
 */

#include "cli/context.h"

#define ARGS_ANY SIZE_MAX

typedef enum CommandGroup {
        COMMAND_GROUP_PROFILES,
        COMMAND_GROUP_CHANGE,
        COMMAND_GROUP_WATCH,
        COMMAND_GROUP_TRY,
} CommandGroup;

typedef enum CommandFlags {
        /* the first argument ends the options: a command of its own follows */
        COMMAND_ARGS_ARE_COMMAND = 1 << 0,
        /* notes that a plan shows as well are only counted, except with --dry-run */
        COMMAND_BRIEF_NOTES = 1 << 1,
} CommandFlags;

struct Command {
        const char *name;
        const char *args; /* as in the synopsis, "" for none */
        const char *help; /* one line, at most 52 columns, no full stop */
        const char *more; /* what else a reader of --help wants to know, filled by hand to 78 columns; or NULL */
        CommandGroup group;
        size_t min_args, max_args;
        unsigned flags;   /* of CommandFlags */
        unsigned options; /* OPT_ bits beside OPT_COMMON */
        int (*run)(Context *context);
        /* What is left to show after everything was printed; gives the exit code to end with. NULL: nothing. */
        int (*linger)(const Context *context, int exit_code);
};

size_t command_count(void);
const Command *command_get(size_t i);
/* NULL when unknown. A name may be two words with a blank between, "audit verify". */
const Command *command_find(const char *name);
/* Whether the word is the first of such names; ret_rest, unless NULL, gets the others: "export, verify". */
bool command_is_family(const char *word, StrBuf *ret_rest);
/* The verb that looks most like `name`, or NULL. */
const Command *command_find_nearest(const char *name);
const char *command_group_title(CommandGroup group);
