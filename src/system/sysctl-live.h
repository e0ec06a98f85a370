/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Live values, one kernel file at a time. A LiveFile is a key's file held open, so that a series of reads and
 * writes means the same object; a snapshot reads many keys and closes each.
 *
 * Kernel rules that matter here (measured, timewait.md part 4): one write at offset 0 or it means something else; an
 * empty write succeeds and changes nothing, so a value always goes out with its newline; a short write has set a
 * part.
 */

#include "model/live.h"
#include "system/seam-io.h"

typedef struct LiveFile {
        SeamFd fd;
        const SysctlSpec *spec;
} LiveFile;

void live_file_close(LiveFile *file);

/* flags: O_RDONLY or O_RDWR. <0: -ENOENT when the kernel has no such key. */
NODISCARD int live_file_open(
                const Seam *seam, int root_fd, const SysctlSpec *spec, int flags, LiveFile *ret);
/* Reads text and value. 0; -EBADMSG when it is not of the catalogue's type (then *ret_text is set). */
NODISCARD int live_file_read(
                const LiveFile *file, Arena *arena, SysctlValue *ret, const char **ret_text);
NODISCARD int live_file_write(const LiveFile *file, const SysctlValue *value, Arena *arena);

/* Reads every key. Only out of memory is an error: what could not be read is a state in its row. `specs` must be
 * sorted by key and without duplicates. kernel and initial_netns are the caller's to fill. */
NODISCARD int sysctl_live_read(
                const SeamFd *root, const SysctlSpec *const *specs, size_t n_specs, Arena *arena,
                LiveSnapshot *ret, Error *reterr);
