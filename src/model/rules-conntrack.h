/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about connection tracking, its table and its timeouts, and about IPVS. */

#include "model/rule.h"

extern const RuleTable rules_conntrack;
