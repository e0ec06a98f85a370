/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How a request reaches the helper, the only writer:
 *
 *   --root=DIR                 a child of ours over a socket pair, with our own rights; files only
 *   systemd runs               the socket /run/twprofile/org.twprofile, and nothing else
 *   systemd does not run       root: a child of ours over a socket pair; others are refused
 *
 * A full socket is tried again for 20 s, then the answer is busy. A call that the helper never read was not
 * started (the kernel says ECONNRESET then, not end of file), so trying again is safe for every method. A
 * child that ends without an answer is followed by `twprofile-helper recover`, once; behind the socket the
 * unit does that.
 */

#include "cli/context.h"
#include "varlink/message.h"

#define TRANSPORT_SOCKET   "/run/twprofile/org.twprofile"
#define TRANSPORT_RETRY_MS 20000
/* Above the helper's own limit (RuntimeMaxSec=60s) and its wait for the lock. */
#define TRANSPORT_ANSWER_MS 100000

typedef enum TransportKind {
        TRANSPORT_KIND_SOCKET,
        TRANSPORT_KIND_DIRECT,
        TRANSPORT_KIND_ROOT,
} TransportKind;

/* Calls `method` (without the interface's name) and gives the last reply as a new reference. `parameters` is
 * stolen in every case. 0; > 0 the exit code of a finding that was added; < 0 with context->error set. */
NODISCARD int transport_call(
                Context *context, const char *method, json_t *parameters, json_t **ret);

/* The helper's file for a child of ours: TWPROFILE_HELPER, beside a program that is not installed, or the
 * installed one. Lives in the context's arena; NULL when out of memory. */
const char *transport_helper_path(const Context *context);

/* Whether systemd is PID 1 here. */
bool transport_systemd_runs(void);
/* Inode of our network namespace, 0 when /proc does not tell. */
uint64_t transport_netns_inode(void);
