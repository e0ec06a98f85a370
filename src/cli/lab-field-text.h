/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The field's claims for people: each with what is said, what this kernel did, side by side, and the verdict; and all of them in
 * one table at the end.
 */

#include "cli/context.h"
#include "insight/field-report.h"

/* Appends to context->text. 0 or <0 with context->error set. */
NODISCARD int lab_field_text_render(const FieldReport *report, Context *context);
