/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about TCP timestamps and what rests on them. */

#include "model/rule.h"

extern const RuleTable rules_timestamps;
