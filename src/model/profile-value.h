/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads the value of a setting as the type of its key wants it, and checks it by the catalogue. Internal to
 * the checker.
 *
 * Integers are plain decimals; where the catalogue's unit is a duration, also 500ms, 60s, 20min, 2h and 1d,
 * where it is bytes, also 64KiB, 16MiB and 1GiB, each converted to the unit of the kernel and refused when that
 * is not whole. Pages take no unit, because a page has not the same size everywhere. Vectors are sequences,
 * sets of ports are sequences of ports and "first-last".
 */

#include "model/profile-check.h"

bool value_read(ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *ret);

/* As above for at-least and at-most: refused where the key has no more and less. */
bool value_read_bound(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *ret);
