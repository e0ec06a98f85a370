/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A snapshot of the TCP sockets for people (insight/snapshot.h).
 */

#include "cli/context.h"
#include "insight/rates.h"

/* Appends all of it to context->text; `rates` may be NULL. 0 or <0. */
NODISCARD int observe_render(
                Context *context, const Snapshot *snapshot, const SnapshotRates *rates);

/* The destinations alone, at most `top` of them (0: all). 0 or <0. */
NODISCARD int observe_add_tuples(
                const Context *context, const Snapshot *snapshot, uint64_t top, StrBuf *out,
                Error *reterr);

/* "12.5", from thousandths; without decimals from 100 on. */
void observe_add_thousandths(uint64_t thousandths, StrBuf *out);
