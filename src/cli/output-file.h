/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A file that a user names to be written: it is there whole or not at all, or as it was before. What is no regular file (a
 * pipe, /dev/stdout) is written to as it is; behind a link, the file that it leads to.
 */

#include <sys/types.h>

#include "base/error.h"

#define OUTPUT_FILE_SHARED  ((mode_t) 0666) /* less what umask(2) takes */
#define OUTPUT_FILE_PRIVATE ((mode_t) 0600)

/* 0 or <0. */
NODISCARD int output_file_write(
                const char *path, const void *bytes, size_t n, mode_t mode, Error *reterr);
