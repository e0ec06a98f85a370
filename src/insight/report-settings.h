/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The section of a report about the settings that matter for TIME_WAIT: what is live, who set it, what the next boot leads
 * to. Pure.
 */

#include "insight/report-html.h"
#include "insight/report.h"

void report_add_settings(Html *html, const Report *report);
