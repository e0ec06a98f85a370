/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /run/twprofile/status.json, the public view: what `status` and `plan` need without privilege. It holds the
 * current generation whole (profile texts included; they are world-readable files anyway), the place it is
 * valid for, the last outcome, the change that awaits confirmation, what is quarantined. Never tokens, reasons or callers.
 */

#include "base/error.h"
#include "base/strbuf.h"
#include "model/generation.h"
#include "record/quarantine-format.h"

#define STATUS_FORMAT_VERSION 1

typedef struct Status {
        Instance instance;
        const Generation *generation; /* NULL: nothing of ours yet */
        Generation *owned_generation; /* set by the decoder, same object; freed by status_deinit() */
        uint64_t highest_generation;  /* numbers handed out so far */
        const char *last_outcome;     /* of the last transaction, or NULL */
        const char *last_tx;
        int64_t last_time_us;
        const char *undecided_tx;      /* a change that is not decided, or NULL */
        int64_t undecided_deadline_ms; /* CLOCK_BOOTTIME; 0 none */
        const Quarantine *quarantined; /* profiles that were taken back by themselves */
        size_t n_quarantined;
        bool attention; /* state mixed or unknown: `twprofile recover` */
} Status;

/* 0, or what generation_to_json() gives: -ENOMEM, -EINVAL. */
NODISCARD int status_encode(const Status *status, StrBuf *out);
/* Strings live in the arena. 0; -EBADMSG; -ENOMEM. */
NODISCARD int status_decode(const char *bytes, size_t n, Arena *arena, Status *ret, Error *reterr);
void status_deinit(Status *status);
