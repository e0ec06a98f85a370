/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about how often TCP repeats itself before it gives up. */

#include "model/rule.h"

extern const RuleTable rules_retries;
