/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* conf-list FILE: what our own parser reads from a sysctl.d file, one "PATH<tab>VALUE" a line, in the order of
 * the file. Compared with what systemd-sysctl and procps would set. */

#include <fcntl.h>
#include <stdio.h>

#include "model/sysctl-conf.h"
#include "system/seam-io.h"

int main(int argc, char *argv[]) {
        if (argc != 2)
                return 64;

        cleanup_free char *bytes = NULL;
        size_t n;
        int r = seam_read_file_at(seam_real(), AT_FDCWD, argv[1], (size_t) 1 << 20, &bytes, &n);
        if (r < 0) {
                (void) fprintf(stderr, "cannot read '%s': %s\n", argv[1], strerror(-r));
                return 2;
        }

        CLEANUP(arena_freep) Arena *arena = arena_new();
        SysctlConf conf;
        if (!arena || sysctl_conf_parse(bytes, n, arena, &conf) < 0)
                return 2;
        if (conf.bad_line != 0) {
                (void) fprintf(stderr, "%s:%u: no assignment\n", argv[1], conf.bad_line);
                return 1;
        }

        for (size_t i = 0; i < conf.n_items; i++)
                (void) printf("%s\t%s\n", conf.items[i].path, conf.items[i].value);
        return 0;
}
