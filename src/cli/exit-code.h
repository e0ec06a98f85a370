/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the program ends with: one enum, one table with the words that help, manual page and JSON show. The
 * numbers are a promise: scripts, Ansible and Salt decide by them. They are the same for every verb.
 */

#include "base/macro.h"

typedef enum ExitCode {
        EXIT_OK = 0,
        EXIT_DIFFERS = 1,
        EXIT_FAILED = 2,
        EXIT_INVALID = 3,
        EXIT_REFUSED = 4,
        EXIT_NOT_FOUND = 5,
        EXIT_UNDONE = 6,
        EXIT_PARTLY = 7,
        EXIT_ATTENTION = 8,
        EXIT_USAGE = 64,
} ExitCode;

typedef struct ExitCodeRow {
        ExitCode code;
        const char *name;    /* kebab-case */
        const char *meaning; /* one line, below 70 columns */
} ExitCodeRow;

size_t exit_code_count(void);
/* By number. */
const ExitCodeRow *exit_code_get(size_t i);
/* NULL for a number that is none of ours. */
const ExitCodeRow *exit_code_find(int code);
