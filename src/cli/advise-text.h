/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Advice for people (insight/advice.h), in lines of the terminal's width.
 */

#include "cli/context.h"
#include "insight/advice.h"

/* Appends the findings, or that all is normal and why. */
void advise_add_findings(const Context *context, const Advice *advice, StrBuf *out);
/* Appends which rules could not be judged, those of one reason in one entry. Nothing when all were. */
void advise_add_skipped(const Context *context, const Advice *advice, StrBuf *out);
