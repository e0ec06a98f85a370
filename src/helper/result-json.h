/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The engine's result in the shape of the interface (type Result of org.twprofile.varlink). The command line
 * reads this shape; only the helper writes it.
 *
 * Text that is not UTF-8 (a kernel may say anything) has its foreign bytes replaced, so that encoding never
 * fails for content. NULL means out of memory.
 */

#include <jansson.h>

#include "engine/engine.h"

/* A new reference. */
json_t *result_json_encode(const EngineResult *result);

/* A new reference to the string, or to null for NULL. */
json_t *result_json_text(const char *text);

/* A new reference to the number, or to null for 0, which is none. */
json_t *result_json_deadline(int64_t deadline_ms);
