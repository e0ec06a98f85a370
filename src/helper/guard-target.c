/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/guard-target.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "engine/paths.h"
#include "record/status-format.h"
#include "system/seam-io.h"

#define PENDING_PATH     ENGINE_RUN_DIR "/" ENGINE_PENDING
#define STATUS_PATH      ENGINE_RUN_DIR "/" ENGINE_STATUS
#define STATUS_MAX_BYTES ((size_t) 8 * 1024 * 1024)

void guard_target_deinit(GuardTarget *target) {
        free(target->gate);
        *target = (GuardTarget){ 0 };
}

/* The bytes of a file that only root may have written. -ENOENT; -EBADMSG for another's. */
static int read_trusted(
                const Seam *seam, int root_fd, const char *path, size_t limit, char **ret,
                size_t *ret_n) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        struct stat st;
        int r = seam_open(seam, root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd);
        if (r >= 0)
                r = seam_fstat(&fd, &st);
        if (r < 0)
                return r == -ELOOP ? -EBADMSG : r;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0022) != 0)
                return -EBADMSG;
        r = seam_read_file(&fd, limit, ret, ret_n);
        return r == -EFBIG ? -EBADMSG : r;
}

static int take_pending(const char *bytes, size_t n, GuardTarget *ret, Error *reterr) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return error_set(reterr, -ENOMEM, "cannot read '/%s'", PENDING_PATH);
        Pending pending = { 0 };
        int r = pending_decode(bytes, n, arena, &pending, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot understand '/%s'", PENDING_PATH);

        char *gate = pending.gate ? strdup(pending.gate) : NULL;
        if (pending.gate && !gate)
                return error_set(reterr, -ENOMEM, "cannot read '/%s'", PENDING_PATH);
        *ret = (GuardTarget){ .deadline_ms = pending.deadline_ms, .gate = gate };
        memcpy(ret->tx, pending.tx, sizeof(ret->tx));
        return 0;
}

/* A view that cannot be read says nothing: it is only the second source. */
static int take_status(
                const char *bytes, size_t n, const Instance *here, GuardTarget *ret,
                Error *reterr) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return error_set(reterr, -ENOMEM, "cannot read '/%s'", STATUS_PATH);
        Status status = { 0 };
        int r = status_decode(bytes, n, arena, &status, reterr);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        bool is_open = status.undecided_tx && status.undecided_deadline_ms > 0 &&
                       strlen(status.undecided_tx) < TX_ID_SIZE &&
                       streq(status.instance.boot_id, here->boot_id);
        if (is_open) {
                ret->deadline_ms = status.undecided_deadline_ms;
                memcpy(ret->tx, status.undecided_tx, strlen(status.undecided_tx) + 1);
        }
        status_deinit(&status);
        return 0;
}

int guard_target_read(
                const Seam *seam, int root_fd, const Instance *here, GuardTarget *ret,
                Error *reterr) {
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        int r = read_trusted(seam, root_fd, PENDING_PATH, PENDING_MAX_BYTES, &bytes, &n);
        if (r >= 0)
                return take_pending(bytes, n, ret, reterr);
        if (r != -ENOENT)
                return error_set(reterr, r, "cannot read '/%s'", PENDING_PATH);

        r = read_trusted(seam, root_fd, STATUS_PATH, STATUS_MAX_BYTES, &bytes, &n);
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot read '/%s'", STATUS_PATH);
        return r < 0 ? 0 : take_status(bytes, n, here, ret, reterr);
}
