/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about how long a closed socket waits for the FIN of its peer. */

#include "model/rule.h"

extern const RuleTable rules_fin_wait;
