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

/* What people write, in local time: "2026-11-20", "2026-11-20 12:00", with seconds, with a T for the blank; with a Z
 * behind it in UTC; "today" and "yesterday", when they began; "-2h", so long before `now`. 0 or -EINVAL. Seconds since
 * the epoch. */
NODISCARD int clock_text_parse(const char *text, int64_t now, int64_t *ret);
