/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about where a setting acts: network namespaces and the time of listen() (NS-1 to NS-4), and about keys that vendors
 * added (VEN-1 to VEN-3).
 */

#include "insight/advice.h"

extern const AdviceRules advice_scope_rules;
