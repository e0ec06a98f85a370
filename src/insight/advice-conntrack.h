/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about connection tracking (CT-1 to CT-5) and IPVS (IPVS-1, IPVS-2). Where their modules are not loaded the keys do
 * not exist, and the rules are about nothing.
 */

#include "insight/advice.h"

extern const AdviceRules advice_conntrack_rules;
