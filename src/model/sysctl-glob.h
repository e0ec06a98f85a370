/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Patterns as keys of sysctl.d files: both tools hand them to glob(3) below /proc/sys, so that `*`, `?` and brackets match
 * inside one part of a path, a backslash takes the next character as it is, and a dot at the start of a part is matched
 * by a dot only.
 *
 * Patterns are other people's: the time is bounded by the product of the two lengths, which that of fnmatch(3) is not.
 * What a bracket means is the C library's business and asked from fnmatch(3), one bracket and one character at a time.
 * Nothing here fails.
 */

#include "base/macro.h"

/* Both tools call a key a pattern when it has one of these, closed or not. */
static inline bool sysctl_glob_is_pattern(const char *key) {
        return strpbrk(key, "*?[");
}

/* Both as paths below /proc/sys, without needless slashes. */
bool sysctl_glob_match(const char *pattern, const char *path);
