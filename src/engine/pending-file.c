/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/pending-file.h"

#include <fcntl.h>

#include "engine/paths.h"
#include "system/atomic-file.h"

#define PENDING_PATH ENGINE_RUN_DIR "/" ENGINE_PENDING

int pending_file_write(const Seam *seam, int root_fd, const Pending *pending, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        int r = pending_encode(pending, &text);
        if (r < 0 || text.failed)
                return error_set(reterr, -ENOMEM, "cannot write '/%s'", PENDING_PATH);

        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        r = seam_open_dir(seam, root_fd, ENGINE_RUN_DIR, ENGINE_RUN_MODE, &dir);
        if (r >= 0)
                r = atomic_file_replace(seam, dir.fd, ENGINE_PENDING, text.data, text.length, 0600);
        return r < 0 ? error_set(reterr, r, "cannot write '/%s'", PENDING_PATH) : 0;
}

int pending_file_read(const Seam *seam, int root_fd, Arena *arena, Pending *ret, Error *reterr) {
        cleanup_free char *bytes = NULL;
        size_t n;
        int r = seam_read_file_at(seam, root_fd, PENDING_PATH, PENDING_MAX_BYTES, &bytes, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot read '/%s'", PENDING_PATH);

        r = pending_decode(bytes, n, arena, ret, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot read '/%s'", PENDING_PATH) : 0;
}

bool pending_file_exists(const Seam *seam, int root_fd) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        return seam_open(seam, root_fd, PENDING_PATH, O_RDONLY | O_NOFOLLOW, 0, &fd) >= 0;
}

void pending_file_remove(const Seam *seam, int root_fd) {
        (void) !seam->ops->unlink_at(seam, root_fd, PENDING_PATH, 0);
}
