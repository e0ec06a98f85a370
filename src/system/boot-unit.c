/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/boot-unit.h"

#include <fcntl.h>

static bool exists(const Seam *seam, int root_fd, const char *path) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        return seam_open(seam, root_fd, path, O_PATH | O_NOFOLLOW, 0, &fd) >= 0;
}

static bool is_mask(const Seam *seam, int root_fd, const char *path) {
        static const char null[] = "/dev/null";
        char target[sizeof(null)];
        int n = seam->ops->readlink_at(seam, root_fd, path, target, sizeof(target));
        return n == (int) strlen(null) && memcmp(target, null, strlen(null)) == 0;
}

BootUnitState boot_unit_find(const Seam *seam, int root_fd, bool files_only) {
        static const char *const links[] = {
                "etc/systemd/system/sysinit.target.wants/" BOOT_UNIT,
                "run/systemd/system/sysinit.target.wants/" BOOT_UNIT,
                "usr/lib/systemd/system/sysinit.target.wants/" BOOT_UNIT,
        };
        if (!exists(seam, root_fd, files_only ? "usr/lib/systemd/system" : "run/systemd/system"))
                return BOOT_UNIT_NO_SYSTEMD;
        if (is_mask(seam, root_fd, "etc/systemd/system/" BOOT_UNIT) ||
            is_mask(seam, root_fd, "run/systemd/system/" BOOT_UNIT))
                return BOOT_UNIT_MASKED;
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (exists(seam, root_fd, links[i]))
                        return BOOT_UNIT_ENABLED;
        return BOOT_UNIT_DISABLED;
}

const char *boot_unit_state_name(BootUnitState state) {
        static const char *const names[] = {
                [BOOT_UNIT_ENABLED] = "enabled",
                [BOOT_UNIT_DISABLED] = "disabled",
                [BOOT_UNIT_MASKED] = "masked",
                [BOOT_UNIT_NO_SYSTEMD] = "no-systemd",
        };
        return names[state];
}
