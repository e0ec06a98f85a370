/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The section of a report about what a lab found: before and after, side by side, with their curves. Pure.
 */

#include "insight/report-html.h"
#include "insight/report.h"

void report_add_lab(Html *html, const Report *report);
