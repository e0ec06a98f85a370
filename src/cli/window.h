/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A change that awaits confirmation, for people: what is live, until when, what to do; the countdown on a terminal; and
 * what became of it.
 */

#include "cli/outcome.h"
#include "record/status-format.h"

/* Whether the outcome is one that this module tells of: pending, reverted, released. */
bool window_is_told(const Outcome *outcome);
NODISCARD int window_render(const Outcome *outcome, Context *context);

/* What the public view says about a change. */
typedef enum WindowState {
        WINDOW_OPEN,
        WINDOW_CONFIRMED,
        WINDOW_TAKEN_BACK,
        WINDOW_EXPIRED, /* taken back at its deadline */
        WINDOW_GATED,   /* taken back by the health gate */
        WINDOW_UNKNOWN, /* decided, and others came after it */
} WindowState;

WindowState window_judge(const Status *status, const char *tx);
/* What the health gate saw of that change, or NULL. */
const char *window_evidence(const Status *status, const char *tx);

/* Until the deadline, in seconds, from 0. */
uint64_t window_seconds_left(int64_t deadline_ms);

/* Shows the time left until the change of this run is decided; Ctrl-C ends the display and nothing else. Only where both
 * standard output and standard error are a terminal, without --quiet and --json. The exit code: what was given, or
 * "taken back by itself" when that happened meanwhile. */
int window_linger(const Context *context, int exit_code);
