/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the guard has to watch: the change that awaits confirmation and has a deadline. Told by /run/twprofile/pending;
 * where somebody removed that, by the public view, as long as it says that the change is not decided.
 */

#include "base/error.h"
#include "record/pending-format.h"
#include "system/seam.h"

typedef struct GuardTarget {
        char tx[TX_ID_SIZE]; /* "" for nothing */
        int64_t deadline_ms; /* CLOCK_BOOTTIME */
        char *gate;          /* the baseline of the health gate as JSON text, or NULL; owned */
} GuardTarget;

void guard_target_deinit(GuardTarget *target);

static inline bool guard_target_is_empty(const GuardTarget *target) {
        return target->tx[0] == '\0';
}

/* `ret` is empty before. 0, also for nothing; -EBADMSG when the file cannot be understood or is not root's; <0. */
NODISCARD int guard_target_read(
                const Seam *seam, int root_fd, const Instance *here, GuardTarget *ret,
                Error *reterr);
