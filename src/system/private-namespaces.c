/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/private-namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"

static int write_text(const char *path, const char *text) {
        cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        size_t n = strlen(text);
        return write(fd, text, n) == (ssize_t) n ? 0 : -errno;
}

/* Root inside, ourselves outside. */
static int map_ids(uid_t uid, gid_t gid) {
        char uid_map[64], gid_map[64];
        (void) snprintf(uid_map, sizeof(uid_map), "0 %u 1\n", (unsigned) uid); /* fits */
        (void) snprintf(gid_map, sizeof(gid_map), "0 %u 1\n", (unsigned) gid); /* fits */
        int r = write_text("/proc/self/setgroups", "deny\n");
        if (r < 0 && r != -ENOENT)
                return r;
        r = write_text("/proc/self/uid_map", uid_map);
        return r < 0 ? r : write_text("/proc/self/gid_map", gid_map);
}

int private_namespaces_enter(bool *ret_user_namespace, Error *reterr) {
        *ret_user_namespace = false;
        if (geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWNET) == 0)
                return 0;
        uid_t uid = geteuid();
        gid_t gid = getegid();
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
                return error_set(reterr, -errno, "this host allows no private namespaces here");
        *ret_user_namespace = true;
        int r = map_ids(uid, gid);
        return r < 0 ? error_set(reterr, r, "cannot become root of a user namespace") : 0;
}
