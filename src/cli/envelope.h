/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The end of every run: one JSON document on standard output with --json, else the result as text on standard
 * output and the findings on standard error. The document is that of schema/result-1.schema.json:
 *
 *         {schema_version, command, ok, exit_code, changed, result, findings, error}
 *
 * ok is true for exit codes 0 and 1; error is set exactly when ok is false, and is the finding that decided.
 */

#include "cli/context.h"

#define ENVELOPE_SCHEMA_VERSION 1

/* A new reference, or NULL when out of memory. The context keeps its result. */
json_t *envelope_build(const Context *context, int exit_code);

/* The findings as text. Where the verb asks for brief notes, those that a plan shows as well are only counted. */
void envelope_render_findings(const Context *context, int exit_code, StrBuf *out);

/* Prints everything; returns the exit code to end with, which is EXIT_FAILED when standard output could not be
 * written. */
int envelope_print(const Context *context, int exit_code);

/* The document of last resort, when memory ran out: a constant. */
int envelope_print_out_of_memory(bool json);
