/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A change, asked of the helper: what enable, disable, rollback and recover have in common. Adds the options
 * that all of them take, calls, understands the answer or the error, and leaves text or JSON in the context.
 */

#include "cli/context.h"

/* `parameters` holds what is special to the method and is stolen; NULL counts as out of memory. Returns the exit
 * code, or < 0 with context->error set. */
int request_run(Context *context, const char *method, json_t *parameters);

/* Wrong usage that a verb can see before anything is read: the exit code, or 0. */
int request_check_options(Context *context);

/* The verb's arguments as a JSON array of strings. NULL when out of memory. */
json_t *request_args_to_json(const Context *context);

/* What an error reply says, as findings; the exit code to end with. */
int request_decode_error(Context *context, const char *name, json_t *parameters);
