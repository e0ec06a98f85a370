/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The shipped profile that would help, and what enabling it would change here: what `twprofile plan PROFILE` shows, in short.
 * A plan that cannot be made says why; that is no failure of advice.
 */

#include "cli/context.h"

/* 0, -ENOMEM. */
NODISCARD int advise_plan_add(const Context *context, const char *profile, StrBuf *out);
/* Without a plan: the samples are of another host, or of another time. 0. */
NODISCARD int advise_plan_mention(const Context *context, const char *profile, StrBuf *out);
