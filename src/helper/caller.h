/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is at the other end of the connection, as the kernel tells it.
 *
 *         caller_identify(fd, &caller, &error);     once per connection
 *         caller_is_alive(&caller)                  before every call that changes something
 *         caller_deinit(&caller);
 *
 * The identity is that of the process that connected (a socket that it passes on keeps it). uid, gid and pid
 * come with the connection and are true whatever happens. All else is read from /proc/PID, and the number could
 * belong to another process by now; so the order is: pidfd, read, then ask the pidfd whether the process still
 * lives. Only then what was read is its own. A caller that is gone is *denied*, with PEERCRED alone on record.
 *
 *   Linux 6.5 and newer   SO_PEERPIDFD gives the pidfd of the process that connected: `pidfd_verified`
 *   before                pidfd_open() of the number; the process must not have started after this one did, and
 *                         its start time must be the same before and after: recorded as not verified
 *
 * No capability is needed for any of it.
 */

#include "base/error.h"
#include "record/audit-format.h"

typedef enum CallerState {
        CALLER_KNOWN,    /* `audit` holds everything that could be read */
        CALLER_GONE,     /* it had ended before it could be looked at: PEERCRED only */
        CALLER_INVISIBLE /* it lives in a process namespace that is not ours: PEERCRED only, no pid */
} CallerState;

typedef struct Caller {
        CallerState state;
        AuditCaller audit;
        int pidfd; /* FD_EMPTY unless CALLER_KNOWN */
} Caller;

/* 0; <0 when `fd` is no connected Unix socket, or the system refuses what it must give. */
NODISCARD int caller_identify(int fd, Caller *ret, Error *reterr);
void caller_deinit(Caller *caller);

/* Whether the process that connected still lives. A process that ended, even a moment ago, is nobody we act
 * for: its login session may be over, its number may be another's. */
bool caller_is_alive(const Caller *caller);

/* Which of the two ways to the pidfd is taken; for the test of the older one. */
typedef enum CallerMethod {
        CALLER_BY_PEERPIDFD, /* falls back by itself where the kernel lacks it */
        CALLER_BY_PID,
} CallerMethod;

NODISCARD int caller_identify_by(int fd, CallerMethod method, Caller *ret, Error *reterr);
