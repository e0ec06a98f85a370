/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A directory that stands for "/" in a test: files made with their parents, looked at, and removed with everything
 * in it at the end. It is made below /dev/shm where that is there (flushes cost nothing), else below /tmp.
 *
 * What cannot be done ends the test program with a sentence: it is the test's own fault. Paths are relative to the
 * directory. Nothing here goes through a seam.
 */

#include "base/macro.h"
#include "base/fd.h"

#include <sys/types.h>

typedef struct Scratch {
        char path[64];
        int fd; /* of the directory, owned */
} Scratch;

void scratch_init(Scratch *scratch);
void scratch_deinit(Scratch *scratch);

void scratch_mkdir(const Scratch *scratch, const char *path); /* with parents, 0755 */
void scratch_write(const Scratch *scratch, const char *path, const char *text);
void scratch_write_bytes(const Scratch *scratch, const char *path, const void *bytes, size_t n);
void scratch_link(const Scratch *scratch, const char *path, const char *target); /* symbolic */
void scratch_chmod(const Scratch *scratch, const char *path, mode_t mode);
void scratch_remove(
                const Scratch *scratch,
                const char *path); /* a file, a link or a whole tree; missing is fine */

bool scratch_has(const Scratch *scratch, const char *path); /* follows no link */
off_t scratch_size(const Scratch *scratch, const char *path);
/* Whole, NUL behind it; NULL when it is missing. Freed by the caller. */
char *scratch_read(const Scratch *scratch, const char *path, size_t *ret_n);
/* How many names the directory has that start with `prefix`. A missing directory has none. */
size_t scratch_count(const Scratch *scratch, const char *path, const char *prefix);
