/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about TCP timestamps (TS-1, TS-2) and about several machines behind one address, whose timestamps do not go
 * together (NAT-1 to NAT-4).
 */

#include "insight/advice.h"

extern const AdviceRules advice_stamp_rules;
