/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a lab found, for people: for each scenario a table with the sets of settings below each other, the curve of
 * TIME_WAIT, and sentences about what stands out.
 */

#include "cli/context.h"
#include "insight/lab-report.h"

/* Appends to context->text. 0 or <0 with context->error set. */
NODISCARD int lab_text_render(const LabReport *report, Context *context);

/* "870 ns", "12 us", "3.4 ms", "1.20 s": three figures at most. */
void lab_text_add_duration(uint64_t ns, StrBuf *out);
