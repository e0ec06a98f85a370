/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The section of a report with what advice found (insight/advice.h): what is wrong, by which numbers, what helps in its order,
 * and the command to run next; or that all is normal. What could not be judged is listed. Pure.
 */

#include "insight/report-html.h"
#include "insight/report.h"

void report_add_advice(Html *html, const Report *report);
