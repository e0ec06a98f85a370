/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One call that changes something, from its parameters to its answer: what contradicts itself is refused, the health
 * gate is sampled where it is asked for, and the engine does the rest.
 */

#include <jansson.h>

#include "helper/parameters.h"
#include "helper/service.h"

/* A new reference in *ret. <0: the engine could not tell what it did, or memory ran out. */
NODISCARD int request_answer(
                Service *service, EngineVerb verb, const Parameters *p, json_t **ret,
                Error *reterr);
