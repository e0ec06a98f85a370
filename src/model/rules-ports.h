/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about ephemeral ports and ports kept from them. */

#include "model/rule.h"

extern const RuleTable rules_ports;
