/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /run/twprofile/pending (record/pending-format.h): written whole or not at all, without a flush, because it ends with
 * the boot as the live values do.
 */

#include "record/pending-format.h"
#include "system/seam-io.h"

NODISCARD int pending_file_write(
                const Seam *seam, int root_fd, const Pending *pending, Error *reterr);
/* -ENOENT when there is none; -EBADMSG when it cannot be understood. */
NODISCARD int pending_file_read(
                const Seam *seam, int root_fd, Arena *arena, Pending *ret, Error *reterr);
bool pending_file_exists(const Seam *seam, int root_fd);
/* A file that is not there is removed. Failing is harmless: whoever finds a file of a decided change removes it. */
void pending_file_remove(const Seam *seam, int root_fd);
