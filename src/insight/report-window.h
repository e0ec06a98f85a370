/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The sections of a report about time: TIME_WAITs over the sampled window and over the day that sysstat has archived, with
 * the changes by twprofile marked in both; what the kernel's counters did in the window; the list of the changes. Pure.
 */

#include "insight/report-html.h"
#include "insight/report.h"

void report_add_window(Html *html, const Report *report);
void report_add_archive(Html *html, const Report *report);
void report_add_changes(Html *html, const Report *report);
