/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two machines behind one address: what a server that closed first does when a client comes back from the same address and
 * port with another clock of timestamps.
 *
 * No NAT is needed for it, only what the server sees of one: one namespace is both machines in turn. With tcp_timestamps=1
 * the kernel adds an offset to the clock, with 2 none (secure_tcp_ts_off() in net/core/secure_seq.c), so switching from
 * one to the other is a step of the clock, forward or backward. Both orders are run, on ports of their own. Where the
 * offset is one for an address pair, the second machine's timestamps are older in exactly one order; where the ports count as
 * well (measured on 6.18.44), for about half of the ports. PAWS judges those SYNs.
 *
 * tally: opened counts the second machine's attempts in both orders, connections those that were served; exchange is
 * from connect() to the answer; ETIMEDOUT in failures: not served in LAB_NAT_PATIENCE_MS.
 */

#include "base/error.h"
#include "insight/lab-load.h"

#define LAB_NAT_CLIENTS     20U /* ports in each order */
#define LAB_NAT_PATIENCE_MS 3000U

/* In the client's namespace, whose tcp_timestamps it changes. */
NODISCARD int lab_nat_run(LabTally *tally, Error *reterr);
