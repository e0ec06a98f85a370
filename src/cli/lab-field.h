/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * `lab --field`: what circulates, tried claim by claim. Everything begins with the kernel's defaults, not with this host's
 * settings: what is without a setting must not have it.
 */

#include "cli/context.h"

#define LAB_FIELD_SECONDS 2U /* of a load that has no duration of its own */

/* The words are the context's arguments. An exit code, or <0 with context->error set. */
NODISCARD int lab_field_run(Context *context);
