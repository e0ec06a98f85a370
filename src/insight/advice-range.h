/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about the port range and the reserved ports: PORT-11 to PORT-15.
 */

#include "insight/advice.h"

extern const AdviceRules advice_range_rules;
