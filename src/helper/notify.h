/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a unit of Type=notify tells its service manager (sd_notify(3), whose protocol is a datagram with the text): that
 * it is ready, and that it still lives.
 *
 *         Notify notify;
 *         notify_take(&notify);                       before the environment is cleared
 *         notify_send(&notify, "READY=1");
 *
 * Not libsystemd: the guard must not depend on a library that is loaded at run time.
 */

#include "base/macro.h"

typedef struct Notify {
        char socket[108];    /* NOTIFY_SOCKET; "" where nobody listens */
        int64_t watchdog_ms; /* WatchdogSec=; 0: no ping is expected */
} Notify;

/* From the environment. What is strange counts as not given. */
void notify_take(Notify *ret);

/* 0, also where nobody listens; <0. */
NODISCARD int notify_send(const Notify *notify, const char *state);
