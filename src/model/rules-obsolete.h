/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The safety rules about settings that recipes copy from each other: what does nothing any more, what is not there, what
 * switches off a part of TCP that is needed today. Keys that the kernel removed or that never do anything are not
 * settable at all (schema/sysctls.yaml), so no rule is about them.
 */

#include "model/rule.h"

extern const RuleTable rules_obsolete;
