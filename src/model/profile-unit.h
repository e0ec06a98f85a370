/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Integers with a unit, "20min" or "64KiB". Internal to the checker.
 */

#include "model/profile-check.h"

/* Whether the text starts like a number and goes on with letters, such as "20min", "5 s" or "1e". */
bool unit_is_written(const char *text);

/* Reads a number with a unit for the key and converts it to the kernel's unit. Adds bad-unit, bad-number or
 * out-of-range when it cannot. */
bool unit_read(ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node, int64_t *ret);
