/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about TIME_WAIT, FIN_WAIT2 and the reuse of their ports. */

#include "model/rule.h"

extern const RuleTable rules_time_wait;
