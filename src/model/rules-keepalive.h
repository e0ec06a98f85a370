/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The safety rules about finding peers that are gone. */

#include "model/rule.h"

extern const RuleTable rules_keepalive;
