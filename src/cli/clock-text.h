/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Times for people: local time, to the second, with the offset from UTC.
 */

#include "base/strbuf.h"

/* `us`: CLOCK_REALTIME, microseconds since the epoch. What no calendar has shows as "?". */
void clock_text_add(int64_t us, StrBuf *out);
/* The same for an audit record's "2026-11-20T12:00:00.000000Z"; a text of another shape is added escaped. */
void clock_text_add_utc(const char *text, StrBuf *out);
