/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads `when:`, of a profile or of one setting. Internal to the checker.
 *
 * A version of two numbers stands for all its patch levels: "=5.10" and "<=5.10" hold on 5.10.257, ">5.10"
 * does not.
 */

#include "model/profile-check.h"

void when_read(ProfileCheck *check, const YamlNode *node, bool is_setting, When *ret);
