/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether systemd will start twprofile-boot.service at boot, as far as files tell: the link of sysinit.target, and masks
 * (systemd.unit(5)). Anybody may look; whether its conditions hold is not asked.
 */

#include "system/seam-io.h"

#define BOOT_UNIT "twprofile-boot.service"

typedef enum BootUnitState {
        BOOT_UNIT_ENABLED,
        BOOT_UNIT_DISABLED,
        BOOT_UNIT_MASKED,
        BOOT_UNIT_NO_SYSTEMD, /* it does not run here, or is not in the image */
} BootUnitState;

/* files_only: an image below the root, in which nothing runs. Doubt counts as not enabled. */
BootUnitState boot_unit_find(const Seam *seam, int root_fd, bool files_only);
/* "enabled", "disabled", "masked", "no-systemd" */
const char *boot_unit_state_name(BootUnitState state);
