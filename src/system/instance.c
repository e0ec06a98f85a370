/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/instance.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/num.h"

#define INSTANCE_BOOT_ID "proc/sys/kernel/random/boot_id"
#define INSTANCE_RELEASE "proc/sys/kernel/osrelease"
#define INSTANCE_NETNS   "proc/self/ns/net"
#define INSTANCE_TCP_MEM "proc/sys/net/ipv4/tcp_mem"

static int instance_read_line(
                const Seam *seam, int root_fd, const char *path, char *ret, size_t size,
                Error *reterr) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(seam, root_fd, path, O_RDONLY, 0, &fd);
        if (r < 0)
                return error_set(reterr, r, "cannot open '/%s'", path);

        ssize_t n = seam_read(&fd, ret, size - 1, 0);
        if (n < 0)
                return error_set(reterr, (int) n, "cannot read '/%s'", path);

        ret[n] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
        return 0;
}

static int instance_read_netns(const Seam *seam, int root_fd, uint64_t *ret, Error *reterr) {
        char link[64];
        int n = seam->ops->readlink_at(seam, root_fd, INSTANCE_NETNS, link, sizeof(link) - 1);
        if (n < 0)
                return error_set(reterr, n, "cannot read '/%s'", INSTANCE_NETNS);
        link[n] = '\0';

        /* "net:[4026531840]" */
        char *number = strchr(link, '['), *end = strchr(link, ']');
        if (!number || !end || end < number)
                return error_set(reterr, -EBADMSG, "cannot understand '/%s'", INSTANCE_NETNS);
        *end = '\0';

        int r = num_parse_u64(number + 1, ret);
        if (r < 0)
                return error_set(reterr, r, "cannot understand '/%s'", INSTANCE_NETNS);
        return 0;
}

int instance_read(const Seam *seam, int root_fd, Instance *ret, Error *reterr) {
        Instance instance = *ret;

        int r = instance.boot_id[0] != '\0'
                                ? 0
                                : instance_read_line(
                                                  seam, root_fd, INSTANCE_BOOT_ID, instance.boot_id,
                                                  sizeof(instance.boot_id), reterr);
        if (r < 0)
                return r;
        if (strlen(instance.boot_id) != TX_ID_SIZE - 1)
                return error_set(reterr, -EBADMSG, "cannot understand '/%s'", INSTANCE_BOOT_ID);

        r = instance_read_netns(seam, root_fd, &instance.netns_inode, reterr);
        if (r < 0)
                return r;

        *ret = instance;
        return 0;
}

int instance_read_kernel(const Seam *seam, int root_fd, KernelVersion *ret, Error *reterr) {
        char release[128];
        int r = instance_read_line(
                        seam, root_fd, INSTANCE_RELEASE, release, sizeof(release), reterr);
        if (r < 0)
                return r;

        r = kernel_version_parse(release, ret);
        if (r < 0)
                return error_set(reterr, r, "cannot understand kernel release '%s'", release);
        return 0;
}

static int instance_visit_kernel(void *userdata, const char *name) {
        KernelVersion *newest = userdata, version;
        if (kernel_version_parse(name, &version) >= 0 &&
            kernel_version_compare(&version, newest) > 0)
                *newest = version;
        return 0;
}

int instance_find_image_kernel(const Seam *seam, int root_fd, KernelVersion *ret, Error *reterr) {
        static const char *const directories[] = { "usr/lib/modules", "lib/modules" };
        KernelVersion newest = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
                int r = seam_open(seam, root_fd, directories[i], O_RDONLY | O_DIRECTORY, 0, &dir);
                if (r == -ENOENT)
                        continue;
                if (r >= 0)
                        r = seam->ops->list(seam, dir.fd, instance_visit_kernel, &newest);
                if (r < 0)
                        return error_set(reterr, r, "cannot list '/%s'", directories[i]);
        }

        if (newest.major != 0)
                *ret = newest;
        return 0;
}

bool instance_is_initial_netns(const Seam *seam, int root_fd) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        return seam_open(seam, root_fd, INSTANCE_TCP_MEM, O_RDONLY, 0, &fd) != -ENOENT;
}
