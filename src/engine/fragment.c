/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/fragment.h"

#include <fcntl.h>

#include "engine/paths.h"

int fragment_read(const Seam *seam, int root_fd, PlanFragment *ret, Error *reterr) {
        *ret = (PlanFragment){ 0 };

        cleanup_free char *bytes = NULL;
        size_t n;
        int r = seam_read_file_at(
                        seam, root_fd, ENGINE_SYSCTL_DIR "/" ENGINE_FRAGMENT, FRAGMENT_MAX_BYTES,
                        &bytes, &n);
        if (r == -ENOENT)
                return 0;
        if (r == -ELOOP || r == -EINVAL || r == -EFBIG) {
                /* A link, a device, something huge: certainly not what we wrote. */
                ret->exists = true;
                return 0;
        }
        if (r < 0)
                return error_set(reterr, r, "cannot read '%s'", ENGINE_FRAGMENT_PATH);

        ret->exists = true;
        ret->digest = sha256_of(bytes, n);
        return 0;
}

void fragment_deinit(Fragment *fragment) {
        atomic_file_abandon(&fragment->file);
        seam_fd_close(&fragment->dir);
}

static int fragment_begin(
                Fragment *fragment, int root_fd, const AtomicContent *content, Error *reterr) {
        const Seam *seam = fragment->file.seam;
        int r = seam_open_dir(seam, root_fd, ENGINE_SYSCTL_DIR, ENGINE_SYSCTL_MODE, &fragment->dir);
        if (r < 0)
                return error_set(reterr, r, "cannot open '/%s'", ENGINE_SYSCTL_DIR);

        r = atomic_file_begin(seam, fragment->dir.fd, ENGINE_FRAGMENT, content, &fragment->file);
        return r < 0 ? error_set(reterr, r, "cannot write '%s'", ENGINE_FRAGMENT_PATH) : 0;
}

int fragment_prepare(
                const Seam *seam, int root_fd, const char *bytes, size_t n, Fragment *ret,
                Error *reterr) {
        Fragment fragment = {
                .dir = SEAM_FD_EMPTY,
                .file = { .seam = seam },
                .remove = !bytes,
        };
        AtomicContent content = {
                .bytes = bytes,
                .length = bytes ? n : 0,
                .mode = 0644,
                .flush = bytes != NULL,
        };
        int r = fragment_begin(&fragment, root_fd, &content, reterr);
        if (r < 0) {
                fragment_deinit(&fragment);
                return r;
        }

        *ret = fragment;
        return 0;
}

int fragment_install(Fragment *fragment, Error *reterr) {
        int r = fragment->remove ? atomic_file_remove(&fragment->file)
                                 : atomic_file_commit(&fragment->file, /* flush= */ true);
        if (r < 0)
                return error_set(
                                reterr, r, "cannot %s '%s'",
                                fragment->remove ? "remove" : "replace", ENGINE_FRAGMENT_PATH);
        return 0;
}

int fragment_flush(const Seam *seam, int root_fd, Error *reterr) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open(seam, root_fd, ENGINE_SYSCTL_DIR, O_RDONLY | O_DIRECTORY, 0, &dir);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = seam_fsync(&dir);
        return r < 0 ? error_set(reterr, r, "cannot flush '/%s'", ENGINE_SYSCTL_DIR) : 0;
}

void fragment_sweep(const Seam *seam, int root_fd) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        if (seam_open(seam, root_fd, ENGINE_SYSCTL_DIR, O_RDONLY | O_DIRECTORY, 0, &dir) >= 0)
                atomic_file_sweep(seam, dir.fd, ENGINE_FRAGMENT_STEM);
}
