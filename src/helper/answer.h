/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Answers of the interface: which reply or error a result becomes. All functions give a whole message as a new
 * reference, NULL when out of memory.
 *
 *   exit code   answer
 *   0, 7        the result
 *   3           Invalid
 *   4           Busy where another change is in the way, else Refused
 *   5           NotFound
 *   2, 6, 8     Failed with state "old", "undone", "unknown"
 */

#include <jansson.h>

#include "engine/engine.h"

json_t *answer_result(const EngineResult *result);

/* A refusal of the helper itself, before the engine was asked: the first error in the list decides. */
json_t *answer_refused(const DiagList *findings);

/* From recovery, for a caller whose helper died: what became of its change. `result` is that of recovery, NULL
 * when recovery itself failed; `why` is a clause ("killed by signal KILL"). */
json_t *answer_lost(const EngineResult *result, const char *why);

json_t *answer_progress(const char *step, size_t done, size_t total, const char *text);

/* The errors of org.varlink.service. */
json_t *answer_interface_not_found(const char *interface);
json_t *answer_method_not_found(const char *method);
json_t *answer_method_not_implemented(const char *method);
json_t *answer_invalid_parameter(const char *parameter);
