/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a report tells of the host beside samples: who sets which setting, what twprofile changed, what sysstat archived.
 * Everything lives in the context's arena. What cannot be known is said in the report, in the member for it; <0 is for what
 * ends the run, with context->error set.
 */

#include "cli/host.h"
#include "insight/report.h"

/* The settings of report->sample, and who sets them; with `knows_host` false only what the sample tells of that. */
NODISCARD int report_host_add_settings(
                Context *context, const Host *host, bool knows_host, Report *report);

/* The changes from `first_us` to `last_us`, CLOCK_REALTIME. */
NODISCARD int report_host_add_changes(
                Context *context, const Host *host, int64_t first_us, int64_t last_us,
                Report *report);
