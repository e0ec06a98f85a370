/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The safety rules about the queues that a new connection waits in: SYN queue and accept queue of a listener, the
 * input queue of a processor, the retransmissions of both handshake segments, and data that is taken before the
 * handshake is through (Fast Open).
 */

#include "model/rule.h"

extern const RuleTable rules_queues;
