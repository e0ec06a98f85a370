/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about TIME_WAIT on the accepting side, SRV-1 to SRV-4. It is harmless there: a port that something listens on
 * does not run out, and a new SYN takes the place of a TIME_WAIT at once (net/ipv4/tcp_minisocks.c,
 * tcp_timewait_state_process()).
 */

#include "insight/advice.h"

extern const AdviceRules advice_server_rules;
