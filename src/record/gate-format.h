/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The baseline of the health gate as JSON text: what the helper sampled before a change and the guard judges by. It
 * travels in the request to the engine and in /run/twprofile/pending, so it ends with the change.
 *
 *         {"counters":{"Tcp.OutRsts":{"mean":0,"peak":2000},…},"intervals":10,"span_ms":5003,"v":1}
 *
 * Only what was known is in it. A name that this program does not have is refused: it could not be judged.
 */

#include "base/error.h"
#include "base/strbuf.h"
#include "model/gate.h"

#define GATE_FORMAT_VERSION   1
#define GATE_FORMAT_MAX_BYTES ((size_t) 16 * 1024)

/* Appends. 0 or -ENOMEM. */
NODISCARD int gate_baseline_encode(const GateBaseline *baseline, StrBuf *out);
/* 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int gate_baseline_decode(const char *bytes, size_t n, GateBaseline *ret, Error *reterr);
