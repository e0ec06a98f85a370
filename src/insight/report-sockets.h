/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The section of a report about the sockets of the latest sample: states, destinations with their use of the ports,
 * listening ports, who leaves sockets in CLOSE_WAIT, buckets and memory. Pure.
 */

#include "insight/report-html.h"
#include "insight/report.h"

#define REPORT_TOP 20U /* rows of a table: the largest */

void report_add_sockets(Html *html, const Report *report);
