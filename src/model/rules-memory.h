/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about the memory of TCP: of all sockets (tcp_mem), of each, and of orphans. */

#include "model/rule.h"

extern const RuleTable rules_memory;
