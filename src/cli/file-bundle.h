/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A profile from a file of anybody, with what it includes, for judging it: an editor's buffer, a repository. Owner
 * and mode do not matter, because nothing follows from what is read.
 *
 * An included profile is looked for beside the file, so that a repository is judged by its own texts, and then among
 * the installed ones. Where it is in neither place the file is judged without it, and the warning
 * `include-not-judged` says so: a profile is not wrong because this machine lacks another one. (Enabling it where
 * the other one is missing is refused.)
 */

#include "cli/host.h"

enum {
        FILE_BUNDLE_E_REFUSED = 1, /* the reasons are in the context's findings */
};

/* A word with a slash, ending in .yaml, or "-" is a file; anything else is a profile's name. */
bool file_bundle_is_file(const char *word);

/* `path` may be "-" for standard input. `host` may be HOST_EMPTY: it is opened when an installed profile is needed.
 * 0; FILE_BUNDLE_E_REFUSED; <0. Release by local_plan_release_bundle(). */
NODISCARD int file_bundle_load(
                Context *context, Host *host, const char *path, Bundle **ret, Error *reterr);
