/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about the limit of sockets in TIME_WAIT. */

#include "model/rule.h"

extern const RuleTable rules_buckets;
