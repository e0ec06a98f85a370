/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Help, from the tables of verbs, options and exit codes: as text for people, and as data for completions, the
 * manual page's test and others.
 */

#include "cli/command.h"

/* The text of --help: of one verb, or of the program when `command` is NULL. */
void help_render(const Command *command, StrBuf *out);
/* "twprofile enable PROFILE…" */
void help_render_synopsis(const Command *command, StrBuf *out);
/* The tables: {help, version, verbs, options, exit_codes}. New reference, or NULL when out of memory. */
json_t *help_to_json(const Command *command);

/* Names of the verbs that take the option, with commas. */
void help_render_owners(unsigned option, StrBuf *out);
