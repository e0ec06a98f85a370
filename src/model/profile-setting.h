/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads the mapping `sysctl:` into the profile's settings. Internal to the checker.
 */

#include "model/profile-check.h"

void settings_read(ProfileCheck *check, const YamlNode *node);
