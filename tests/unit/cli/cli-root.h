/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A copy of tests/golden/cli/root for one test: modes and owner as the safety checks want them, and the link of
 * the network namespace, which no checkout can hold. Tests run in the source tree.
 */

#include "test-root.h"

#define CLI_ROOT_BOOT  "11111111-2222-4333-8444-555555555555"
#define CLI_ROOT_NETNS 4026531840UL

static const char *const cli_root_files[] = {
        "usr/share/twprofile/profiles/base.yaml",
        "usr/share/twprofile/profiles/web.yaml",
        "usr/share/twprofile/profiles/spare.yaml",
        "usr/share/twprofile/profiles/broken.yaml",
        "etc/sysctl.d/60-twprofile.conf",
        "run/twprofile/status.json",
        "proc/sys/net/ipv4/ip_local_port_range",
        "proc/sys/net/ipv4/tcp_keepalive_time",
        "proc/sys/net/ipv4/tcp_timestamps",
        "proc/sys/net/ipv4/tcp_fin_timeout",
        "proc/sys/net/ipv4/tcp_tw_reuse",
        "proc/sys/net/ipv4/tcp_mem",
        "proc/sys/net/core/somaxconn",
        "proc/sys/kernel/osrelease",
};

static inline void cli_root_new(char root[static 64], const char *boot_id, unsigned long netns) {
        char path[256], text[65536];
        assert_int_equal(setenv("TWPROFILE_ROOT_LIVE", "1", 1), 0);
        root_new(root);
        for (size_t i = 0; i < ELEMENTSOF(cli_root_files); i++) {
                (void) snprintf(path, sizeof(path), "tests/golden/cli/root/%s", cli_root_files[i]);
                cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
                assert_true(fd >= 0);
                ssize_t n = read(fd, text, sizeof(text) - 1);
                assert_true(n > 0);
                text[n] = '\0';
                root_write(root, cli_root_files[i], text);
        }
        (void) snprintf(text, sizeof(text), "%s\n", boot_id);
        root_write(root, "proc/sys/kernel/random/boot_id", text);
        root_write(root, "proc/self/ns/.keep", "");
        (void) snprintf(path, sizeof(path), "%s/proc/self/ns/net", root);
        (void) snprintf(text, sizeof(text), "net:[%lu]", netns);
        assert_int_equal(symlink(text, path), 0);
}
