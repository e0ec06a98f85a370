/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about the ports of outgoing connections: PORT-1 to PORT-10 and PORT-16 judge tuples, PORT-11 to PORT-15 the port
 * range itself (insight/advice-range.h).
 *
 * tcp_tw_reuse is recommended only where the key exists, timestamps are on, and no program holds ports by bind(); with what
 * stands between the hosts told each time.
 */

#include "insight/advice.h"

extern const AdviceRules advice_port_rules;
